"""Units as their readers see them."""

from hksz_db.models import Unit
from hksz_db.queries.documents import decimal
from hksz_db.queries.filters import Plain
from hksz_db.queries.resources import (
    Readable,
    SortKey,
    common_fields,
    common_sorts,
    common_targets,
    table_of,
)
from schemas.units import UNIT_FILTERS, UnitSchema

_units = table_of(Unit)

UNITS = Readable(
    name="units",
    singular="unit",
    table=_units,
    fields={
        "id": _units.c.id,
        "external_id": _units.c.external_id,
        "code": _units.c.code,
        "label": _units.c.label,
        "dimension": _units.c.dimension,
        "factor": decimal(_units.c.factor),
        **common_fields(_units),
    },
    embeds={},
    schema=UnitSchema,
    filters=UNIT_FILTERS,
    targets={
        **common_targets(_units),
        "code": Plain(_units.c.code),
        "label": Plain(_units.c.label),
        "dimension": Plain(_units.c.dimension),
    },
    sorts={**common_sorts(_units), "code": SortKey(_units.c.code)},
    groups={"dimension": _units.c.dimension},
)
