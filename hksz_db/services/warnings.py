"""Doubts about rows that have been written.

New claims are judged as they are written, without a statement of their own; other rows are read
once more.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.errors import Fault
from hksz_db.domain.vocabulary import (
    Dimension,
    Modality,
    Stance,
    WarningCode,
)
from hksz_db.domain.warnings import (
    WrittenClaim,
    WrittenFigure,
    of_claim,
    of_evidence,
    of_figure,
)
from hksz_db.services.figures import STATED, statement_of
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Row

WARNED = ("sources", "claims", "figures", "evidence")
"""The resources whose rows are warned about."""

_MAX_NAMED = 20
_FIGURE = (*STATED, "unit_code", "unit_factor", "modality", "period_edtf")
_CLAIM = ("statement", "modality", "time_edtf", "due_edtf")
_FIGURES = f"""
    SELECT figures.id, {", ".join(f"figures.{name}" for name in _FIGURE)}, figures.dimension,
        metrics.measure
    FROM figures JOIN metrics ON metrics.id = figures.metric_id WHERE figures.id = ANY ($1)
"""
_CLAIMS = f"""
    SELECT id, {", ".join(_CLAIM)},
        ARRAY(SELECT as_stated FROM figures WHERE claim_id = claims.id AND deleted_at IS NULL)
    FROM claims WHERE id = ANY ($1)
"""
_PASSAGES = """
    SELECT evidence.id, claims.id, sources.id, claims.statement, claims.modality, claims.time_edtf,
        claims.due_edtf, stance, sources.issued_edtf
    FROM evidence JOIN claims ON claims.id = claim_id JOIN sources ON sources.id = source_id
    WHERE claims.deleted_at IS NULL AND evidence.deleted_at IS NULL
"""
# An index finds the passages; few of them are about another time than their source.
_OUT_OF_TIME = f"""
    AND (claims.modality = 'actual' AND claims.time >> sources.issued
        OR claims.modality = 'planned' AND claims.due << sources.issued)
    ORDER BY evidence.id LIMIT {_MAX_NAMED}
"""


def of_new(rows: Mapping[str, Sequence[Row]], known: Resolved) -> list[Fault]:
    """The warnings about a new claim with its parts, or about a new figure.

    ``rows`` are the rows that are inserted, by table. The pointers lead into the body.
    """
    today = datetime.now(UTC).date()
    found: list[Fault] = []
    claims, figures = rows.get("claims", ()), rows.get("figures", ())
    for number, row in enumerate(figures):
        measure = known.rows["metrics"][row["metric_id"]]["measure"]
        place = f"#/figures/{number}" if claims else "#"
        found += _within(place, of_figure(_figure(row, row["dimension"], measure), today))
    for row in claims:
        claim = _claim(row)
        found += of_claim(claim, [figure["as_stated"] for figure in figures], today)
        for number, passage in enumerate(rows.get("evidence", ())):
            issued = _period(known.rows["sources"][passage["source_id"]]["issued_edtf"])
            faults = of_evidence(claim, Stance(passage["stance"]), issued)
            found += _within(f"#/evidence/{number}", faults)
    return found


def of_stored(session: Session, table: str, ids: Collection[UUID]) -> dict[UUID, list[Fault]]:
    """The warnings about rows as they are stored, by id; those without any are left out."""
    read = {"figures": _of_figures, "claims": _of_claims, "evidence": _of_evidence}.get(table)
    if read is None or not ids:
        return {}
    found: dict[UUID, list[Fault]] = defaultdict(list)
    for id, fault in read(session, ids):
        found[id].append(fault)
    return found


def of_redated(session: Session, source_ids: Collection[UUID]) -> dict[UUID, list[Fault]]:
    """The warnings about sources that have been given another date, by id."""
    found: dict[UUID, list[Fault]] = defaultdict(list)
    for passage in _passages(session, f"sources.id = ANY ($1){_OUT_OF_TIME}", source_ids):
        fault = _seen_from(passage.fault, "issued_edtf", f"the claim {passage.claim_id}")
        found[passage.source_id].append(fault)
    return found


def _of_figures(session: Session, ids: Collection[UUID]) -> Iterator[tuple[UUID, Fault]]:
    today = datetime.now(UTC).date()
    for id, *values, dimension, measure in run(session, _FIGURES, list(ids)):
        row = dict(zip(_FIGURE, values, strict=True))
        for fault in of_figure(_figure(row, dimension, measure), today):
            yield id, fault


def _of_claims(session: Session, ids: Collection[UUID]) -> Iterator[tuple[UUID, Fault]]:
    today = datetime.now(UTC).date()
    for id, *values, words in run(session, _CLAIMS, list(ids)):
        claim = _claim(dict(zip(_CLAIM, values, strict=True)))
        for fault in of_claim(claim, words, today):
            yield id, fault
    for passage in _passages(session, f"claims.id = ANY ($1){_OUT_OF_TIME}", ids):
        is_due = passage.fault.code == WarningCode.DUE_BEFORE_SOURCE
        date = "due_edtf" if is_due else "time_edtf"
        fault = _seen_from(passage.fault, date, f"the evidence {passage.evidence_id}")
        yield passage.claim_id, fault


def _of_evidence(session: Session, ids: Collection[UUID]) -> Iterator[tuple[UUID, Fault]]:
    for passage in _passages(session, "evidence.id = ANY ($1)", ids):
        yield passage.evidence_id, passage.fault


class _Passage(NamedTuple):
    evidence_id: UUID
    claim_id: UUID
    source_id: UUID
    fault: Fault


def _passages(session: Session, condition: str, ids: Collection[UUID]) -> Iterator[_Passage]:
    """The warnings about the evidence that a condition selects."""
    for evidence, claim_id, source, *values, stance, issued in run(
        session, f"{_PASSAGES} AND {condition}", list(ids)
    ):
        claim = _claim(dict(zip(_CLAIM, values, strict=True)))
        for fault in of_evidence(claim, Stance(stance), _period(issued)):
            yield _Passage(evidence, claim_id, source, fault)


def _seen_from(fault: Fault, field: str, row: str) -> Fault:
    return replace(fault, pointer=f"#/{field}", detail=f"{fault.detail} This concerns {row}.")


def _figure(row: Row, dimension: str, measure: str) -> WrittenFigure:
    return WrittenFigure(
        statement_of(row, measure),
        Dimension(dimension),
        row["unit_code"],
        row["unit_factor"],
        Modality(row["modality"]),
        _period(row.get("period_edtf")),
    )


def _claim(row: Row) -> WrittenClaim:
    return WrittenClaim(
        row["statement"],
        Modality(row["modality"]),
        _period(row.get("time_edtf")),
        _period(row.get("due_edtf")),
    )


def _period(edtf: str | None) -> Period | None:
    try:
        return parse(edtf) if edtf else None
    except InvalidDate:
        # Written directly to the database, which only checks the days.
        return None


def _within(place: str, faults: Sequence[Fault]) -> list[Fault]:
    return [fault.within(place) for fault in faults]
