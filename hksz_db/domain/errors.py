"""What can go wrong, in the terms of the field. Nothing here knows HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID


class DomainError(Exception):
    """The base of all that callers may be told about."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong with what was sent.

    ``pointer`` is a JSON pointer into the body (``#/figures/0/amount``); ``parameter`` is the
    name of a query parameter. One of the two is set, or neither when the whole is meant.
    """

    code: str
    detail: str
    pointer: str | None = None
    parameter: str | None = None

    def within(self, place: str) -> "Fault":
        """The fault of a part as one of the whole, in which the part stands at ``place``."""
        return replace(self, pointer=place + (self.pointer or "#").removeprefix("#"))


def escaped(key: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    # Surrogates cannot be written out; the request that had them is answered all the same.
    safe = key.encode("utf-8", "backslashreplace").decode()
    return safe.replace("~", "~0").replace("/", "~1")


class FaultsError(DomainError):
    """A request that cannot be carried out because of the listed faults."""

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = tuple(faults)


class Malformed(FaultsError):
    """What was sent cannot be read, or asks for something that does not exist."""


class Invalid(FaultsError):
    """What was sent can be read, but breaks a rule of the model."""


class Conflict(FaultsError):
    """What was sent clashes with what is stored."""


class NotRecorded(DomainError):
    """What is asked for lies before the history began, or has not happened yet."""


class InFlight(FaultsError):
    """The same request is being carried out at this moment."""


class Unauthenticated(FaultsError):
    """No key, or a key that is unknown, expired or revoked."""


class Forbidden(FaultsError):
    """The key is valid but lacks the required scope."""


class NotFound(DomainError):
    """No such row was ever there."""

    def __init__(self, resource: str, id: UUID) -> None:
        super().__init__(f"There is no {resource} {id}.")


class NoVersion(DomainError):
    """The row is or was there, but never at this version; ``near`` are those next to it."""

    def __init__(self, resource: str, id: UUID, version: int, near: Sequence[int]) -> None:
        known = " and ".join(map(str, near))
        super().__init__(
            f"The history of the {resource} {id} has no version {version}; next to it: {known}."
        )


class Gone(DomainError):
    """The row was deleted; it can be restored."""

    def __init__(self, resource: str, id: UUID, version: int) -> None:
        super().__init__(f"The {resource} {id} was deleted; it can be restored.")
        self.version = version


class Merged(DomainError):
    """The row was merged into another, under whose id it is found; that can be undone."""

    def __init__(self, resource: str, id: UUID, version: int, into_id: UUID) -> None:
        super().__init__(f"The {resource} {id} was merged into {into_id}; that can be undone.")
        self.version = version
        self.into_id = into_id


class Stale(DomainError):
    """The row has another version than the one the writer has read."""

    def __init__(self, resource: str, id: UUID, version: int) -> None:
        super().__init__(f"The {resource} {id} is at version {version}, not the one given.")


class Unavailable(DomainError):
    """The database cannot be reached, or did not finish in time."""


class Busy(DomainError):
    """Too many requests of the kind are under way; one of them must end first."""
