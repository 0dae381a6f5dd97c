"""What the database refused, in the terms of the field.

The database is the last judge of every rule; what gets past the checks before it comes back here
by the name of the constraint, and never with the database's own text.
"""

import psycopg
from psycopg import errors
from sqlalchemy import UniqueConstraint
from sqlalchemy.exc import DBAPIError

from hksz_db.errors import Conflict, DomainError, Fault, Invalid, Unavailable
from hksz_db.models import Base

_RULES: dict[str, tuple[str, str]] = {
    "source_relations_acyclic_check": (
        "relations",
        "What a source rests on may not lead back to the source.",
    ),
    "source_relations_not_itself_check": ("relations", "A source cannot rest on itself."),
    "claim_relations_not_itself_check": ("relations", "A claim cannot relate to itself."),
    "entity_relations_not_itself_check": ("relations", "An entity cannot relate to itself."),
    "evidence_not_itself_check": ("derived_from_id", "Evidence cannot derive from itself."),
    "evidence_locator_whole_check": (
        "start_char",
        "A locator is whole (start_char, end_char and three hashes) or absent.",
    ),
    "evidence_span_check": ("end_char", "Must be above start_char."),
}
# Where two constraints forbid the same, either may be the one that speaks.
_STANDING_FOR = {"units_code_dimension_factor_key": ("code",)}
_RETRY = (
    errors.QueryCanceled,
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.IdleInTransactionSessionTimeout,
)


def translate(error: Exception) -> DomainError | None:
    """The domain error behind a database error; ``None`` when there is none."""
    if isinstance(error, DBAPIError):
        return translate(error.orig) if isinstance(error.orig, Exception) else None
    if not isinstance(error, psycopg.Error):
        return None
    match error:
        case errors.UniqueViolation():
            return _unique(error)
        case errors.ForeignKeyViolation():
            return Conflict("Another row rests on what would change, or was deleted meanwhile.")
        case errors.CheckViolation():
            return _check(error)
        case _ if isinstance(error, _RETRY):
            return Unavailable("The database did not finish in time.")
        case psycopg.DataError():
            return Invalid("A value cannot be stored.")
    return None


def _unique(error: errors.UniqueViolation) -> Conflict:
    name = error.diag.constraint_name or ""
    columns = _STANDING_FOR.get(name) or _unique_columns().get(name, ())
    if len(columns) == 1:
        fault = Fault(
            "unique",
            f"This {columns[0]} is taken, perhaps by a deleted row, which can be restored.",
            f"#/{columns[0]}",
        )
    else:
        what = ", ".join(columns) or "same content"
        fault = Fault("unique", f"There is one with the same {what} already.")
    return Conflict("The row would be there twice.", [fault])


def _check(error: errors.CheckViolation) -> Invalid:
    name = error.diag.constraint_name or ""
    field, detail = _RULES.get(name, ("", f"The rule {name} of the model is broken."))
    return Invalid("A rule of the model is broken.", [Fault("rule", detail, f"#/{field}")])


def _unique_columns() -> dict[str, tuple[str, ...]]:
    found = {}
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                found[str(constraint.name)] = tuple(column.name for column in constraint.columns)
        for index in table.indexes:
            if index.unique:
                found[str(index.name)] = tuple(column.name for column in index.columns)
    return found
