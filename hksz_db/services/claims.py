"""Writing claims, with their links, figures and evidence."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services import evidence, figures
from hksz_db.services.dates import ANCHORED, settled
from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, create_whole

_SHAPE = Shape(
    {"claimant": "entities", "reported_by": "entities"},
    nested={
        "entities": Shape({"entity": "entities"}),
        "relations": Shape({"to": "claims"}),
        "figures": figures.SHAPE,
        "evidence": evidence.SHAPE,
        "time_relative": ANCHORED,
        "due_relative": ANCHORED,
    },
)


def create(session: Session, fields: Row) -> UUID:
    """Add a claim with its figures and evidence, all of it or nothing."""
    known = resolve(session, fields, _SHAPE)
    passages = fields.get("evidence", [])
    evidence.settle_captures(session, {f"#/evidence/{n}": p for n, p in enumerate(passages)})
    claim = {"id": known.new_id, **_columns(fields, known)}
    children = [*_children(fields), *_observations(fields, known)]
    create_whole(session, "claims", claim, children)
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a claim; a list that is given replaces the one that is there."""
    known = resolve(session, fields, _SHAPE)
    children = list(_children(fields))
    return change_whole(session, "claims", id, versions, _columns(fields, known), children)


def _columns(fields: Row, known: Resolved) -> Row:
    plain = chosen(
        fields,
        "external_id",
        "statement",
        "language",
        "claimant_id",
        "reported_by_id",
        "modality",
        "status",
        "time_as_stated",
    )
    return {**plain, **settled(fields, "time", known, "#"), **settled(fields, "due", known, "#")}


def _children(fields: Row) -> Iterator[Children]:
    if "topics" in fields:
        # A keyword given twice is given once.
        topics = [{"topic": topic} for topic in dict.fromkeys(fields["topics"])]
        yield Children("claim_topics", "claim_id", topics)
    if "entities" in fields:
        yield Children("claim_entities", "claim_id", fields["entities"])
    if "relations" in fields:
        yield Children("claim_relations", "from_id", fields["relations"])


def _observations(fields: Row, known: Resolved) -> Iterator[Children]:
    claim_id, modality = known.new_id, fields["modality"]
    numbers = [
        figures.row(figure, claim_id, modality, known, f"#/figures/{n}")
        for n, figure in enumerate(fields.get("figures", []))
    ]
    yield Children("figures", "claim_id", numbers)
    passages = [evidence.row(passage, claim_id) for passage in fields.get("evidence", [])]
    yield Children("evidence", "claim_id", passages)
