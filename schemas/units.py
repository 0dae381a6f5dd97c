"""Schemas and filters of units."""

from marshmallow import fields

from hksz_db.domain.vocabulary import Dimension
from schemas.base import InputSchema, VersionedSchema, patch_schema
from schemas.fields import DecimalDocument, ExternalId, Term, Text, UnitCode
from schemas.filters import common_filters, filter_fields, names, terms, words


class UnitCreateSchema(InputSchema):
    """A unit; its dimension and factor are derived from the code."""

    external_id = ExternalId(allow_none=True)
    code = UnitCode(required=True)
    label = Text(100, required=True)


UnitPatchSchema = patch_schema(UnitCreateSchema, "code")


class UnitSchema(VersionedSchema):
    """A unit; one unit is ``factor`` base units of its dimension."""

    code = fields.String()
    label = fields.String()
    dimension = Term(Dimension)
    factor = DecimalDocument()


UNIT_FILTERS = filter_fields(
    {**common_filters(), "code": names(), "label": words(), "dimension": terms(Dimension)}
)
