"""Writing claims, with their links, figures and evidence."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services import evidence, figures
from hksz_db.services.dates import ANCHORED, settled
from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, insert, owned

SHAPE = Shape(
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
STORED = ("status",)
"""The columns on which a change rests."""


def create(session: Session, fields: Row) -> UUID:
    """Add a claim with its figures and evidence, all of it or nothing."""
    known = resolve(session, fields, SHAPE)
    evidence.settle_captures(session, passages(fields))
    insert(session, rows(fields, known.new_id, known))
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a claim; a list that is given replaces the one that is there."""
    known = resolve(session, fields, SHAPE)
    return change_whole(session, "claims", id, versions, *changes(fields, {}, known))


def passages(fields: Row) -> Mapping[str, Row]:
    """The evidence that is given with a claim, by pointer."""
    return {f"#/evidence/{n}": passage for n, passage in enumerate(fields.get("evidence", []))}


def rows(fields: Row, id: UUID, known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The rows of a new claim by table; captures are settled."""
    claim = {"id": id, "status": "submitted", **_columns(fields, known)}
    numbers = [
        figures.row(figure, id, fields["modality"], known, f"#/figures/{n}")
        for n, figure in enumerate(fields.get("figures", []))
    ]
    return {
        "claims": [claim],
        **owned(id, _children(fields)),
        "figures": numbers,
        "evidence": [evidence.row(passage, id) for passage in fields.get("evidence", [])],
    }


def changes(fields: Row, _before: Row, known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives a claim: its columns and its lists."""
    return _columns(fields, known), list(_children(fields))


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
