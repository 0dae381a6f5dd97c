"""The schemas of the facets of claims."""

from marshmallow import fields

from schemas.base import DocumentSchema
from schemas.fields import StrictInteger
from schemas.summaries import EntitySummarySchema, MetricSummarySchema

MOST_COUNTED = 10_000
"""The limit on the claims that are counted: the newest."""

MAX_YEARS = 200
"""The limit on the years that are listed: those with the most claims."""


class FacetValueSchema(DocumentSchema):
    """A value, and how many claims remain if the query is filtered by it.

    ``selected`` is whether the query names it as the value of the parameter, alone or in a list.
    """

    value = fields.String()
    count = StrictInteger()
    selected = fields.Boolean()


class YearValueSchema(FacetValueSchema):
    """A year: ``count`` claims may lie within it (``time__within``).

    ``certain`` of them lie wholly within it (``time__certainly_within``).
    """

    certain = StrictInteger()


class EntityValueSchema(FacetValueSchema):
    """An entity, and how many claims remain."""

    entity = fields.Nested(EntitySummarySchema)


class MetricValueSchema(FacetValueSchema):
    """A metric, and how many claims remain."""

    metric = fields.Nested(MetricSummarySchema)


class MissingValueSchema(DocumentSchema):
    """How many claims have no value: those that remain with ``parameter=true``."""

    parameter = fields.String()
    count = StrictInteger()


class FacetFilterSchema(DocumentSchema):
    """A filter that goes with the values of a facet."""

    parameter = fields.String()
    value = fields.String()


class FacetSchema(DocumentSchema):
    """The values with the most claims.

    A query is filtered by a value by ``parameter=value``, with the filters in ``also``, and without
    the parameters in ``without``. These are parameters of the query that filter by the same facet:
    its values are counted as alternatives to what they select. ``more`` is how many further values
    there are. ``all`` is false if only the newest 10,000 claims were counted.
    """

    parameter = fields.String()
    also = fields.List(fields.Nested(FacetFilterSchema))
    without = fields.List(fields.String())
    values = fields.List(fields.Nested(FacetValueSchema))
    more = StrictInteger()
    missing = fields.Nested(MissingValueSchema, allow_none=True)
    all = fields.Boolean()


class YearFacetSchema(FacetSchema):
    """The years with the most claims, at most 200, in their order; ``missing`` are the undated."""

    values = fields.List(fields.Nested(YearValueSchema))


class EntityFacetSchema(FacetSchema):
    """The entities with the most claims."""

    values = fields.List(fields.Nested(EntityValueSchema))


class MetricFacetSchema(FacetSchema):
    """The metrics of figures with the most claims; ``missing`` are the claims without figures."""

    values = fields.List(fields.Nested(MetricValueSchema))


class FacetsSchema(DocumentSchema):
    """The facets of claims.

    ``about`` has the entities that are subjects, and ``place`` the places, zones and facilities
    that claims are linked to in any role, or in which a linked entity lies.
    """

    verdict = fields.Nested(FacetSchema)
    time = fields.Nested(YearFacetSchema)
    about = fields.Nested(EntityFacetSchema)
    place = fields.Nested(EntityFacetSchema)
    claimant = fields.Nested(EntityFacetSchema)
    measure = fields.Nested(MetricFacetSchema)
    modality = fields.Nested(FacetSchema)
    status = fields.Nested(FacetSchema)
    language = fields.Nested(FacetSchema)


class CountedSchema(DocumentSchema):
    """How many claims match the query; ``all`` is false if there are more."""

    claims = StrictInteger()
    all = fields.Boolean()


class FacetsMetaSchema(DocumentSchema):
    """How many claims were counted, and how many values are listed at most."""

    counted = fields.Nested(CountedSchema)
    values = StrictInteger(1)


class FacetsAnswerSchema(DocumentSchema):
    """The facets of a query."""

    data = fields.Nested(FacetsSchema)
    meta = fields.Nested(FacetsMetaSchema)
