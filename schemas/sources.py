"""Schemas and filters of sources."""

from marshmallow import fields

from hksz_db.domain.vocabulary import (
    ContributorRole,
    CslType,
    Normalization,
    SourceLikeness,
    SourceRelationKind,
)
from schemas.base import DocumentSchema, InputSchema, VersionedSchema, patch_schema
from schemas.dates import PeriodSchema
from schemas.fields import (
    BoundedList,
    Doi,
    Edtf,
    ExternalId,
    LanguageTag,
    Moment,
    Sha256,
    StrictBoolean,
    StrictInteger,
    Term,
    Text,
    Uuid,
    WebAddress,
)
from schemas.filters import (
    common_filters,
    days,
    filter_fields,
    flag,
    ids,
    languages,
    moments,
    names,
    related,
    terms,
    words,
)
from schemas.summaries import ContributorSchema, SourceSummarySchema


class ContributorCreateSchema(InputSchema):
    """An entity that made the source; ``credited_*`` is the credit as printed."""

    references = required = ("entity",)
    entity_id = Uuid()
    entity_external_id = ExternalId()
    role = Term(ContributorRole, required=True)
    credited_name = Text(300, allow_none=True, load_default=None)
    credited_as = Text(300, allow_none=True, load_default=None)


class CaptureCreateSchema(InputSchema):
    """A copy of the text that was read: its length and hash, not the text itself."""

    retrieved_at = Moment(allow_none=True, load_default=None)
    archive_url = WebAddress(allow_none=True, load_default=None)
    media_type = Text(100, allow_none=True, load_default=None)
    normalization = Term(Normalization, load_default="nfc-ws1")
    char_length = StrictInteger(1, required=True)
    text_sha256 = Sha256(required=True)


class SourceRelationCreateSchema(InputSchema):
    """How the source relates to another source."""

    references = required = ("to",)
    to_id = Uuid()
    to_external_id = ExternalId()
    kind = Term(SourceRelationKind, required=True)


class SourceCreateSchema(InputSchema):
    """A work, such as an article, a press release or a report."""

    external_id = ExternalId(allow_none=True)
    csl_type = Term(CslType, required=True)
    title = Text(1000, required=True)
    title_supplied = StrictBoolean(load_default=False)
    container_title = Text(500, allow_none=True)
    publisher_place = Text(200, allow_none=True)
    url = WebAddress(allow_none=True)
    doi = Doi(allow_none=True)
    language = LanguageTag(allow_none=True)
    issued_edtf = Edtf(allow_none=True)
    issued_note = Text(2000, allow_none=True)
    rights = Text(2000, allow_none=True)
    retracted_at = Moment(allow_none=True)
    contributors = BoundedList(fields.Nested(ContributorCreateSchema))
    captures = BoundedList(fields.Nested(CaptureCreateSchema))
    relations = BoundedList(fields.Nested(SourceRelationCreateSchema))


SourcePatchSchema = patch_schema(SourceCreateSchema)


class CaptureSchema(DocumentSchema):
    """A copy of the text that was read."""

    id = Uuid()
    retrieved_at = Moment(allow_none=True)
    archive_url = fields.String(allow_none=True)
    media_type = fields.String(allow_none=True)
    normalization = Term(Normalization)
    char_length = StrictInteger(1)
    text_sha256 = fields.String()


class SourceRelationSchema(DocumentSchema):
    """How the source relates to another source."""

    kind = Term(SourceRelationKind)
    to = fields.Nested(SourceSummarySchema)


class SimilarSourceSchema(DocumentSchema):
    """A source that may be the same, and why."""

    source = fields.Nested(SourceSummarySchema)
    reasons = fields.List(Term(SourceLikeness))


class ClaimSourceSchema(VersionedSchema):
    """A source of a claim."""

    csl_type = Term(CslType)
    title = fields.String()
    title_supplied = fields.Boolean()
    container_title = fields.String(allow_none=True)
    publisher_place = fields.String(allow_none=True)
    url = fields.String(allow_none=True)
    canonical_url = fields.String(allow_none=True)
    doi = fields.String(allow_none=True)
    language = fields.String(allow_none=True)
    issued = fields.Nested(PeriodSchema)
    issued_note = fields.String(allow_none=True)
    rights = fields.String(allow_none=True)
    retracted_at = Moment(allow_none=True)
    contributors = fields.List(fields.Nested(ContributorSchema))
    captures = fields.List(fields.Nested(CaptureSchema))
    relations = fields.List(fields.Nested(SourceRelationSchema))


class SourceSchema(ClaimSourceSchema):
    """A source.

    ``canonical_url`` is ``url`` without the parts that do not tell pages apart: scheme, ``www.``,
    fragment, dot segments, tracking parameters, order of parameters, trailing slashes, and variants
    for printing. No two sources have the same one.

    ``similar`` is included on request, and in the answer to a write, because a new source may
    duplicate another. It has at most ten sources, those with the most reasons first.
    """

    similar = fields.List(fields.Nested(SimilarSourceSchema))


SOURCE_FILTERS = filter_fields(
    {
        **common_filters(),
        "csl_type": terms(CslType),
        "title": words(),
        "title_supplied": flag(),
        "container_title": words(nullable=True),
        "publisher_place": words(nullable=True),
        "url": names(nullable=True),
        "canonical_url": names(nullable=True),
        "doi": names(nullable=True),
        "language": languages(nullable=True),
        "issued": days(nullable=True),
        "retracted_at": moments(nullable=True),
        **related(
            "contributors",
            {"entity_id": ids(), "role": terms(ContributorRole), "name": words()},
        ),
        **related("relations", {"to_id": ids(), "kind": terms(SourceRelationKind)}),
        **related("captures", {"text_sha256": names()}),
    }
)
