"""Writing claims, with their topics, links, figures and evidence."""

from hksz_db.models import Claim, ClaimEntity, ClaimRelation, ClaimTopic
from hksz_db.services.evidence import EVIDENCE
from hksz_db.services.figures import FIGURES
from hksz_db.services.writers import ListField, Writer
from schemas.claims import ClaimCreateSchema, ClaimPatchSchema

CLAIMS = Writer(
    model=Claim,
    create_schema=ClaimCreateSchema,
    patch_schema=ClaimPatchSchema,
    lists={
        "topics": ListField(model=ClaimTopic, value="topic"),
        "entities": ListField(model=ClaimEntity),
        "relations": ListField(model=ClaimRelation),
    },
    parts={"figures": FIGURES, "evidence": EVIDENCE},
    defaults={"status": "submitted"},
)
