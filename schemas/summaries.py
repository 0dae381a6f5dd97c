"""Rows in brief, as they stand within the documents of others."""

from marshmallow import fields

from hksz_db.domain.vocabulary import ClaimStatus, ContributorRole, EntityKind
from schemas.base import DocumentSchema
from schemas.fields import DecimalDocument, Term, Uuid


class SummarySchema(DocumentSchema):
    """What every summary begins with."""

    id = Uuid()
    external_id = fields.String(allow_none=True)


class EntitySummarySchema(SummarySchema):
    """An entity in brief."""

    name = fields.String()
    kind = Term(EntityKind)


class SourceSummarySchema(SummarySchema):
    """A source in brief."""

    title = fields.String()


class ClaimSummarySchema(SummarySchema):
    """A claim in brief."""

    statement = fields.String()


class ReviewedClaimSummarySchema(ClaimSummarySchema):
    """A claim in brief, with where it stands in review."""

    status = Term(ClaimStatus)


class MetricSummarySchema(SummarySchema):
    """A metric in brief."""

    key = fields.String()
    label = fields.String()


class ContributorSchema(DocumentSchema):
    """Who made a source, as known and as printed."""

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
