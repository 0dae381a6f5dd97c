"""Writing sources, with their contributors, captures and relations."""

from hksz_db.domain.urls import canonical_url
from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Source, SourceCapture, SourceContributor, SourceRelation
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Row
from hksz_db.services.writers import ListField, Writer
from schemas.sources import SourceCreateSchema, SourcePatchSchema


class _Sources(Writer):
    def compute(self, given: Row, before: Row, _known: Resolved, _pointer: str) -> Row:
        """The canonical URL, which a source keeps that is given its own URL again."""
        if "url" not in given or given["url"] == before.get("url"):
            return {}
        url = given["url"]
        return {"canonical_url": None if url is None else canonical_url(url)}


WRITER = _Sources(
    model=Source,
    create_schema=SourceCreateSchema,
    patch_schema=SourcePatchSchema,
    scope=Scope.SOURCES_WRITE,
    lists={
        "contributors": ListField(model=SourceContributor, ordinal="ordinal"),
        "captures": ListField(model=SourceCapture, key=("text_sha256",)),
        "relations": ListField(model=SourceRelation),
    },
    computed=("canonical_url",),
    computed_from=("url",),
)
