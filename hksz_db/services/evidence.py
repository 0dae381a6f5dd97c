"""Writing evidence: the passages of sources that bear on claims."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.models import Evidence
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Children, Row
from hksz_db.services.writers import ReviewedWriter
from schemas.evidence import EvidenceCreateSchema, EvidencePatchSchema

Captures = Mapping[tuple[UUID, str | UUID], UUID]
"""The ids of captures by source and hash, and by source and id."""

_CAPTURE = ("capture_text_sha256", "capture_id")


class EvidenceWriter(ReviewedWriter):
    """Writes evidence, whose two locators are of the same passage."""

    def changes(self, fields: Row, before: Row, known: Resolved) -> tuple[Row, list[Children]]:
        """As every writer. Another locator clears the loose one, unless it is given anew."""
        if any(fields[name] != before[name] for name in fields.keys() & LOCATOR):
            fields = {**dict.fromkeys(LOOSE_LOCATOR), **fields}
        return super().changes(fields, before, known)


WRITER = EvidenceWriter(
    model=Evidence,
    create_schema=EvidenceCreateSchema,
    patch_schema=EvidencePatchSchema,
    defaults={"status": "submitted"},
    computed=("reviewed_by", "reviewed_at"),
    computed_from=LOCATOR,
    replaced=("capture_text_sha256",),
)


def captures_for(session: Session, passages: Iterable[Row]) -> Captures:
    """The captures of the sources of all evidence that names a capture."""
    wanted = [item for item in passages if any(item.get(name) for name in _CAPTURE)]
    captures: dict[tuple[UUID, str | UUID], UUID] = {}
    if wanted:
        sources = list({item["source_id"] for item in wanted})
        sql = "SELECT source_id, text_sha256, id FROM source_captures WHERE source_id = ANY ($1)"
        for source, sha256, id in run(session, sql, sources):
            captures[source, sha256] = captures[source, id] = id
    return captures


def fill_captures(passages: Mapping[str, Row], captures: Captures) -> None:
    """Replace the hash of a capture by its id in evidence, which is given by pointer.

    Raises ``Invalid`` if the source has no such capture.
    """
    faults = []
    for pointer, item in passages.items():
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
        raise Invalid("The request refers to rows that do not exist.", faults)
