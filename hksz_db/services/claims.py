"""Writing claims, with their translations, topics, links, figures and evidence."""

from collections.abc import Sequence

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.models import Claim, ClaimEntity, ClaimRelation, ClaimTopic, ClaimTranslation
from hksz_db.services import evidence, figures
from hksz_db.services.references import Resolved
from hksz_db.services.rows import Row
from hksz_db.services.writers import ListField, ReviewedWriter
from schemas.claims import ClaimCreateSchema, ClaimPatchSchema


class _Claims(ReviewedWriter):
    def compute(self, given: Row, before: Row, known: Resolved, pointer: str) -> Row:
        """When the claim was reviewed; refuses a translation in the language of the original."""
        if given.get("statements"):
            original: str = {**self._blank, **before, **given}["language"]
            _check_translations(original, given["statements"], f"{pointer}/statements")
        return super().compute(given, before, known, pointer)


def _check_translations(original: str, statements: Sequence[Row], pointer: str) -> None:
    faults = [
        Fault("language", f"The original is in {original}.", f"{pointer}/{number}/language")
        for number, statement in enumerate(statements)
        if statement["language"].lower() == original.lower()
    ]
    if faults:
        raise Invalid("A translation is in another language than the original.", faults)


WRITER = _Claims(
    model=Claim,
    create_schema=ClaimCreateSchema,
    patch_schema=ClaimPatchSchema,
    lists={
        "statements": ListField(model=ClaimTranslation),
        "topics": ListField(model=ClaimTopic, value="topic"),
        "entities": ListField(model=ClaimEntity),
        "relations": ListField(model=ClaimRelation),
    },
    parts={"figures": figures.WRITER, "evidence": evidence.WRITER},
    defaults={"status": "submitted"},
    computed=("reviewed_by", "reviewed_at"),
    computed_from=("language", "statements"),
)
