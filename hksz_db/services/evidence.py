"""Writing evidence: which passage of which source bears on which claim."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.errors import Fault, Invalid
from hksz_db.services.dependants import lock_wholes
from hksz_db.services.references import Shape, resolve
from hksz_db.services.rows import Row, absence, change, chosen, insert, touch

SHAPE = Shape({"claim": "claims", "source": "sources", "derived_from": "evidence"})
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
    claim_id = fields["claim_id"]
    # The claim before what is counted of it: everybody locks in this order.
    touch(session, "claims", claim_id)
    insert(session, {"evidence": [{"id": known.new_id, **row(fields, claim_id)}]})
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change what is said of a passage; its claim and its source stay."""
    lock_wholes(session, "evidence", id)
    sql = "SELECT claim_id, source_id FROM evidence WHERE id = $1 AND deleted_at IS NULL"
    found = run(session, sql, id)
    if not found:
        raise absence(session, "evidence", id)
    claim_id, source_id = found[0]
    resolve(session, fields, SHAPE)
    settle_captures(session, {"#": fields}, source_id)
    values = chosen(fields, *_PLAIN, "stance", "status")
    changed = change(session, "evidence", id, versions, values)
    if changed:
        touch(session, "claims", claim_id)
    return changed


def row(fields: Row, claim_id: UUID) -> Row:
    """The columns of new evidence."""
    return {
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
    wanted = {
        pointer: item
        for pointer, item in items.items()
        if item.get("capture_text_sha256") or item.get("capture_id")
    }
    captures: dict[tuple[Any, Any], UUID] = {}
    if wanted:
        sources = [item.get("source_id", source_id) for item in wanted.values()]
        sql = "SELECT source_id, text_sha256, id FROM source_captures WHERE source_id = ANY ($1)"
        for source, sha256, id in run(session, sql, sources):
            captures[source, sha256] = captures[source, id] = id
    faults = []
    for pointer, item in items.items():
        given = next((n for n in ("capture_text_sha256", "capture_id") if item.get(n)), None)
        if given:
            key = (item.get("source_id", source_id), item[given])
            if key not in captures:
                detail = f"The source has no capture {item[given]}."
                faults.append(Fault("not_found", detail, f"{pointer}/{given}"))
            item["capture_id"] = captures.get(key)
        elif "capture_text_sha256" in item:
            item["capture_id"] = None
        item.pop("capture_text_sha256", None)
    if faults:
        raise Invalid("The request refers to what does not exist.", faults)
