"""What a request may use: the database, the scopes of its key, and one of a few places."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Semaphore
from typing import Any

from flask import current_app, request
from sqlalchemy.orm import Session

from hksz_db.database import Database
from hksz_db.domain.errors import Overloaded, Unauthenticated
from hksz_db.domain.vocabulary import Scope
from hksz_db.services.api_keys import Actor
from hksz_db.services.review import REVIEWED


@dataclass(frozen=True)
class Write:
    """A write: its transaction, the owner of the key, and the versions that ``If-Match`` allows."""

    session: Session
    actor: Actor
    versions: list[int] | None
    """``None`` allows any version."""

    def check_review(self, fields: Mapping[str, Any]) -> None:
        """Raise ``Forbidden`` if the fields hold a verdict and the key lacks the scope."""
        self.check_statuses(part.get("status") for part in (fields, *fields.get("evidence", [])))

    def check_statuses(self, statuses: Iterable[str | None]) -> None:
        """Raise ``Forbidden`` if one is a verdict and the key lacks the scope ``review``."""
        if REVIEWED & set(statuses):
            self.actor.demand(Scope.REVIEW)


def database() -> Database:
    """The database of the app."""
    found: Database = current_app.extensions["hksz_database"]
    return found


def bearer_key() -> str:
    """The key of the request. Raises ``Unauthenticated`` if it has none."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("This needs a key: Authorization: Bearer hksz_….")
    return key.strip()


@contextmanager
def place(places: Semaphore, refusal: str) -> Iterator[None]:
    """Take one of the places for the block. Raises ``Overloaded`` if all are taken."""
    if not places.acquire(blocking=False):
        raise Overloaded(refusal)
    try:
        yield
    finally:
        places.release()
