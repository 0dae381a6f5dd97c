"""The schema of the corroboration of a claim."""

from marshmallow import fields

from hksz_db.domain.vocabulary import (
    CorroborationVerdict,
    HintKind,
    SourceRelationKind,
    Standing,
    Uncounted,
)
from schemas.base import DocumentSchema
from schemas.fields import Choice, StrictInteger, Term, Uuid
from schemas.filters import integers, terms
from schemas.summaries import EntitySummarySchema

_STEPS = (*(str(kind) for kind in SourceRelationKind), "derived_from")


class OriginCountSchema(DocumentSchema):
    """The counts of one side.

    ``origins`` is the sum of ``own`` (with the voice of the claimant), ``independent`` and
    ``parties``; no two origins share a voice. ``pending`` is the evidence that waits for review,
    which counts nowhere else.
    """

    sources = StrictInteger()
    origins = StrictInteger()
    own = StrictInteger()
    independent = StrictInteger()
    parties = StrictInteger()
    pending = StrictInteger()


class CountedOriginsSchema(DocumentSchema):
    """How many origins count on one side, as in ``OriginCount``."""

    origins = StrictInteger()
    own = StrictInteger()
    independent = StrictInteger()
    parties = StrictInteger()


CountedSidesSchema = DocumentSchema.from_dict(
    {
        "for": fields.Nested(CountedOriginsSchema),
        "against": fields.Nested(CountedOriginsSchema),
    },
    name="CountedSidesSchema",
)


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

    ``counted`` says whether it is counted as an origin; ``evidence`` says why not. For a source
    that rests on several origins, only one is counted.
    """

    stance = Choice("OriginStance", ["for", "against"])
    counted = fields.Boolean()
    via = fields.List(fields.Nested(ViaSchema))


class WeighedEvidenceSchema(PassedSourceSchema):
    """A piece of evidence as it was weighed; ``stance`` is null for a mention.

    ``voice`` is who speaks: those who publish and write its origins, or the entity that the passage
    is attributed to, with those that own or employ them.
    """

    evidence_id = Uuid()
    stance = Choice("OriginStance", ["for", "against"], allow_none=True)
    origin_ids = fields.List(Uuid())
    voice = fields.List(fields.Nested(EntitySummarySchema))
    standing = Term(Standing)
    counted = fields.Boolean()
    reason = Term(Uncounted, allow_none=True)


class HintedEvidenceSchema(DocumentSchema):
    """A piece of evidence that a hint is about."""

    evidence_id = Uuid()
    source_id = Uuid()
    title = fields.String()


class HintSchema(DocumentSchema):
    """What may be wrong with the evidence; no hint changes a count or the verdict.

    ``evidence`` are two pieces, of which the first was published first; ``days`` are those between
    the two at most.
    """

    kind = Term(HintKind)
    days = StrictInteger()
    evidence = fields.List(fields.Nested(HintedEvidenceSchema))


CorroborationSchema = DocumentSchema.from_dict(
    {
        "verdict": Term(CorroborationVerdict),
        "recounting": fields.Boolean(
            metadata={
                "description": "Whether the claim waits for a recount after a change that affects"
                " many claims. Until then the verdict and the counts are those from before."
            }
        ),
        "for": fields.Nested(OriginCountSchema),
        "against": fields.Nested(OriginCountSchema),
        "origins": fields.List(fields.Nested(OriginSchema)),
        "evidence": fields.List(fields.Nested(WeighedEvidenceSchema)),
        "hints": fields.List(
            fields.Nested(HintSchema),
            metadata={"description": "At most 10 hints, those of the fewest days first."},
        ),
    },
    name="CorroborationSchema",
)

_COUNTS = tuple(OriginCountSchema._declared_fields)
CORROBORATION_KINDS = {
    "verdict": terms(CorroborationVerdict),
    **{count: integers() for count in _COUNTS},
    **{f"{count}_against": integers() for count in _COUNTS},
}
