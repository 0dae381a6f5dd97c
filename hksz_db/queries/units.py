"""How units are read."""

from hksz_db.models import Unit
from hksz_db.queries.readable import Readable
from schemas.units import UNIT_FILTERS, UnitSchema

UNITS = Readable(
    model=Unit,
    schema=UnitSchema,
    filters=UNIT_FILTERS,
    sorted_by=("code",),
    grouped_by=("dimension",),
)
