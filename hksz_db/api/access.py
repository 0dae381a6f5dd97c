"""Authorization: bearer keys and scopes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import current_app, g, request
from sqlalchemy.orm import Session

from hksz_db.database import Database
from hksz_db.domain.errors import Unauthenticated
from hksz_db.domain.vocabulary import Scope
from hksz_db.services.api_keys import Actor, authenticate
from hksz_db.services.review import ReviewRules
from hksz_db.services.writing import writing


def database() -> Database:
    """The database of the app."""
    found: Database = current_app.extensions["hksz_database"]
    return found


@dataclass(frozen=True)
class Write:
    """A write: its transaction, the owner of the key, and the versions that ``If-Match`` allows."""

    session: Session
    actor: Actor
    versions: list[int] | None
    """``None`` allows any version."""

    @property
    def rules(self) -> ReviewRules:
        """What the key may do in reviews."""
        return ReviewRules.of(self.actor, four_eyes=current_app.config["FOUR_EYES"])


@contextmanager
def writing_as(scope: Scope) -> Iterator[tuple[Session, Actor]]:
    """A transaction for the key of the request, which must have the scope."""
    key = _bearer()
    with writing(database()) as session:
        actor = authenticate(session, key, g.request_id)
        actor.demand(scope)
        yield session, actor


def check_reader() -> None:
    """Raise ``Unauthenticated`` if reading needs a key and the request has no valid one."""
    if not current_app.config["OPEN_READS"]:
        key = _bearer()
        with writing(database()) as session:
            authenticate(session, key)


def _bearer() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("This needs a key: Authorization: Bearer hksz_….")
    return key.strip()
