"""Writing metrics."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, insert

SHAPE = Shape()


def create(session: Session, fields: Row) -> UUID:
    """Add a metric."""
    known = resolve(session, fields, SHAPE)
    insert(session, rows(fields, known.new_id, known))
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a metric; its dimension and sign only while no figure measures it."""
    return change_whole(session, "metrics", id, versions, fields, [])


def rows(fields: Row, id: UUID, _known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The row of a new metric by table."""
    return {"metrics": [{"id": id, **fields}]}


def changes(fields: Row, _before: Row, _known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives a metric."""
    return fields, []
