"""Transactions of the services, and errors of the database in terms of the API.

The database enforces every rule. An error that earlier checks did not prevent is translated here by
the name of its constraint, and never shows the text of the database, except the rows on a cycle.
"""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import psycopg
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from hksz_db.database import Database, Session, run
from hksz_db.domain.errors import (
    Cause,
    Conflict,
    Contended,
    DomainError,
    Fault,
    Invalid,
    RowState,
    TakenKey,
    Unavailable,
)
from hksz_db.models.base import LIVE_KEY
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.dependants import LIST_OWNERS
from hksz_db.services.rows import merged_into

_RULES: dict[str, tuple[str, str]] = {
    "source_relations_acyclic_check": (
        "relations",
        "The relations of sources may not form a cycle: {}.",
    ),
    "claim_relations_acyclic_check": (
        "relations",
        "Claims that supersede or correct each other may not form a cycle: {}.",
    ),
    "source_relations_not_itself_check": ("relations", "A source cannot be related to itself."),
    "claims_claimant_check": (
        "claimant_id",
        "A claimant is required: claimant_id, claimant_external_id or claimant_as_stated.",
    ),
    "claim_relations_not_itself_check": ("relations", "A claim cannot be related to itself."),
    "entity_relations_not_itself_check": ("relations", "An entity cannot be related to itself."),
    "evidence_acyclic_check": (
        "derived_from_id",
        "The derivations of evidence may not form a cycle: {}.",
    ),
    "evidence_within_capture_check": ("end_char", "A locator must end within its capture."),
    "evidence_not_itself_check": ("derived_from_id", "Evidence cannot derive from itself."),
    "evidence_locator_whole_check": (
        "start_char",
        "A locator must be complete (start_char, end_char and three hashes) or absent.",
    ),
    "evidence_span_check": ("end_char", "Must be above start_char."),
    "evidence_loose_locator_whole_check": (
        "loose_start_char",
        "A locator must be complete (loose_start_char, loose_end_char and three hashes) or absent.",
    ),
    "evidence_loose_span_check": ("loose_end_char", "Must be above loose_start_char."),
    "evidence_loose_locator_with_exact_check": (
        "loose_start_char",
        "A passage with a locator in the loose form needs one in the exact form, too.",
    ),
}
# Of two constraints that forbid the same, either may be reported.
_REPORTED_AS = {"units_code_factor_key": ("code",)}
_DERIVED_FROM = {"canonical_url": "url"}
# The detail of the message is translated, but for this part: "(claim_id, topic)=(…, firms)".
_KEY = re.compile(r"\((.*?)\)=\((.*)\)", re.DOTALL)
_IN_USE = {
    "evidence_capture_id_source_id_fkey": (
        "captures",
        "Evidence has locators in a capture that would be removed.",
    ),
    "figures_metric_id_dimension_nonnegative_fkey": (
        "dimension",
        "Figures use this metric, so its dimension and sign cannot change.",
    ),
}
_OUTDATED = (errors.UndefinedTable, errors.UndefinedColumn, errors.UndefinedFunction)
_LATE = (errors.QueryCanceled, errors.LockNotAvailable, errors.IdleInTransactionSessionTimeout)

_Result = TypeVar("_Result")


def retried(
    write: Callable[[], _Result],
    attempts: int,
    after: tuple[type[DomainError], ...] = (Contended,),
    pause_s: float = 0,
) -> _Result:
    """The result of ``write``, which is tried again after some errors.

    Raises what the last attempt raises.
    """
    for _ in range(attempts - 1):
        try:
            return write()
        except after:
            time.sleep(pause_s)
    return write()


@contextmanager
def writing(database: Database) -> Iterator[Session]:
    """One transaction; errors of the database are raised as domain errors."""
    try:
        try:
            with database.transaction() as session:
                yield session
        except (psycopg.Error, DBAPIError) as error:
            known = translate(error)
            if known is None:
                raise
            raise known from error
    except Conflict as error:
        if not any(fault.taken for fault in error.faults):
            raise
        # In a transaction of its own, because the other has failed.
        with database.transaction() as session:
            named = name_rows(session, error)
        raise named from error


def name_rows(session: Session, error: Conflict) -> Conflict:
    """The error with the rows that have the keys that are taken."""
    faults = [_named(session, f, f.taken) if f.taken else f for f in error.faults]
    return Conflict(error.detail, faults)


def _named(session: Session, fault: Fault, key: TakenKey) -> Fault:
    into = merged_into(key.table)
    found = run(
        session,
        f"SELECT id, deleted_at IS NULL, {into} FROM {key.table} WHERE {key.column} = $1"
        f" ORDER BY deleted_at IS NOT NULL, {into} IS NULL LIMIT 1",
        key.value,
    )
    if not found:
        return replace(fault, taken=None)  # it has been changed meanwhile
    return taken_by(RowState.of(key.table, *found[0]), key, fault.pointer)


def taken_by(row: RowState, key: TakenKey, pointer: str | None) -> Fault:
    """The fault that another row has the key."""
    state = row.state if row.into_id is None else f"merged into {row.into_id}"
    singular = RESOURCES[row.resource].singular
    detail = f"The {singular} {row.id} ({state}) has the {key.column} {key.value}."
    return Fault("unique", detail, pointer, row=row)


def translate(error: Exception) -> DomainError | None:
    """The domain error for a database error, or ``None``."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    match cause:
        case errors.UniqueViolation():
            return _unique(cause)
        case errors.ForeignKeyViolation():
            return _foreign_key(cause)
        case errors.CheckViolation():
            return _check(cause)
        case psycopg.DataError():
            return Invalid("A value cannot be stored.")
        case errors.DeadlockDetected() | errors.SerializationFailure():
            return Contended("Other requests were changing the same rows; try again.")
    return _unavailable(cause)


def _unavailable(cause: BaseException | None) -> Unavailable | None:
    if isinstance(cause, errors.ReadOnlySqlTransaction):
        return Unavailable("The database only takes reads at the moment.", cause=Cause.READ_ONLY)
    if isinstance(cause, _OUTDATED):
        return Unavailable(
            "Database schema is out of date; run `alembic upgrade head`.", cause=Cause.SCHEMA
        )
    if isinstance(cause, _LATE):
        return Unavailable("The database did not finish in time.", cause=Cause.TIMEOUT)
    return None


def violated_key(error: psycopg.Error) -> tuple[tuple[str, ...], str]:
    """The columns of the key that exists already, and its values as PostgreSQL shows them."""
    found = _KEY.search(error.diag.message_detail or "")
    if not found:
        return (), ""
    columns = tuple(found[1].split(", "))
    if (error.diag.constraint_name or "").endswith(LIVE_KEY):
        # The other part of the key tells live rows from deleted ones.
        return columns[:1], found[2].rpartition(", ")[0]
    return columns, found[2]


def _unique(error: errors.UniqueViolation) -> Conflict:
    name, table = error.diag.constraint_name or "", error.diag.table_name or ""
    columns, value = violated_key(error)
    if name in _REPORTED_AS:
        columns, value = _REPORTED_AS[name], value.partition(", ")[0]
    owner, parent = LIST_OWNERS.get(table, ("", ""))
    own = [column for column in columns if column != parent]
    if owner:
        listing = table.removeprefix(f"{RESOURCES[owner].singular}_")
        what = f"the same {' and '.join(own)}" if own else "the same values"
        detail = f"Two items have {what}, or another row already has them."
        fault = Fault("unique", detail, f"#/{listing}")
    elif len(own) == 1 and table in RESOURCES:
        detail = f"This {own[0]} is taken in {table}."
        taken = TakenKey(table, own[0], value)
        field = _DERIVED_FROM.get(own[0], own[0])
        fault = Fault("unique", detail, f"#/{field}", taken=taken)
    else:
        fault = Fault("unique", f"A row with the same {', '.join(own)} already exists.")
    return Conflict("A row with this key already exists.", [fault])


def _foreign_key(error: errors.ForeignKeyViolation) -> Conflict:
    detail = "Other rows refer to what would change, or a row was deleted meanwhile."
    known = _IN_USE.get(error.diag.constraint_name or "")
    return Conflict(detail, [Fault("in_use", known[1], f"#/{known[0]}")] if known else [])


def _check(error: errors.CheckViolation) -> Invalid:
    name = error.diag.constraint_name or ""
    field, detail = _RULES.get(name, ("", f"The constraint {name} is violated."))
    named = detail.format(error.diag.message_detail)
    return Invalid("A rule of the model is violated.", [Fault("rule", named, f"#/{field}")])
