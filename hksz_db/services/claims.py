"""Writing claims, with their topics, links, figures and evidence."""

from hksz_db.models import Claim, ClaimEntity, ClaimRelation, ClaimTopic
from hksz_db.services import evidence, figures
from hksz_db.services.writers import ListField, ReviewedWriter
from schemas.claims import ClaimCreateSchema, ClaimPatchSchema

WRITER = ReviewedWriter(
    model=Claim,
    create_schema=ClaimCreateSchema,
    patch_schema=ClaimPatchSchema,
    lists={
        "topics": ListField(model=ClaimTopic, value="topic"),
        "entities": ListField(model=ClaimEntity),
        "relations": ListField(model=ClaimRelation),
    },
    parts={"figures": figures.WRITER, "evidence": evidence.WRITER},
    defaults={"status": "submitted"},
    computed=("reviewed_by", "reviewed_at"),
)
