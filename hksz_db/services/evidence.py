"""Writing evidence: which passage of which source bears on which claim."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.errors import Fault, Invalid
from hksz_db.services.dependants import lock_wholes
from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, absence, change, chosen, insert, touch

SHAPE = Shape({"claim": "claims", "source": "sources", "derived_from": "evidence"})
STORED = ("claim_id", "source_id", "status")
"""The columns on which a change rests."""

Captures = Mapping[tuple[UUID, str | UUID], UUID]
"""The ids of captures by source and hash, and by source and id."""

_CAPTURE = ("capture_text_sha256", "capture_id")
_PLAIN = (
    "external_id",
    "derived_from_id",
    "capture_id",
    "directness",
    "interest",
    "start_char",
    "end_char",
    "exact_sha256",
    "prefix_sha256",
    "suffix_sha256",
    "page",
    "note",
)


def create(session: Session, fields: Row) -> UUID:
    """Add evidence to a claim."""
    known = resolve(session, fields, SHAPE)
    settle_captures(session, {"#": fields})
    # The claim before what is counted of it: everybody locks in this order.
    touch(session, "claims", fields["claim_id"])
    insert(session, rows(fields, known.new_id, known))
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change what is said of a passage; its claim and its source stay."""
    lock_wholes(session, "evidence", id)
    sql = "SELECT claim_id, source_id FROM evidence WHERE id = $1 AND deleted_at IS NULL"
    found = run(session, sql, id)
    if not found:
        raise absence(session, "evidence", id)
    claim_id, source_id = found[0]
    known = resolve(session, fields, SHAPE)
    settle_captures(session, {"#": fields}, source_id)
    values, _ = changes(fields, {}, known)
    changed = change(session, "evidence", id, versions, values)
    if changed:
        touch(session, "claims", claim_id)
    return changed


def passages(fields: Row) -> Mapping[str, Row]:
    """The evidence by pointer, as ``settle_captures`` takes it."""
    return {"#": fields}


def rows(fields: Row, id: UUID, _known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The row of new evidence by table; its capture is settled."""
    return {"evidence": [{**row(fields, fields["claim_id"]), "id": id}]}


def changes(fields: Row, _before: Row, _known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives evidence, whose capture is settled."""
    return chosen(fields, *_PLAIN, "stance", "status"), []


def row(fields: Row, claim_id: UUID) -> Row:
    """The columns of new evidence."""
    return {
        **chosen(fields, "id"),
        "claim_id": claim_id,
        "source_id": fields["source_id"],
        "stance": fields["stance"],
        "status": fields.get("status", "submitted"),
        **{name: fields.get(name) for name in _PLAIN},
    }


def settle_captures(
    session: Session, items: Mapping[str, Row], source_id: UUID | None = None
) -> None:
    """Put the id of the capture in place of its hash, by pointer of each item.

    Raises ``Invalid`` where a source has no such capture. ``source_id`` is the source of items
    that do not name theirs.
    """
    for item in items.values() if source_id else ():
        item.setdefault("source_id", source_id)
    fill_captures(items, captures_for(session, items.values()))


def captures_for(session: Session, items: Iterable[Row]) -> Captures:
    """The captures of the sources of all items that name one."""
    wanted = [item for item in items if any(item.get(name) for name in _CAPTURE)]
    captures: dict[tuple[UUID, str | UUID], UUID] = {}
    if wanted:
        sources = list({item["source_id"] for item in wanted})
        sql = "SELECT source_id, text_sha256, id FROM source_captures WHERE source_id = ANY ($1)"
        for source, sha256, id in run(session, sql, sources):
            captures[source, sha256] = captures[source, id] = id
    return captures


def fill_captures(items: Mapping[str, Row], captures: Captures) -> None:
    """Settle the captures of items whose captures were looked up; raises ``Invalid`` likewise."""
    faults = []
    for pointer, item in items.items():
        given = next((name for name in _CAPTURE if item.get(name)), None)
        if given:
            key = (item["source_id"], item[given])
            if key not in captures:
                detail = f"The source has no capture {item[given]}."
                faults.append(Fault("not_found", detail, f"{pointer}/{given}"))
            item["capture_id"] = captures.get(key)
        elif "capture_text_sha256" in item:
            item["capture_id"] = None
        item.pop("capture_text_sha256", None)
    if faults:
        raise Invalid("The request refers to what does not exist.", faults)
