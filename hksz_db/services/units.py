"""Writing units, whose dimension and factor follow from their codes."""

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.quantities import InvalidUnit, measure
from hksz_db.models import Unit
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Row
from hksz_db.services.writers import Writer
from schemas.units import UnitCreateSchema, UnitPatchSchema


class _Units(Writer):
    def compute(self, given: Row, _before: Row, _known: Resolved, pointer: str) -> Row:
        """The dimension and the factor of the code. Raises ``Invalid`` if it is unknown."""
        if "code" not in given:
            return {}
        try:
            measured = measure(given["code"])
        except InvalidUnit as error:
            fault = Fault("unit", str(error), f"{pointer}/code")
            raise Invalid("The unit is not known.", [fault]) from None
        return {"dimension": measured.dimension, "factor": measured.factor}


WRITER = _Units(
    model=Unit,
    create_schema=UnitCreateSchema,
    patch_schema=UnitPatchSchema,
    computed=("dimension", "factor"),
)
