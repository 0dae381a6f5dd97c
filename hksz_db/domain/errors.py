"""Errors in the terms of the field. None of them knows HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class DomainError(Exception):
    """The base of all errors that clients are told about."""


class RowState(NamedTuple):
    """A row that a request conflicts with.

    ``state`` is ``live``, ``merged`` (into the row ``into_id``) or ``deleted``.
    """

    resource: str
    id: UUID
    state: str
    into_id: UUID | None

    @classmethod
    def of(cls, resource: str, id: UUID, is_live: bool, into_id: UUID | None) -> "RowState":
        """The state of a row that is live or not."""
        state = "live" if is_live else "deleted" if into_id is None else "merged"
        return cls(resource, id, state, into_id)


class TakenKey(NamedTuple):
    """A value of a column that no two rows can have."""

    table: str
    column: str
    value: str


@dataclass(frozen=True)
class Fault:
    """One fault of a request.

    ``pointer`` is a JSON pointer into the body (``#/figures/0/amount``), and ``parameter`` is the
    name of a query parameter. Neither is set if the whole request is meant. ``row`` is the row that
    the request conflicts with. It is looked up by the key that is ``taken`` once the transaction
    that failed has been rolled back.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None
    row: RowState | None = None
    taken: TakenKey | None = None

    def within(self, place: str) -> "Fault":
        """The same fault, for a body that contains this one at the JSON pointer ``place``."""
        return replace(self, pointer=place + (self.pointer or "#").removeprefix("#"))


def escaped(key: str) -> str:
    """A key as a token of a JSON pointer (RFC 6901)."""
    # Lone surrogates cannot be encoded, but the request must still be answered.
    safe = key.encode("utf-8", "backslashreplace").decode()
    return safe.replace("~", "~0").replace("/", "~1")


class FaultsError(DomainError):
    """A request that fails because of the listed faults."""

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)


class Malformed(FaultsError):
    """The request cannot be read, or uses a parameter or value that does not exist."""


class Invalid(FaultsError):
    """The request can be read, but breaks a rule of the model."""


class Conflict(FaultsError):
    """The request conflicts with what is stored."""


class OutsideHistory(DomainError):
    """The moment asked for is before the beginning of the history, or in the future."""


class InFlight(FaultsError):
    """The same request is being processed at this moment."""


class Unauthenticated(FaultsError):
    """The key is missing, unknown, expired or revoked."""


class Forbidden(FaultsError):
    """The key is valid, but lacks the required scope or may not accept what it wrote."""


class NotFound(DomainError):
    """No such row has ever existed."""

    def __init__(self, resource: str, id: UUID) -> None:
        super().__init__(f"There is no {resource} {id}.")


class VersionNotFound(DomainError):
    """The row exists or existed, but not in this version; ``near`` are the versions next to it."""

    def __init__(self, resource: str, id: UUID, version: int, near: Sequence[int]) -> None:
        known = " and ".join(map(str, near))
        super().__init__(
            f"The history of the {resource} {id} has no version {version}; next to it: {known}."
        )


class Gone(DomainError):
    """The row has been deleted and can be restored."""

    def __init__(self, resource: str, id: UUID, version: int) -> None:
        super().__init__(f"The {resource} {id} was deleted; it can be restored.")
        self.version = version


class Merged(DomainError):
    """The row has been merged into another row. That can be undone."""

    def __init__(self, resource: str, id: UUID, version: int, into_id: UUID) -> None:
        super().__init__(f"The {resource} {id} was merged into {into_id}; that can be undone.")
        self.version = version
        self.into_id = into_id


class LostHistory(DomainError):
    """What a client has read is no longer part of the history of the database."""


class Stale(DomainError):
    """The row has changed since the version that the client has read."""

    def __init__(self, resource: str, id: UUID, version: int) -> None:
        super().__init__(f"The {resource} {id} is at version {version}, not the one given.")
        self.version = version


class Cause(StrEnum):
    """Why a request could not be processed now."""

    AWAY = "database_away"
    LATE = "database_late"
    TIMEOUT = "statement_timeout"
    READ_ONLY = "database_read_only"
    SCHEMA = "schema"
    DISK = "disk_full"
    CONTENDED = "contended"
    COSTLY_PLACES = "costly_places"
    EXPORT_PLACES = "export_places"
    WAITING_PLACES = "waiting_places"
    BODIES = "bodies"


class Unavailable(DomainError):
    """The database cannot be reached, or cannot do what is asked.

    If it ``is_temporary``, the same request may succeed a few seconds later.
    """

    def __init__(
        self, detail: str, *, is_temporary: bool = True, cause: Cause = Cause.AWAY
    ) -> None:
        super().__init__(detail)
        self.is_temporary = is_temporary
        self.cause = cause


class NotReplicated(Unavailable):
    """A replica does not know yet what is asked."""


class Contended(Unavailable):
    """Transactions waited for rows of each other, so that one of them had to be rolled back."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, cause=Cause.CONTENDED)


class Overloaded(DomainError):
    """Too many requests of this kind are being processed; one of them must end first."""

    def __init__(self, detail: str, cause: Cause) -> None:
        super().__init__(detail)
        self.cause = cause


class QuotaExceeded(DomainError):
    """The client has used up the named quota; the same request is allowed in ``wait_s`` seconds."""

    def __init__(self, detail: str, quota: str, wait_s: int) -> None:
        super().__init__(detail)
        self.quota = quota
        self.wait_s = wait_s
