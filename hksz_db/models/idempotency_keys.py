"""What was answered to requests that may be repeated."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base


class IdempotencyKey(Base):
    """The first answer to a request that a client has named, written together with its effect.

    ``api_key_id`` is the client's key and ``key`` the name, ``request_sha256`` is of the request.
    """

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("key ~ '^[!-~]{1,255}$'", name="key"),
        CheckConstraint("octet_length(request_sha256) = 32", name="request_sha256"),
        CheckConstraint("status BETWEEN 200 AND 299", name="status"),
        Index(None, "created_at"),
    )

    api_key_id: Mapped[UUID] = mapped_column(
        ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    etag: Mapped[str | None]
    location: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
