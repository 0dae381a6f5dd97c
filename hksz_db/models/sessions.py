"""Sessions: the browsers in which people have signed in with an API key."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base


class SignIn(Base):
    """A session of a browser, which has a random token; only the SHA-256 of the token is stored.

    It ends when it expires or is deleted, and when its API key expires or is revoked.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        CheckConstraint("octet_length(token_sha256) = 32", name="token_sha256"),
        Index(None, "api_key_id"),
        Index(None, "expires_at"),
    )

    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
