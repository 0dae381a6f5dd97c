"""Writing entities, with their names, identifiers and relations."""

from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Entity, EntityIdentifier, EntityName, EntityRelation
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Row
from hksz_db.services.writers import ListField, Writer
from schemas.entities import EntityCreateSchema, EntityPatchSchema

SHOWN_LANGUAGE = "en"
"""The language in which the name that is shown is preferred."""


class _Entities(Writer):
    def compute(self, given: Row, _before: Row, _known: Resolved, _pointer: str) -> Row:
        """The name that is shown: a preferred one, in English if possible."""
        if "names" not in given:
            return {}
        preferred = [name for name in given["names"] if name["kind"] == "preferred"]
        shown = min(preferred, key=lambda name: name["language"] != SHOWN_LANGUAGE)
        return {"name": shown["name"], "name_language": shown["language"]}


WRITER = _Entities(
    model=Entity,
    create_schema=EntityCreateSchema,
    patch_schema=EntityPatchSchema,
    scope=Scope.ENTITIES_WRITE,
    lists={
        "names": ListField(model=EntityName),
        "identifiers": ListField(model=EntityIdentifier),
        "relations": ListField(model=EntityRelation),
    },
    computed=("name", "name_language"),
)
