"""API keys."""

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, func
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Scope
from hksz_db.models.base import Base, IdMixin, not_blank, quoted


class ApiKey(IdMixin, Base):
    """An API key, stored as its SHA-256 only; ``label`` names its holder in the history."""

    __tablename__ = "api_keys"
    ignored_columns = ("last_used_at",)
    __table_args__ = (
        not_blank("label"),
        CheckConstraint(f"scopes <@ ARRAY[{quoted(Scope)}]", name="scopes"),
        CheckConstraint("octet_length(key_sha256) = 32", name="key_sha256"),
    )

    label: Mapped[str] = mapped_column(unique=True)
    key_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
