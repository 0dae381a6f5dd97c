"""Summaries of rows, for the documents of other rows."""

from marshmallow import fields

from hksz_db.domain.vocabulary import ClaimStatus, ContributorRole, EntityKind
from schemas.base import DocumentSchema, RowSchema
from schemas.fields import DecimalDocument, NameLanguage, Term


class EntitySummarySchema(RowSchema):
    """The summary of an entity."""

    name = fields.String()
    name_language = NameLanguage()
    kind = Term(EntityKind)


class SourceSummarySchema(RowSchema):
    """The summary of a source."""

    title = fields.String()


class ClaimSummarySchema(RowSchema):
    """The summary of a claim."""

    statement = fields.String()


class ReviewedClaimSummarySchema(ClaimSummarySchema):
    """The summary of a claim, with its review status."""

    status = Term(ClaimStatus)


class FigureSummarySchema(RowSchema):
    """The summary of a figure."""

    as_stated = fields.String()


class MetricSummarySchema(RowSchema):
    """The summary of a metric."""

    key = fields.String()
    label = fields.String()


class ContributorSchema(DocumentSchema):
    """An entity that made the source, and the credit as printed."""

    entity = fields.Nested(EntitySummarySchema)
    role = Term(ContributorRole)
    credited_name = fields.String(allow_none=True)
    credited_as = fields.String(allow_none=True)


class NumericRangeSchema(DocumentSchema):
    """A range of numbers in base units; an open end is null."""

    lower = DecimalDocument(allow_none=True)
    upper = DecimalDocument(allow_none=True)
    lower_inclusive = fields.Boolean()
    upper_inclusive = fields.Boolean()
