"""Writing metrics."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services.references import Shape, resolve
from hksz_db.services.rows import Row, change_whole, create_whole


def create(session: Session, fields: Row) -> UUID:
    """Add a metric."""
    id = resolve(session, fields, Shape()).new_id
    create_whole(session, "metrics", {"id": id, **fields}, [])
    return id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a metric; its dimension and sign only while no figure measures it."""
    return change_whole(session, "metrics", id, versions, fields, [])
