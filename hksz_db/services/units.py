"""Writing units."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.errors import Fault, Invalid
from hksz_db.quantities import InvalidUnit, measure
from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, insert

SHAPE = Shape()
STORED = ("code",)
"""The columns on which a change rests."""


def create(session: Session, fields: Row) -> UUID:
    """Add a unit; what it measures and its factor are worked out from its code."""
    known = resolve(session, fields, SHAPE)
    insert(session, rows(fields, known.new_id, known))
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a unit's label or external id."""
    return change_whole(session, "units", id, versions, chosen(fields, "external_id", "label"), [])


def rows(fields: Row, id: UUID, _known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The row of a new unit by table. Raises ``Invalid`` when the code is no unit's."""
    try:
        measured = measure(fields["code"])
    except InvalidUnit as error:
        raise Invalid("The unit is not known.", [Fault("unit", str(error), "#/code")]) from None
    worked_out = {"id": id, "dimension": measured.dimension, "factor": measured.factor}
    return {"units": [{**fields, **worked_out}]}


def changes(fields: Row, _before: Row, _known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives a unit."""
    return chosen(fields, "external_id", "label"), []
