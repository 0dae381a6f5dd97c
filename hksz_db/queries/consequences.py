"""The consequences of a write for its claim, read in the transaction that has written it."""

from functools import cache
from uuid import UUID

from sqlalchemy import Uuid, bindparam, or_, select

from hksz_db.database import Prepared, Session, fetch_in
from hksz_db.queries.comparison_pages import counted_reasons
from hksz_db.queries.comparisons import pair_with, related, together

MAX_PAIRS = 100
"""The limit on the pairs of figures that are counted, because the rows that were written are locked
meanwhile."""

_CLAIM = {
    "claims": "$1::uuid",
    "figures": "(SELECT claim_id FROM figures WHERE id = $1)",
    "evidence": "(SELECT claim_id FROM evidence WHERE id = $1)",
}
CONSEQUENTIAL = tuple(_CLAIM)
"""The resources whose writes have consequences for a claim."""

_IF_ACCEPTED = {
    # The function assumes one passage.
    "claims": "SELECT CASE count(*) WHEN 1 THEN verdict_if_accepted((array_agg(id))[1]) END"
    " FROM evidence WHERE claim_id = $1 AND status = 'submitted' AND stance <> 'mentions'"
    " AND deleted_at IS NULL",
    "figures": "SELECT NULL::text",
    "evidence": "SELECT verdict_if_accepted(id) FROM evidence"
    " WHERE id = $1 AND status = 'submitted'",
}


def consequences(session: Session, resource: str, id: UUID) -> bytes:
    """What the transaction's write of the row changes, in the form of ``ConsequencesSchema``."""
    ((claim_id, verdict),) = fetch_in(session, _verdict_statement(resource), {"id": id})
    not_compared = b"null"
    if resource != "evidence":
        ((not_compared,),) = fetch_in(session, _not_compared_statement(resource), {"id": id})
    parts = (str(claim_id).encode(), verdict, not_compared)
    return b'{"claim_id":"%b","verdict":%b,"not_compared":%b}' % parts


@cache
def _verdict_statement(resource: str) -> Prepared:
    # A transaction keeps the version that it found, and none between.
    sql = f"""
        SELECT counts.claim_id, (SELECT row_to_json(shown) FROM (SELECT
            CASE WHEN counts.written_in = current_transaction() THEN (
                SELECT was.verdict FROM past.corroborations AS was
                WHERE was.claim_id = counts.claim_id AND was.ended_in = current_transaction()
            ) ELSE counts.verdict END AS before,
            counts.verdict AS after,
            ({_IF_ACCEPTED[resource]}) AS if_accepted
        ) AS shown)
        FROM corroborations AS counts WHERE counts.claim_id = {_CLAIM[resource]}
    """
    return Prepared(sql, ("id",), {})


@cache
def _not_compared_statement(resource: str) -> Prepared:
    """Counts the pairs of the figure ``:id``, or of the figures of the claim ``:id``."""
    pair = pair_with()
    a, b = pair.figure.c, pair.other.c
    column, other = (a.id, b.id) if resource == "figures" else (a.claim_id, b.claim_id)
    pairs = select(a.id).select_from(together(pair, on=related(pair)))
    chosen = pairs.where(
        column == bindparam("id", type_=Uuid()),
        column != other if resource == "figures" else or_(column != other, a.id < b.id),
    )
    return counted_reasons(chosen, pair, MAX_PAIRS)
