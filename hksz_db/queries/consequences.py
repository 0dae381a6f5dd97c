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

_SIDES = ("for", "against")
_STANDINGS = {"own": "own", "independent": "independent", "parties": "party"}
_ORIGINS = ("origins", *_STANDINGS)

_CLAIM = {
    "claims": "$1::uuid",
    "figures": "(SELECT claim_id FROM figures WHERE id = $1)",
    "evidence": "(SELECT claim_id FROM evidence WHERE id = $1)",
}
CONSEQUENTIAL = tuple(_CLAIM)
"""The resources whose writes have consequences for a claim."""

_WAITING = {
    # The function assumes one passage.
    "claims": "SELECT (array_agg(id))[1] AS id FROM evidence WHERE claim_id = $1"
    " AND status = 'submitted' AND stance <> 'mentions' AND deleted_at IS NULL HAVING count(*) = 1",
    "figures": "SELECT NULL::uuid AS id WHERE false",
    "evidence": "SELECT id FROM evidence WHERE id = $1 AND status = 'submitted'",
}
"""The passage that the write leaves waiting for review, if it is the only one."""


def consequences(session: Session, resource: str, id: UUID) -> bytes:
    """What the transaction's write of the row changes, in the form of ``ConsequencesSchema``."""
    ((claim_id, verdict, counts),) = fetch_in(session, _verdict_statement(resource), {"id": id})
    not_compared = b"null"
    if resource != "evidence":
        ((not_compared,),) = fetch_in(session, _not_compared_statement(resource), {"id": id})
    parts = (str(claim_id).encode(), verdict, counts, not_compared)
    return b'{"claim_id":"%b","verdict":%b,"counts":%b,"not_compared":%b}' % parts


@cache
def _verdict_statement(resource: str) -> Prepared:
    columns = ["verdict", *(f"{count}_{side}" for side in _SIDES for count in _ORIGINS)]
    # A transaction keeps the version that it found, and none between.
    sql = f"""
        SELECT counts.claim_id,
            json_build_object(
                'before', known.verdict, 'after', counts.verdict, 'if_accepted', assumed.verdict
            ),
            json_build_object(
                'before', {_sides("known")}, 'after', {_sides("counts")},
                'if_accepted', {_sides("assumed")}
            )
        FROM corroborations AS counts
            JOIN claims ON claims.id = counts.claim_id
            LEFT JOIN LATERAL (
                SELECT {", ".join(columns)} FROM past.corroborations AS was
                WHERE counts.written_in = current_transaction() AND was.claim_id = counts.claim_id
                    AND was.ended_in = current_transaction()
                UNION ALL
                SELECT {", ".join(f"counts.{column}" for column in columns)}
                WHERE counts.written_in IS DISTINCT FROM current_transaction()
            ) AS known ON true
            LEFT JOIN LATERAL (
                SELECT origins.*, corroboration_verdict(
                    claims.modality, own_for, independent_for, parties_for, origins_against
                ) AS verdict
                FROM (
                    SELECT {_counted("for", "in_favour")}, {_counted("against", "NOT in_favour")}
                    FROM ({_WAITING[resource]}) AS waiting
                        LEFT JOIN LATERAL weigh_evidence(claims.id, waiting.id) ON reason IS NULL
                    GROUP BY waiting.id
                ) AS origins
            ) AS assumed ON true
        WHERE counts.claim_id = {_CLAIM[resource]}
    """
    return Prepared(sql, ("id",), {})


def _counted(side: str, condition: str) -> str:
    """The columns with the counts of a side."""
    of_side = f"count(*) FILTER (WHERE {condition}"
    return ", ".join(
        [
            f"{of_side})::integer AS origins_{side}",
            *(
                f"{of_side} AND standing = '{standing}')::integer AS {count}_{side}"
                for count, standing in _STANDINGS.items()
            ),
        ]
    )


def _sides(row: str) -> str:
    """The counts of both sides of a row as JSON; null if there is no such row."""
    sides = (
        f"'{side}', json_build_object("
        + ", ".join(f"'{count}', {row}.{count}_{side}" for count in _ORIGINS)
        + ")"
        for side in _SIDES
    )
    return f"CASE WHEN {row}.verdict IS NOT NULL THEN json_build_object({', '.join(sides)}) END"


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
