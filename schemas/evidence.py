"""Schemas and filters of evidence."""

from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from hksz_db.domain.vocabulary import (
    ClaimStatus,
    CslType,
    Directness,
    EvidenceStatus,
    Interest,
    Normalization,
    Stance,
)
from schemas.base import DocumentSchema, InputSchema, VersionedSchema, patch_schema
from schemas.dates import RelativeDateCreateSchema, RelativePeriodSchema
from schemas.fields import Edtf, ExternalId, Moment, Sha256, StrictInteger, Term, Text, Uuid
from schemas.filters import (
    common_filters,
    days,
    filter_fields,
    ids,
    integers,
    names,
    related,
    terms,
    words,
)
from schemas.summaries import (
    ContributorSchema,
    EntitySummarySchema,
    ReviewedClaimSummarySchema,
    SourceSummarySchema,
)

_LOCATOR = ("start_char", "end_char", "exact_sha256", "prefix_sha256", "suffix_sha256")
_LOOSE_LOCATOR = tuple(f"loose_{name}" for name in _LOCATOR)


class ClaimEvidenceCreateSchema(InputSchema):
    """Evidence that is sent with its claim: a passage of a source, and its stance on the claim.

    ``attributed_to`` is the entity whose statement the passage only reports; without it, the
    passage speaks for itself. ``said_edtf`` or ``said_relative`` is when it was said.
    ``capture_text_sha256`` identifies the capture of the source to which the locator refers. A
    second locator, ``loose_…``, is that of the passage in the form ``loose1``. ``rating_as_stated``
    is the rating that a fact check gives to the claim: ``Mostly false (2; worst 1, best 5)``.
    """

    references: ClassVar[tuple[str, ...]] = ("source", "derived_from", "attributed_to")
    required: ClassVar[tuple[str, ...]] = ("source",)
    dates = ("said",)
    external_id = ExternalId(allow_none=True)
    source_id = Uuid()
    source_external_id = ExternalId()
    derived_from_id = Uuid(allow_none=True)
    derived_from_external_id = ExternalId(allow_none=True)
    attributed_to_id = Uuid(allow_none=True)
    attributed_to_external_id = ExternalId(allow_none=True)
    said_edtf = Edtf(allow_none=True)
    said_relative = fields.Nested(RelativeDateCreateSchema, allow_none=True)
    capture_id = Uuid(allow_none=True)
    capture_text_sha256 = Sha256(allow_none=True)
    stance = Term(Stance, required=True)
    directness = Term(Directness, allow_none=True)
    interest = Term(Interest, allow_none=True)
    start_char = StrictInteger(allow_none=True)
    end_char = StrictInteger(1, allow_none=True)
    exact_sha256 = Sha256(allow_none=True)
    prefix_sha256 = Sha256(allow_none=True)
    suffix_sha256 = Sha256(allow_none=True)
    loose_start_char = StrictInteger(allow_none=True)
    loose_end_char = StrictInteger(1, allow_none=True)
    loose_exact_sha256 = Sha256(allow_none=True)
    loose_prefix_sha256 = Sha256(allow_none=True)
    loose_suffix_sha256 = Sha256(allow_none=True)
    page = Text(50, allow_none=True)
    note = Text(2000, allow_none=True)
    rating_as_stated = Text(300, allow_none=True)
    status = Term(EvidenceStatus)
    review_note = Text(2000)

    @validates_schema
    def check_locator(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an incomplete locator, and an empty span."""
        for locator in (_LOCATOR, _LOOSE_LOCATOR):
            start, end = locator[:2]
            given = [name for name in locator if data.get(name) is not None]
            if given and len(given) < len(locator):
                missing = ", ".join(name for name in locator if name not in given)
                raise ValidationError(
                    {given[0]: [f"A locator must be complete or absent; missing: {missing}."]}
                )
            if given and data[start] >= data[end]:
                raise ValidationError({end: [f"Must be above {start}."]})


class EvidenceCreateSchema(ClaimEvidenceCreateSchema):
    """A passage of a source, and its stance on a claim."""

    references = ("claim", "source", "derived_from", "attributed_to")
    required = ("claim", "source")
    claim_id = Uuid()
    claim_external_id = ExternalId()


EvidencePatchSchema = patch_schema(
    EvidenceCreateSchema, "claim_id", "claim_external_id", "source_id", "source_external_id"
)


class EvidenceSourceSchema(SourceSummarySchema):
    """The source of a piece of evidence, with its date and contributors."""

    issued_edtf = fields.String(allow_none=True)
    contributors = fields.List(fields.Nested(ContributorSchema))


class ClaimEvidenceSchema(VersionedSchema):
    """Evidence within its claim.

    ``start_char`` and ``end_char`` count code points of the normalised text, the end excluded. The
    hashes cover that span and up to 32 code points on either side. ``loose_…`` are the same in the
    form ``loose1``, if it is known. ``review_note``, ``reviewed_by`` and ``reviewed_at`` are those
    of the last review, as of a claim.
    """

    source = fields.Nested(EvidenceSourceSchema)
    stance = Term(Stance)
    directness = Term(Directness, allow_none=True)
    interest = Term(Interest, allow_none=True)
    attributed_to = fields.Nested(EntitySummarySchema, allow_none=True)
    said = fields.Nested(RelativePeriodSchema)
    derived_from_id = Uuid(allow_none=True)
    capture_id = Uuid(allow_none=True)
    start_char = StrictInteger(allow_none=True)
    end_char = StrictInteger(1, allow_none=True)
    exact_sha256 = fields.String(allow_none=True)
    prefix_sha256 = fields.String(allow_none=True)
    suffix_sha256 = fields.String(allow_none=True)
    loose_start_char = StrictInteger(allow_none=True)
    loose_end_char = StrictInteger(1, allow_none=True)
    loose_exact_sha256 = fields.String(allow_none=True)
    loose_prefix_sha256 = fields.String(allow_none=True)
    loose_suffix_sha256 = fields.String(allow_none=True)
    page = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    rating_as_stated = fields.String(allow_none=True)
    status = Term(EvidenceStatus)
    review_note = fields.String(allow_none=True)
    reviewed_by = fields.String(allow_none=True)
    reviewed_at = Moment(allow_none=True)
    added_by = fields.String()


class EvidenceCaptureSchema(DocumentSchema):
    """The capture that a locator refers to: its form, its length in code points, and its hash."""

    normalization = Term(Normalization)
    char_length = StrictInteger(1)
    text_sha256 = fields.String()


class EvidenceSchema(ClaimEvidenceSchema):
    """Evidence with a summary of its claim.

    ``capture`` describes the capture ``capture_id``, so that a reader can tell whether their copy
    of the text is the same before they look for the passage.
    """

    claim = fields.Nested(ReviewedClaimSummarySchema)
    capture = fields.Nested(EvidenceCaptureSchema, allow_none=True)


EVIDENCE_KINDS = {
    "stance": terms(Stance),
    "directness": terms(Directness, nullable=True),
    "interest": terms(Interest, nullable=True),
    "status": terms(EvidenceStatus),
    "added_by": names(),
    "attributed_to_id": ids(nullable=True),
    "said": days(nullable=True),
    "rating_as_stated": words(nullable=True),
    "source_id": ids(),
    **related(
        "source",
        {
            "external_id": names(),
            "title": words(),
            "csl_type": terms(CslType),
            "issued": days(),
            "publisher": words(),
            "author": words(),
        },
    ),
}

EVIDENCE_FILTERS = filter_fields(
    {
        **common_filters(),
        **EVIDENCE_KINDS,
        "claim_id": ids(),
        "reviewed_by": names(nullable=True),
        **related("claim", {"status": terms(ClaimStatus)}),
        "capture_id": ids(nullable=True),
        "derived_from_id": ids(nullable=True),
        "start_char": integers(nullable=True),
    }
)
