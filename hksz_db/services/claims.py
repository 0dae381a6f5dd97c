"""Writing claims, with their translations, topics, links, figures and evidence."""

from collections.abc import Collection, Sequence
from uuid import UUID

from hksz_db.database import Session, run
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


def keeps_translations(given: Row, before: Row) -> bool:
    """Whether a change gives a stored claim another language, and leaves its translations."""
    language = given.get("language")
    return "statements" not in given and language not in {None, before.get("language")}


def translations_of(session: Session, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The languages of the translations of the claims, by id."""
    if not ids:
        return {}
    return dict(
        run(
            session,
            "SELECT claim_id, array_agg(language) FROM claim_translations"
            " WHERE claim_id = ANY ($1) GROUP BY claim_id",
            list(ids),
        )
    )


def check_new_language(given: Row, translated: Collection[str]) -> None:
    """Raise ``Invalid`` if a claim would get the language of one of its translations."""
    language = given.get("language") or ""
    if language.lower() in {each.lower() for each in translated}:
        detail = f"The claim has a translation in {language}: give statements, too."
        fault = Fault("language", detail, "#/language")
        raise Invalid("A translation is in another language than the original.", [fault])


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
