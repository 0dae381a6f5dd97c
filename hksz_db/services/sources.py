"""Writing sources, with their contributors, captures and relations."""

from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Source, SourceCapture, SourceContributor, SourceRelation
from hksz_db.services.writers import ListField, Writer
from schemas.sources import SourceCreateSchema, SourcePatchSchema

WRITER = Writer(
    model=Source,
    create_schema=SourceCreateSchema,
    patch_schema=SourcePatchSchema,
    scope=Scope.SOURCES_WRITE,
    lists={
        "contributors": ListField(model=SourceContributor, ordinal="ordinal"),
        "captures": ListField(model=SourceCapture, key=("text_sha256",)),
        "relations": ListField(model=SourceRelation),
    },
)
