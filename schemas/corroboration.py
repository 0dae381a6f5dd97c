"""The schema of the corroboration of a claim."""

from marshmallow import fields

from hksz_db.domain.vocabulary import CorroborationVerdict, SourceRelationKind
from schemas.base import DocumentSchema
from schemas.fields import Choice, StrictInteger, Term, Uuid
from schemas.filters import integers, terms

_STEPS = (*(str(kind) for kind in SourceRelationKind), "derived_from")


class OriginCountSchema(DocumentSchema):
    """The number of sources, and of origins that are certainly independent."""

    sources = StrictInteger()
    origins = StrictInteger()


class PassedSourceSchema(DocumentSchema):
    """A source on the path to an origin."""

    source_id = Uuid()
    external_id = fields.String(allow_none=True)
    title = fields.String()
    retracted = fields.Boolean()


class StepSchema(PassedSourceSchema):
    """A step on the path to an origin; ``kind`` says how the source before relates to this one.

    ``derived_from`` relates passages, the other kinds relate sources.
    """

    kind = Choice("StepKind", _STEPS)


class ViaSchema(PassedSourceSchema):
    """A passage that leads to an origin: its source, and the steps from there."""

    evidence_id = Uuid()
    steps = fields.List(fields.Nested(StepSchema))


class OriginSchema(PassedSourceSchema):
    """A source at the end of paths.

    ``counted`` says whether it is counted as an origin. It is not counted if it has been retracted,
    or every source that leads to it. For a source that rests on several origins, only one is
    counted.
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
