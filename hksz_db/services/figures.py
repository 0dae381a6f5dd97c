"""Writing figures: what is stated is stored, and what it means is worked out."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.errors import Fault, Invalid
from hksz_db.quantities import InvalidFigure, read
from hksz_db.services.dates import ANCHORED, settled
from hksz_db.services.dependants import lock_wholes
from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import (
    Children,
    Row,
    absence,
    change,
    chosen,
    insert,
    range_literal,
    touch,
)
from hksz_db.vocabulary import Comparator

SHAPE = Shape(
    {"claim": "claims", "metric": "metrics", "subject": "entities"},
    unit_code=True,
    nested={"period_relative": ANCHORED},
)
_MEASURED = ("metric_id", "unit_code", "comparator", "amount", "lower_bound", "upper_bound")
STORED = ("claim_id", *_MEASURED)
"""The columns on which a change rests."""


def create(session: Session, fields: Row) -> UUID:
    """Add a figure to a claim."""
    known = resolve(session, fields, SHAPE)
    insert(session, rows(fields, known.new_id, known))
    touch(session, "claims", fields["claim_id"])
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a figure; what it means is worked out anew."""
    # Entities and anchors before claims: so locks who merges entities or corrects a date.
    given = resolve(session, fields, SHAPE)
    lock_wholes(session, "figures", id)
    before = _measured(session, id)
    # What is not given is looked up all the same: the new meaning depends on it too.
    kept = resolve(session, chosen({**before, **fields}, "metric_id", "unit_code"), SHAPE)
    values, _ = changes(fields, before, given.joined(kept))
    changed = change(session, "figures", id, versions, values)
    if changed:
        touch(session, "claims", before["claim_id"])
    return changed


def rows(fields: Row, id: UUID, known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The row of a new figure by table."""
    claim_id = fields["claim_id"]
    modality = known.rows["claims"][claim_id]["modality"]
    return {"figures": [{**row(fields, claim_id, modality, known, "#"), "id": id}]}


def changes(fields: Row, before: Row, known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives a figure, whose ``STORED`` columns are known."""
    measured = {**chosen(before, *_MEASURED), **chosen(fields, *_MEASURED)}
    plain = chosen(fields, "external_id", "subject_id", "as_stated", "modality")
    plain |= chosen(fields, "period_as_stated") | settled(fields, "period", known, "#")
    return {**plain, **measured, **_meaning(measured, known, "#")}, []


def row(fields: Row, claim_id: UUID, modality: str, known: Resolved, pointer: str) -> Row:
    """The columns of a new figure; ``modality`` is its claim's."""
    stated = {name: fields.get(name) for name in ("amount", "lower_bound", "upper_bound")}
    plain = chosen(fields, "metric_id", "subject_id", "as_stated", "comparator", "unit_code")
    return {
        **chosen(fields, "id"),
        "claim_id": claim_id,
        "external_id": fields.get("external_id"),
        **plain,
        **stated,
        "modality": fields.get("modality", modality),
        "period_as_stated": fields.get("period_as_stated"),
        **settled({"period_edtf": None, **fields}, "period", known, pointer),
        **_meaning({**plain, **stated}, known, pointer),
    }


def _meaning(stated: Row, known: Resolved, pointer: str) -> Row:
    metric = known.rows["metrics"][stated["metric_id"]]
    unit = known.rows["units"][stated["unit_code"]]
    if metric["dimension"] != unit["dimension"]:
        detail = f"The metric measures {metric['dimension']}, the unit {unit['dimension']}."
        fault = Fault("dimension", detail, f"{pointer}/unit_code")
        raise Invalid("The unit does not fit the metric.", [fault])
    try:
        reading = read(
            Comparator(stated["comparator"]),
            stated["amount"],
            stated["lower_bound"],
            stated["upper_bound"],
            nonnegative=metric["nonnegative"],
        )
    except InvalidFigure as error:
        fault = Fault("figure", str(error), f"{pointer}/{error.field}")
        raise Invalid("The parts of the figure do not fit each other.", [fault]) from None
    factor = Decimal(str(unit["factor"]))
    reading = reading.scaled(factor)
    return {
        "dimension": metric["dimension"],
        "nonnegative": metric["nonnegative"],
        "unit_factor": factor,
        "value_range": range_literal(reading.value),
        "plausible_range": range_literal(reading.plausible),
        "range_rule": reading.rule,
    }


def _measured(session: Session, id: UUID) -> dict[str, Any]:
    found = run(
        session,
        f"SELECT {', '.join(STORED)} FROM figures WHERE id = $1 AND deleted_at IS NULL FOR UPDATE",
        id,
    )
    if not found:
        raise absence(session, "figures", id)
    return dict(zip(STORED, found[0], strict=True))
