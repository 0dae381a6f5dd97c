"""Writing claims, with their links, figures and evidence."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from hksz_db.models import Claim, ClaimEntity, ClaimRelation, ClaimTopic
from hksz_db.services.evidence import EVIDENCE, settle_captures
from hksz_db.services.figures import FIGURES
from hksz_db.services.rows import Row
from hksz_db.services.writers import Listed, Writer
from schemas.claims import ClaimCreateSchema, ClaimPatchSchema


class _Claims(Writer):
    def prepare(self, session: Session, fields: Row) -> None:
        """Settle the captures of the evidence that is given with a claim."""
        settle_captures(session, self.passages(fields))

    def passages(self, fields: Row) -> Mapping[str, Row]:
        """The evidence that is given with a claim, by pointer."""
        return {f"#/evidence/{n}": passage for n, passage in enumerate(fields.get("evidence", []))}


CLAIMS = _Claims(
    model=Claim,
    create_schema=ClaimCreateSchema,
    patch_schema=ClaimPatchSchema,
    lists={
        "topics": Listed(model=ClaimTopic, value="topic"),
        "entities": Listed(model=ClaimEntity),
        "relations": Listed(model=ClaimRelation),
    },
    parts={"figures": FIGURES, "evidence": EVIDENCE},
    defaults={"status": "submitted"},
    rests_on=("status",),
)
create, update = CLAIMS.create, CLAIMS.update
