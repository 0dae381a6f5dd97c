"""What a claim rests on, on the wire."""

from marshmallow import Schema, fields, validate

from hksz_db.vocabulary import CorroborationVerdict, SourceRelationKind
from schemas.base import DocumentSchema
from schemas.fields import StrictInteger, Term, Uuid
from schemas.filters import integers, terms

_STEPS = (*(str(kind) for kind in SourceRelationKind), "derived_from")


class OriginCountSchema(DocumentSchema):
    """How many sources speak so, and from how many origins that are independent for certain."""

    sources = StrictInteger(required=True)
    origins = StrictInteger(required=True)


class PassedSourceSchema(DocumentSchema):
    """A source on the way to an origin."""

    source_id = Uuid(required=True)
    external_id = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)
    retracted = fields.Boolean(required=True)


class StepSchema(PassedSourceSchema):
    """A step towards an origin: how what came before stands to this source.

    ``derived_from`` is said of a passage, everything else of its source.
    """

    kind = fields.String(required=True, validate=validate.OneOf(_STEPS))


class ViaSchema(PassedSourceSchema):
    """A passage that leads to an origin: where it stands, and the steps from there."""

    evidence_id = Uuid(required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)


class OriginSchema(PassedSourceSchema):
    """A source at which ways end.

    ``counted`` is true where it adds one to the number of origins: not where it, or all that
    lead to it, are retracted, and once for a source that rests on several.
    """

    stance = fields.String(required=True, validate=validate.OneOf(["for", "against"]))
    counted = fields.Boolean(required=True)
    via = fields.List(fields.Nested(ViaSchema), required=True)


CorroborationSchema = Schema.from_dict(
    {
        "verdict": Term(CorroborationVerdict, required=True),
        "for": fields.Nested(OriginCountSchema, required=True),
        "against": fields.Nested(OriginCountSchema, required=True),
        "origins": fields.List(fields.Nested(OriginSchema), required=True),
    },
    name="CorroborationSchema",
)

CORROBORATION_KINDS = {
    "verdict": terms(CorroborationVerdict),
    "origins": integers(),
    "origins_against": integers(),
}
