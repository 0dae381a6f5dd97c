"""Dates that are reckoned from the date of a source, and reckoned again when that is corrected."""

import json
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.chronology import Period, parse
from hksz_db.domain.errors import Conflict, Fault, Invalid
from hksz_db.domain.relative_dates import Relative, Unresolvable, resolve
from hksz_db.queries.filters import days_literal
from hksz_db.services.references import Resolved, Shape
from hksz_db.services.rows import Row, dated

ANCHORED = Shape({"anchor": "sources"}, held=True)
"""Where a relative date refers to the source from whose date it is reckoned."""
ORIGIN = ("anchor_id", "duration", "modifier")
"""What a relative date gives; each is stored in a column that the date's name precedes."""

_SHOWN = 10
_DATES = (("claims", "time"), ("claims", "due"), ("figures", "period"))
_RESOLVED = (
    "WITH resolved AS (SELECT * FROM json_to_recordset($2::json)"
    " AS _(duration text, modifier text, edtf text, days daterange, reason text))"
)


def settled(fields: Row, name: str, known: Resolved, pointer: str) -> Row:
    """The columns of a date that may be relative, where the fields give it.

    ``name_relative`` is reckoned from its anchor; ``name_edtf`` stands for itself, and what was
    relative is so no more. Raises ``Invalid`` where the anchor gives no date.
    """
    if f"{name}_edtf" not in fields and f"{name}_relative" not in fields:
        return {}
    relative = fields.get(f"{name}_relative")
    origin = tuple(f"{name}_{part}" for part in ORIGIN)
    if not relative:
        absolute = {f"{name}_edtf": fields.get(f"{name}_edtf")}
        return {**dated(absolute, name), **dict.fromkeys(origin)}
    anchor = known.rows["sources"][relative["anchor_id"]]["issued_edtf"]
    found = Relative(relative["duration"], relative.get("modifier"))
    try:
        period = resolve(found, parse(anchor) if anchor else None)
    except Unresolvable as error:
        fault = Fault("unresolvable", str(error), f"{pointer}/{name}_relative")
        raise Invalid("A relative date cannot be worked out.", [fault]) from None
    values = (relative["anchor_id"], found.duration, found.modifier)
    return {**dated({f"{name}_edtf": period}, name), **dict(zip(origin, values, strict=True))}


def anchors_among(session: Session, source_ids: Iterable[UUID]) -> list[UUID]:
    """Those of the sources by whose date something is dated, in the order of their ids."""
    dated_by = " UNION ".join(
        f"SELECT {date}_anchor_id FROM {table} WHERE {date}_anchor_id = ANY ($1)"
        for table, date in _DATES
    )
    return [row[0] for row in run(session, f"{dated_by} ORDER BY 1", list(source_ids))]


def reckon_again(session: Session, source_id: UUID, issued: Period | None) -> None:
    """Give what is dated by a source, deleted or not, the dates that follow from its new one.

    The source is locked, so that nobody comes to be dated by it meanwhile. Raises ``Conflict``,
    naming the claims, when a date cannot be worked out any more.
    """
    claims = _lock_claims(session, source_id)
    if not claims:
        return
    durations = " UNION ".join(
        f"SELECT {date}_duration, {date}_modifier FROM {table} WHERE {date}_anchor_id = $1"
        for table, date in _DATES
    )
    resolved = [_reckon(Relative(*row), issued) for row in run(session, durations, source_id)]
    document = json.dumps(resolved)
    if any("reason" in row for row in resolved):
        raise _conflict(session, source_id, document)
    touched = run(
        session,
        f"{_RESOLVED} UPDATE figures SET {_assigned('period', 'resolved', 'figures')},"
        " version = version + 1, updated_at = now() FROM resolved"
        f" WHERE {_fits('period', 'resolved', 'figures')}"
        f" AND {_differs('period', 'resolved', 'figures')} RETURNING claim_id",
        source_id,
        document,
    )
    run(
        session,
        f"{_RESOLVED} UPDATE claims SET {_assigned('time', 'times', 'claims')},"
        f" {_assigned('due', 'dues', 'claims')}, version = claims.version + 1, updated_at = now()"
        f" FROM claims AS before LEFT JOIN resolved AS times ON {_fits('time', 'times', 'before')}"
        f" LEFT JOIN resolved AS dues ON {_fits('due', 'dues', 'before')}"
        " WHERE claims.id = before.id AND before.id = ANY ($3) AND (before.id = ANY ($4)"
        f" OR {_differs('time', 'times', 'before')} OR {_differs('due', 'dues', 'before')})",
        source_id,
        document,
        claims,
        [row[0] for row in touched],
    )


def _lock_claims(session: Session, source_id: UUID) -> list[UUID]:
    found = run(
        session,
        "SELECT id FROM claims WHERE time_anchor_id = $1 OR due_anchor_id = $1"
        " OR id IN (SELECT claim_id FROM figures WHERE period_anchor_id = $1)"
        " ORDER BY id FOR NO KEY UPDATE",
        source_id,
    )
    return [row[0] for row in found]


def _reckon(relative: Relative, issued: Period | None) -> Mapping[str, str | None]:
    pair = {"duration": relative.duration, "modifier": relative.modifier}
    try:
        period = resolve(relative, issued)
    except Unresolvable as error:
        return {**pair, "reason": str(error)}
    return {**pair, "edtf": period.edtf, "days": days_literal(period)}


def _conflict(session: Session, source_id: UUID, document: str) -> Conflict:
    dated_so = " OR ".join(_fits(date, "resolved", table) for table, date in _DATES)
    found = run(
        session,
        f"{_RESOLVED} SELECT DISTINCT ON (claims.id) claims.id, claims.external_id, reason"
        " FROM claims LEFT JOIN figures ON claim_id = claims.id AND period_anchor_id = $1"
        f" JOIN resolved ON reason IS NOT NULL AND ({dated_so})"
        f" ORDER BY claims.id LIMIT {_SHOWN}",
        source_id,
        document,
    )
    return Conflict(
        "The source cannot have this date: claims are dated by it.",
        [
            Fault("unresolvable", f"The claim {f'{name} ({id})' if name else id}: {reason}")
            for id, name, reason in found
        ],
    )


def _fits(date: str, resolved: str, row: str) -> str:
    return (
        f"({row}.{date}_anchor_id = $1 AND {row}.{date}_duration = {resolved}.duration"
        f" AND {row}.{date}_modifier IS NOT DISTINCT FROM {resolved}.modifier)"
    )


def _differs(date: str, resolved: str, row: str) -> str:
    return f"({resolved}.edtf <> {row}.{date}_edtf OR {resolved}.days <> {row}.{date})"


def _assigned(date: str, resolved: str, table: str) -> str:
    return (
        f"{date}_edtf = coalesce({resolved}.edtf, {table}.{date}_edtf),"
        f" {date} = coalesce({resolved}.days, {table}.{date})"
    )
