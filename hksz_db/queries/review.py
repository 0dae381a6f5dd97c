"""The queue of reviews: the submitted claims and evidence, and what accepting each would change.

The queue has a section for each ``ReviewReason``. A page scans a section in the order of waiting,
from an index, and goes on with the next section if it is not full. It ends after ``_SCANNED`` rows
of a section even if it is not full, so that its cost does not grow with the queue.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    FromClause,
    Select,
    Subquery,
    Text,
    and_,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
)

from hksz_db.database import Database, Prepared, prepare
from hksz_db.domain.vocabulary import ClaimStatus, ReviewReason
from hksz_db.models import Claim, Corroboration, Evidence, Submission, table_of
from hksz_db.queries.claims import SIMILAR_CLAIMS
from hksz_db.queries.comparisons import comparison_fields, contradictions
from hksz_db.queries.derivation import document
from hksz_db.queries.documents import (
    First,
    Group,
    Json,
    Node,
    One,
    SqlValue,
    columns,
    number,
    term,
    timestamp,
)
from hksz_db.queries.filters import Condition
from hksz_db.queries.keysets import Key, Keyset, gathered, numbered, page_of
from schemas.review import SubmittedClaimSchema, SubmittedEvidenceSchema

MAX_CONTRADICTIONS = 20
"""How many contradictions an entry lists at most."""

# A search for duplicates costs a hundred times as much as one for contradictions.
_SCANNED: Mapping[ReviewReason, int] = {
    ReviewReason.CONTRADICTS: 500,
    ReviewReason.LIKELY_DUPLICATE: 200,
    ReviewReason.AGE: 1_000,
}
_SECTIONS = tuple(ReviewReason)
STANDING = (ClaimStatus.SUBMITTED, ClaimStatus.ACCEPTED)
"""The statuses of claims of which another claim can be a duplicate."""

_claims = table_of(Claim)
_submissions = table_of(Submission)

KEYSET = Keyset(
    (
        Key(literal_column("section", Text())),
        Key(_submissions.c.submitted_at, nullable=True),
        Key(_submissions.c.id, nullable=True),
    ),
)
"""The keys of a cursor: the section, and the row after which it continues."""


class QueuePage(NamedTuple):
    """The entries of a page, separated by commas, and the keys of its cursor: a JSON array."""

    items: bytes
    keys: bytes | None


def read_queue(database: Database, per_page: int, after: Sequence[str | None] | None) -> QueuePage:
    """A page of the queue; ``after`` are the keys of the cursor of the page before."""
    found: list[bytes] = []
    section, *keys = after or (None, None, None)
    first = ReviewReason(section) if section else _SECTIONS[0]
    for reason in _SECTIONS[_SECTIONS.index(first) :]:
        is_continued = reason == section and keys[0] is not None
        values: dict[str, object] = {"rows": per_page + 1}
        if is_continued:
            values |= {"c0": keys[0], "c1": keys[1]}
        statement = _statement(reason, is_continued)
        ((items, last, count, _),) = database.read(statement, values)
        if count and not per_page:
            # The page is full, and the section has rows.
            return _page(found, [reason, None, None])
        found += [items] if items else []
        if last is not None:
            return _page(found, [reason, *json.loads(last)])
        per_page -= count
    return _page(found, None)


def _page(found: Sequence[bytes], keys: Sequence[str | None] | None) -> QueuePage:
    return QueuePage(b",".join(found), None if keys is None else json.dumps(keys).encode())


@lru_cache(maxsize=8)
def _statement(reason: ReviewReason, is_continued: bool) -> Prepared:
    """A page of a section, as ``keysets.gathered`` gives it; ``ranked`` is its number of rows.

    If the scan ended before the page was full, the cursor continues after the last row scanned.
    Binds ``:rows`` (one more than a page holds) and the cursor's keys ``:c0`` and ``:c1``.
    """
    scanned = _scanned(reason, is_continued, "scanned")
    keyset = _keyset(scanned)
    rows = select(scanned.c.id).where(_belongs(reason, scanned))
    found = page_of(rows, keyset, None)
    submission = table_of(Submission).alias()
    evidence = table_of(Evidence).alias()
    joined = (
        found.join(submission, submission.c.id == found.c.s1)
        .outerjoin(_claims, _claims.c.id == submission.c.id)
        .outerjoin(evidence, evidence.c.id == submission.c.id)
    )
    body = _entry(reason, submission, evidence)
    every = _scanned(reason, is_continued, "every")
    end = (
        select(_keyset(every).cursor())
        .order_by(*_keyset(every).order_by())
        .offset(number(_SCANNED[reason] - 1))
        .limit(number(1))
        .scalar_subquery()
    )
    page = numbered(found, keyset, joined, body)
    return prepare(gathered(page, ranked=func.count(), elsewhere=end))


def _keyset(rows: FromClause) -> Keyset:
    return Keyset((Key(rows.c.submitted_at), Key(rows.c.id)))


def _scanned(reason: ReviewReason, is_continued: bool, name: str) -> Subquery:
    """The rows that one page scans, in the order of an index."""
    submissions = table_of(Submission).alias()
    keyset = _keyset(submissions)
    rows = select(submissions).order_by(*keyset.order_by()).limit(number(_SCANNED[reason]))
    match reason:
        case ReviewReason.CONTRADICTS:
            rows = rows.where(submissions.c.resource == term("claims"))
        case ReviewReason.LIKELY_DUPLICATE:
            rows = rows.where(submissions.c.likely_same.is_not(False))
    if is_continued:
        rows = rows.where(keyset.after((True, True)))
    return rows.subquery(name)


def _belongs(reason: ReviewReason, submissions: FromClause) -> Condition:
    """Whether a scanned row belongs to the section."""
    is_claim = submissions.c.resource == term("claims")
    contradicts = and_(is_claim, _contradicts(submissions.c.id))
    # What was found once is searched again: the other claim may have been changed since.
    duplicates = and_(submissions.c.likely_same.is_not(False), _has_duplicate(submissions.c.id))
    match reason:
        case ReviewReason.CONTRADICTS:
            return contradicts
        case ReviewReason.LIKELY_DUPLICATE:
            return and_(not_(contradicts), duplicates)
        case ReviewReason.AGE:
            return not_(or_(contradicts, duplicates))


def _contradicts(claim_id: SqlValue) -> Condition:
    pair, rows, condition = contradictions()
    found = select(pair.figure.c.id).select_from(rows)
    return _fenced(found.where(pair.figure.c.claim_id == claim_id, condition))


def _has_duplicate(claim_id: SqlValue) -> Condition:
    # The search reads the claim that the query around it calls "claims".
    found = select(SIMILAR_CLAIMS.table.c.id).where(_is_duplicate()).exists()
    return _fenced(select(_claims.c.id).where(_claims.c.id == claim_id, found))


def _is_duplicate() -> Condition:
    found = SIMILAR_CLAIMS.table.c
    return and_(found.likely_same, found.status.in_([term(status) for status in STANDING]))


def _fenced(rows: Select[UUID]) -> Condition:
    # OFFSET keeps the planner from joining instead of asking row by row, until the page is full.
    return rows.offset(number(0)).exists()


def _entry(reason: ReviewReason, submission: FromClause, evidence: FromClause) -> SqlValue:
    claim, passage = table_of(Claim).alias(), table_of(Evidence).alias()
    counts = table_of(Corroboration).alias()
    claim_id = func.coalesce(evidence.c.claim_id, submission.c.id)
    fields: dict[str, Node] = {
        "kind": case((evidence.c.id.is_(None), term("claim")), else_=term("evidence")),
        "reason": term(reason),
        "submitted_at": timestamp(submission.c.submitted_at),
        "claim": One(claim, claim.c.id == claim_id, document(claim, SubmittedClaimSchema)),
        "evidence": One(
            passage, passage.c.id == submission.c.id, document(passage, SubmittedEvidenceSchema)
        ),
        "effect": Group(
            {
                "verdict": One(
                    counts,
                    counts.c.claim_id == evidence.c.claim_id,
                    {
                        "now": counts.c.verdict,
                        "after": func.verdict_if_accepted(evidence.c.id, type_=Text()),
                    },
                ),
                "contradictions": _listed_contradictions(submission),
                "duplicates": replace(SIMILAR_CLAIMS, on=_is_duplicate()),
            }
        ),
    }
    row = select(*columns(fields)).correlate_except(None).subquery("d")
    return select(func.row_to_json(row.table_valued(), type_=Json())).scalar_subquery()


def _listed_contradictions(submission: FromClause) -> First:
    pair, rows, condition = contradictions()
    return First(
        rows,
        and_(pair.figure.c.claim_id == submission.c.id, condition),
        comparison_fields(pair),
        order_by=(pair.figure.c.id, pair.other.c.id),
        limit=MAX_CONTRADICTIONS,
    )
