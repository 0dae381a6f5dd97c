"""The HTTP status of each error."""

from collections.abc import Mapping, Sequence

from hksz_db.domain import errors
from hksz_db.domain.errors import DomainError, Fault, FaultsError

_STATUSES: Mapping[type[DomainError], int] = {
    errors.Malformed: 400,
    errors.OutsideHistory: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.VersionNotFound: 404,
    errors.Conflict: 409,
    errors.InFlight: 409,
    errors.Merged: 409,
    errors.Gone: 410,
    errors.LostHistory: 410,
    errors.Stale: 412,
    errors.Invalid: 422,
    errors.QuotaExceeded: 429,
    errors.Unavailable: 503,
    errors.Contended: 503,
    errors.NotReplicated: 503,
    errors.Overloaded: 503,
}

_RETRY_AFTER_S = 2


class ApiError(FaultsError):
    """A request that breaks a rule of HTTP, which the status tells."""

    def __init__(self, status: int, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail, faults)
        self.status = status


def status_of(error: DomainError) -> int:
    """The status of the response to an error."""
    return error.status if isinstance(error, ApiError) else _STATUSES[type(error)]


def retry_after(error: DomainError) -> int | None:
    """The seconds after which the same request may succeed; ``None`` if it will not."""
    match error:
        case errors.QuotaExceeded():
            return error.wait_s
        case errors.Unavailable():
            return _RETRY_AFTER_S if error.is_temporary else None
        case errors.Overloaded() | errors.InFlight():
            return _RETRY_AFTER_S
    return None
