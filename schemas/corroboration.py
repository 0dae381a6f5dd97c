"""What a claim rests on, on the wire."""

from marshmallow import fields

from hksz_db.domain.vocabulary import CorroborationVerdict, SourceRelationKind
from schemas.base import DocumentSchema
from schemas.fields import Choice, StrictInteger, Term, Uuid
from schemas.filters import integers, terms

_STEPS = (*(str(kind) for kind in SourceRelationKind), "derived_from")


class OriginCountSchema(DocumentSchema):
    """How many sources speak so, and from how many origins that are independent for certain."""

    sources = StrictInteger()
    origins = StrictInteger()


class PassedSourceSchema(DocumentSchema):
    """A source on the way to an origin."""

    source_id = Uuid()
    external_id = fields.String(allow_none=True)
    title = fields.String()
    retracted = fields.Boolean()


class StepSchema(PassedSourceSchema):
    """A step towards an origin: how what came before stands to this source.

    ``derived_from`` is said of a passage, everything else of its source.
    """

    kind = Choice("StepKind", _STEPS)


class ViaSchema(PassedSourceSchema):
    """A passage that leads to an origin: where it stands, and the steps from there."""

    evidence_id = Uuid()
    steps = fields.List(fields.Nested(StepSchema))


class OriginSchema(PassedSourceSchema):
    """A source at which ways end.

    ``counted`` is true where it adds one to the number of origins: not where it, or all that
    lead to it, are retracted, and once for a source that rests on several.
    """

    stance = Choice("OriginStance", ["for", "against"])
    counted = fields.Boolean()
    via = fields.List(fields.Nested(ViaSchema))


CorroborationSchema = DocumentSchema.from_dict(
    {
        "verdict": Term(CorroborationVerdict),
        "for": fields.Nested(OriginCountSchema),
        "against": fields.Nested(OriginCountSchema),
        "origins": fields.List(fields.Nested(OriginSchema)),
    },
    name="CorroborationSchema",
)

CORROBORATION_KINDS = {
    "verdict": terms(CorroborationVerdict),
    "origins": integers(),
    "origins_against": integers(),
}
