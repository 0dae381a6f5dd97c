"""API keys, and the answers to requests that may be repeated with them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Scope
from hksz_db.models.base import Base, IdMixin, array_literal, not_blank


class ApiKey(IdMixin, Base):
    """An API key, stored as its SHA-256 only; ``label`` names its holder in the history.

    ``quota`` is how much may be asked for with it in a minute, if that is not the usual amount.
    """

    __tablename__ = "api_keys"
    ignored_columns = ("last_used_at",)
    __table_args__ = (
        not_blank("label"),
        CheckConstraint(f"scopes <@ {array_literal(Scope)}", name="scopes"),
        CheckConstraint("octet_length(key_sha256) = 32", name="key_sha256"),
        CheckConstraint("quota > 0", name="quota"),
    )

    label: Mapped[str] = mapped_column(unique=True)
    key_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    quota: Mapped[int | None]


class ReplacedKey(Base):
    """A key that was replaced by another one of its holder, and is valid for a while beside it."""

    __tablename__ = "replaced_keys"
    __table_args__ = (
        CheckConstraint("octet_length(key_sha256) = 32", name="key_sha256"),
        Index(None, "api_key_id"),
    )

    key_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    valid_until: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class IdempotencyKey(Base):
    """The answer to the first request with an ``Idempotency-Key``, written in its transaction.

    ``key`` is the value of the header, ``api_key_id`` the API key of the client, and
    ``request_sha256`` the hash of the request.
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
