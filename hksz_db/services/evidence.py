"""Writing evidence: which passage of which source bears on which claim."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.models import Evidence
from hksz_db.services.dependants import lock_wholes
from hksz_db.services.references import resolve
from hksz_db.services.rows import Row, change, stored, touch
from hksz_db.services.writers import Writer
from schemas.evidence import EvidenceCreateSchema, EvidencePatchSchema

Captures = Mapping[tuple[UUID, str | UUID], UUID]
"""The ids of captures by source and hash, and by source and id."""

_CAPTURE = ("capture_text_sha256", "capture_id")


class _Evidence(Writer):
    def prepare(self, session: Session, fields: Row) -> None:
        """Settle the capture, and lock the claim before what is counted of it."""
        settle_captures(session, self.passages(fields))
        # Everybody locks in this order.
        touch(session, "claims", fields["claim_id"])

    def update(
        self, session: Session, id: UUID, versions: Sequence[int] | None, fields: Row
    ) -> bool:
        """Change what is said of a passage; its claim and its source stay."""
        lock_wholes(session, "evidence", id)
        before = stored(session, "evidence", id, self.stored)
        known = resolve(session, fields, self.shape)
        settle_captures(session, self.passages(fields), before["source_id"])
        values, _ = self.changes(fields, before, known)
        changed = change(session, "evidence", id, versions, values)
        if changed:
            touch(session, "claims", before["claim_id"])
        return changed

    def passages(self, fields: Row) -> Mapping[str, Row]:
        """The evidence itself."""
        return {"#": fields}


EVIDENCE = _Evidence(
    model=Evidence,
    create_schema=EvidenceCreateSchema,
    patch_schema=EvidencePatchSchema,
    defaults={"status": "submitted"},
    replaced=("capture_text_sha256",),
    rests_on=("status",),
)
create, update = EVIDENCE.create, EVIDENCE.update


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
            elif item.get("capture_id") not in {None, captures[key]}:
                detail = f"The capture with this id is not {item[given]}."
                faults.append(Fault("invalid", detail, f"{pointer}/capture_id"))
            item["capture_id"] = captures.get(key)
        elif "capture_text_sha256" in item:
            item["capture_id"] = None
        item.pop("capture_text_sha256", None)
    if faults:
        raise Invalid("The request refers to what does not exist.", faults)
