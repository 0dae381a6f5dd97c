"""Dates relative to the date of a source: computed, and computed again when that date changes."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.chronology import Period, parse
from hksz_db.domain.errors import Conflict, Fault, Invalid
from hksz_db.domain.relative_dates import Relative, Unresolvable, resolve
from hksz_db.models import Base
from hksz_db.queries.filters import days_literal
from hksz_db.services.references import Resolved, Shape
from hksz_db.services.rows import BUMP, Row

ANCHORED = Shape({"anchor": "sources"}, held=("anchor",))
"""A relative date refers to its anchor, the source to whose date it is relative."""
ORIGIN = ("anchor_id", "duration", "modifier")
"""The parts of a relative date; the name of each column begins with the name of the date."""

_MAX_NAMED = 10
_DATES = [
    (table.name, column.name.removesuffix("_anchor_id"))
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if column.name.endswith("_anchor_id")
]
_PARTS = [(table, date) for table, date in _DATES if table != "claims"]
if sorted(date for table, date in _DATES if table == "claims") != ["due", "time"]:
    raise TypeError(f"recompute_relative_dates does not know all of {_DATES}.")
_ANCHORS_OF_PARTS = "".join(
    f" || ARRAY(SELECT {date}_anchor_id FROM {table} WHERE claim_id = claims.id)"
    for table, date in _PARTS
)
# Each is looked up by its index. With OR in place of UNION, all claims would be read.
_DATED = "".join(
    f" UNION SELECT {'id' if table == 'claims' else 'claim_id'} FROM {table}"
    f" WHERE {date}_anchor_id = ANY ($1)"
    for table, date in _DATES
)
DEPENDENT_CLAIMS = (
    f"SELECT id, ARRAY[time_anchor_id, due_anchor_id]{_ANCHORS_OF_PARTS} FROM claims"
    f" WHERE id = ANY (ARRAY(SELECT id FROM claims WHERE external_id = ANY ($2){_DATED}))"
    " ORDER BY id FOR NO KEY UPDATE"
)
"""Locks the claims with dates relative to the sources ``$1``, or with the external ids ``$2``.

The rows are ``(id, anchors)``, with the anchors of all their dates.
"""
_RESOLVED = (
    "WITH resolved AS (SELECT * FROM json_to_recordset($2::json)"
    " AS _(duration text, modifier text, edtf text, days daterange, reason text))"
)


def date_columns(
    fields: Row, name: str, known: Resolved, pointer: str, *, may_be_relative: bool
) -> Row:
    """The columns of a date, if the fields give it.

    ``name_relative`` is computed from its anchor; ``name_edtf`` is absolute and clears the columns
    of a relative date. Raises ``Invalid`` if no date follows from that of the anchor.
    """
    if f"{name}_edtf" not in fields and f"{name}_relative" not in fields:
        return {}
    period: Period | None = fields.get(f"{name}_edtf")
    columns = dict.fromkeys(f"{name}_{part}" for part in ORIGIN if may_be_relative)
    if relative := fields.get(f"{name}_relative"):
        anchor = known.rows["sources"][relative["anchor_id"]]["issued_edtf"]
        try:
            given = Relative(relative["duration"], relative.get("modifier"))
            period = resolve(given, parse(anchor) if anchor else None)
        except Unresolvable as error:
            fault = Fault("unresolvable", str(error), f"{pointer}/{name}_relative")
            raise Invalid("A relative date cannot be computed.", [fault]) from None
        columns |= {f"{name}_{part}": relative.get(part) for part in ORIGIN}
    days = period and days_literal(period)
    return {f"{name}_edtf": period and period.edtf, name: days, **columns}


def lock_dependent_claims(
    session: Session, source_ids: Collection[UUID], named: Sequence[str] = ()
) -> dict[UUID, list[UUID]]:
    """Lock the claims, deleted ones too, with dates relative to the sources; their ids by source.

    The caller has locked the sources, so no date becomes relative to them meanwhile. The claims
    with the external ids ``named`` are locked as well, because all are locked in one order.
    """
    found = run(session, DEPENDENT_CLAIMS, list(source_ids), list(named))
    claims = defaultdict(list)
    for id, anchors in found:
        for source_id in {*anchors} & {*source_ids}:
            claims[source_id].append(id)
    return claims


def recompute_relative_dates(
    session: Session, source_id: UUID, issued: Period | None, claims: Sequence[UUID]
) -> None:
    """Compute anew the dates of the locked claims that are relative to a source.

    ``issued`` is its new date. Raises ``Conflict``, naming claims, if one of the dates cannot be
    computed any more.
    """
    durations = " UNION ".join(
        f"SELECT {date}_duration, {date}_modifier FROM {table} WHERE {date}_anchor_id = $1"
        for table, date in _DATES
    )
    resolved = [_compute(Relative(*row), issued) for row in run(session, durations, source_id)]
    document = json.dumps(resolved)
    if any("reason" in row for row in resolved):
        raise _conflict(session, source_id, document)
    changed = [
        row[0]
        for table, date in _PARTS
        for row in run(
            session,
            f"{_RESOLVED} UPDATE {table} SET {_assignments(date, 'resolved', table)}, {BUMP}"
            f" FROM resolved WHERE {_matches(date, 'resolved', table)}"
            f" AND {_differs(date, 'resolved', table)} RETURNING claim_id",
            source_id,
            document,
        )
    ]
    run(
        session,
        f"{_RESOLVED} UPDATE claims SET {_assignments('time', 'times', 'claims')},"
        f" {_assignments('due', 'dues', 'claims')}, version = claims.version + 1,"
        " updated_at = now() FROM claims AS before"
        f" LEFT JOIN resolved AS times ON {_matches('time', 'times', 'before')}"
        f" LEFT JOIN resolved AS dues ON {_matches('due', 'dues', 'before')}"
        " WHERE claims.id = before.id AND before.id = ANY ($3) AND (before.id = ANY ($4)"
        f" OR {_differs('time', 'times', 'before')} OR {_differs('due', 'dues', 'before')})",
        source_id,
        document,
        list(claims),
        changed,
    )


def _compute(relative: Relative, issued: Period | None) -> Mapping[str, str | None]:
    pair = {"duration": relative.duration, "modifier": relative.modifier}
    try:
        period = resolve(relative, issued)
    except Unresolvable as error:
        return {**pair, "reason": str(error)}
    return {**pair, "edtf": period.edtf, "days": days_literal(period)}


def _conflict(session: Session, source_id: UUID, document: str) -> Conflict:
    matches = " OR ".join(_matches(date, "resolved", table) for table, date in _DATES)
    parts = "".join(
        f" LEFT JOIN {table} ON {table}.claim_id = claims.id AND {date}_anchor_id = $1"
        for table, date in _PARTS
    )
    found = run(
        session,
        f"{_RESOLVED} SELECT DISTINCT ON (claims.id) claims.id, claims.external_id, reason"
        f" FROM claims{parts} JOIN resolved ON reason IS NOT NULL AND ({matches})"
        f" ORDER BY claims.id LIMIT {_MAX_NAMED}",
        source_id,
        document,
    )
    return Conflict(
        "The source cannot have this date: dates of claims are relative to it.",
        [
            Fault("unresolvable", f"The claim {f'{name} ({id})' if name else id}: {reason}")
            for id, name, reason in found
        ],
    )


def _matches(date: str, resolved: str, row: str) -> str:
    return (
        f"({row}.{date}_anchor_id = $1 AND {row}.{date}_duration = {resolved}.duration"
        f" AND {row}.{date}_modifier IS NOT DISTINCT FROM {resolved}.modifier)"
    )


def _differs(date: str, resolved: str, row: str) -> str:
    return f"({resolved}.edtf <> {row}.{date}_edtf OR {resolved}.days <> {row}.{date})"


def _assignments(date: str, resolved: str, table: str) -> str:
    return (
        f"{date}_edtf = coalesce({resolved}.edtf, {table}.{date}_edtf),"
        f" {date} = coalesce({resolved}.days, {table}.{date})"
    )
