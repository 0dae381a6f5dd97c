"""Schemas and filters of claims."""

from collections import Counter
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from hksz_db.domain.vocabulary import (
    ClaimEntityRole,
    ClaimRelationKind,
    ClaimStatus,
    EntityKind,
    Modality,
    Translator,
)
from schemas.base import DocumentSchema, InputSchema, VersionedSchema, patch_schema
from schemas.comparisons import ComparisonsSchema, ContestingClaimsSchema
from schemas.corroboration import CORROBORATION_KINDS, CorroborationSchema
from schemas.dates import RelativeDateCreateSchema, RelativePeriodSchema, StatedPeriodSchema
from schemas.evidence import EVIDENCE_KINDS, ClaimEvidenceCreateSchema, ClaimEvidenceSchema
from schemas.fields import (
    BoundedList,
    Edtf,
    ExternalId,
    LanguageTag,
    Moment,
    Slug,
    Term,
    Text,
    Uuid,
)
from schemas.figures import FIGURE_KINDS, ClaimFigureCreateSchema, ClaimFigureSchema
from schemas.filters import (
    common_filters,
    days,
    filter_fields,
    ids,
    languages,
    names,
    of_related,
    places,
    presence,
    related,
    terms,
    words,
)
from schemas.similar_claims import SimilarClaimSchema
from schemas.sources import ClaimSourceSchema
from schemas.summaries import ClaimSummarySchema, EntitySummarySchema


class ClaimEntityCreateSchema(InputSchema):
    """An entity and its role in the claim."""

    references = required = ("entity",)
    entity_id = Uuid()
    entity_external_id = ExternalId()
    role = Term(ClaimEntityRole, required=True)


class ClaimRelationCreateSchema(InputSchema):
    """How the claim relates to another claim."""

    references = required = ("to",)
    to_id = Uuid()
    to_external_id = ExternalId()
    kind = Term(ClaimRelationKind, required=True)


class ClaimStatementCreateSchema(InputSchema):
    """The statement in another language, translated from the original."""

    language = LanguageTag(required=True)
    text = Text(4000, required=True)
    translated_by = Term(Translator, required=True)


def _check_languages(statements: list[dict[str, Any]]) -> None:
    for language, number in Counter(each["language"] for each in statements).items():
        if number > 1:
            raise ValidationError(f"Only one translation can be in language {language}.")


_CLAIMANT = ("claimant_id", "claimant_external_id", "claimant_as_stated")


class ClaimCreateSchema(InputSchema):
    """A statement in your own words that can be true or false on its own.

    The claimant makes the statement, and ``claimant_as_stated`` is how the source calls them. One
    of the two is required: "an unnamed official" is not an entity. ``reported_by`` is the entity
    that reports the statement, if that is another one. ``statement`` is the original, in
    ``language``; ``statements`` are its translations.
    """

    references = ("claimant", "reported_by")
    dates = ("time", "due")
    external_id = ExternalId(allow_none=True)
    statement = Text(4000, required=True)
    language = LanguageTag(load_default="en")
    statements = BoundedList(fields.Nested(ClaimStatementCreateSchema), validate=_check_languages)
    claimant_id = Uuid(allow_none=True)
    claimant_external_id = ExternalId(allow_none=True)
    claimant_as_stated = Text(300, allow_none=True)
    reported_by_id = Uuid(allow_none=True)
    reported_by_external_id = ExternalId(allow_none=True)
    modality = Term(Modality, load_default="actual")
    status = Term(ClaimStatus)
    review_note = Text(2000)
    time_as_stated = Text(200, allow_none=True)
    time_edtf = Edtf(allow_none=True)
    time_relative = fields.Nested(RelativeDateCreateSchema, allow_none=True)
    due_edtf = Edtf(allow_none=True)
    due_relative = fields.Nested(RelativeDateCreateSchema, allow_none=True)
    topics = BoundedList(Slug(), 50)
    entities = BoundedList(fields.Nested(ClaimEntityCreateSchema))
    relations = BoundedList(fields.Nested(ClaimRelationCreateSchema))
    figures = BoundedList(fields.Nested(ClaimFigureCreateSchema))
    evidence = BoundedList(fields.Nested(ClaimEvidenceCreateSchema))

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def check_claimant(self, _: Any, original: Any, **__: Any) -> None:
        """Refuse a claim without any claimant."""
        if isinstance(original, dict) and all(original.get(name) is None for name in _CLAIMANT):
            message = "A claimant is required: claimant_id, claimant_external_id or"
            raise ValidationError({_CLAIMANT[0]: [f"{message} claimant_as_stated."]})


ClaimPatchSchema = patch_schema(ClaimCreateSchema, "figures", "evidence")


class ClaimStatementSchema(DocumentSchema):
    """The statement in another language, translated from the original."""

    language = fields.String()
    text = fields.String()
    translated_by = Term(Translator)


class ClaimEntitySchema(DocumentSchema):
    """An entity and its role in the claim."""

    role = Term(ClaimEntityRole)
    entity = fields.Nested(EntitySummarySchema)


class ClaimRelationSchema(DocumentSchema):
    """How the claim relates to another claim."""

    kind = Term(ClaimRelationKind)
    to = fields.Nested(ClaimSummarySchema)


class ClaimSchema(VersionedSchema):
    """A claim; its version also counts changes to its figures, evidence, entities and relations.

    ``statement`` is the original, in ``language``; ``statements`` are its translations.
    ``review_note``, ``reviewed_by`` (the label of a key) and ``reviewed_at`` are those of the last
    review, which accepted the claim, rejected it or sent it back. They stay when the claim is
    submitted again.
    """

    statement = fields.String()
    language = fields.String()
    statements = fields.List(fields.Nested(ClaimStatementSchema))
    claimant = fields.Nested(EntitySummarySchema, allow_none=True)
    claimant_as_stated = fields.String(allow_none=True)
    reported_by = fields.Nested(EntitySummarySchema, allow_none=True)
    modality = Term(Modality)
    status = Term(ClaimStatus)
    review_note = fields.String(allow_none=True)
    reviewed_by = fields.String(allow_none=True)
    reviewed_at = Moment(allow_none=True)
    time = fields.Nested(StatedPeriodSchema)
    due = fields.Nested(RelativePeriodSchema)
    topics = fields.List(fields.String())
    relations = fields.List(fields.Nested(ClaimRelationSchema))
    entities = fields.List(fields.Nested(ClaimEntitySchema))
    figures = fields.List(fields.Nested(ClaimFigureSchema))
    evidence = fields.List(fields.Nested(ClaimEvidenceSchema))
    sources = fields.List(fields.Nested(ClaimSourceSchema))
    corroboration = fields.Nested(CorroborationSchema)
    comparisons = fields.Nested(ComparisonsSchema)
    contested_by = fields.Nested(ContestingClaimsSchema)
    similar = fields.List(fields.Nested(SimilarClaimSchema))


CLAIM_FILTERS = filter_fields(
    {
        **common_filters(),
        "statement": words(),
        "language": languages(),
        "statements": presence(),
        **related("statements", {"language": languages(), "translated_by": terms(Translator)}),
        "modality": terms(Modality),
        "status": terms(ClaimStatus),
        "reviewed_by": names(nullable=True),
        "claimant_id": ids(nullable=True),
        "claimant_as_stated": words(nullable=True),
        **related("claimant", {"name": words()}),
        "reported_by_id": ids(nullable=True),
        "time": days(nullable=True),
        "due": days(nullable=True),
        "topics": of_related(names()),
        **related("relations", {"kind": terms(ClaimRelationKind), "to_id": ids()}),
        "entities": presence(),
        **related(
            "entities",
            {
                "id": ids(),
                "role": terms(ClaimEntityRole),
                "external_id": names(),
                "kind": terms(EntityKind),
                "name": words(),
            },
        ),
        "place": places(),
        "figures": presence(),
        **related("figures", FIGURE_KINDS),
        "evidence": presence(),
        **related("evidence", EVIDENCE_KINDS),
        **{f"corroboration__{name}": kind for name, kind in CORROBORATION_KINDS.items()},
    }
)
