"""Writing units."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.errors import Fault, Invalid
from hksz_db.quantities import InvalidUnit, measure
from hksz_db.services.references import Shape, resolve
from hksz_db.services.rows import Row, change_whole, chosen, create_whole


def create(session: Session, fields: Row) -> UUID:
    """Add a unit; what it measures and its factor are worked out from its code."""
    try:
        measured = measure(fields["code"])
    except InvalidUnit as error:
        raise Invalid("The unit is not known.", [Fault("unit", str(error), "#/code")]) from None
    id = resolve(session, fields, Shape()).new_id
    worked_out = {"id": id, "dimension": measured.dimension, "factor": measured.factor}
    create_whole(session, "units", {**fields, **worked_out}, [])
    return id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a unit's label or external id."""
    return change_whole(session, "units", id, versions, chosen(fields, "external_id", "label"), [])
