"""Writing sources, with who made them, what copies were held and what they rest on."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Source, SourceCapture, SourceContributor, SourceRelation
from hksz_db.services.dates import reckon_again
from hksz_db.services.rows import Row
from hksz_db.services.writers import Listed, Writer
from schemas.sources import SourceCreateSchema, SourcePatchSchema


class _Sources(Writer):
    def update(
        self, session: Session, id: UUID, versions: Sequence[int] | None, fields: Row
    ) -> bool:
        """Change a source, and the dates that were worked out from its own.

        Raises ``Conflict`` where one of these has none any more.
        """
        changed = super().update(session, id, versions, fields)
        if changed and "issued_edtf" in fields:
            reckon_again(session, id, fields["issued_edtf"])
        return changed


SOURCES = _Sources(
    model=Source,
    create_schema=SourceCreateSchema,
    patch_schema=SourcePatchSchema,
    scope=Scope.SOURCES_WRITE,
    lists={
        "contributors": Listed(model=SourceContributor, ordinal="ordinal"),
        "captures": Listed(model=SourceCapture, key=("text_sha256",)),
        "relations": Listed(model=SourceRelation),
    },
)
create, update = SOURCES.create, SOURCES.update
