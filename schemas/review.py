"""The schemas of the queue of reviews."""

from marshmallow import fields

from hksz_db.domain.vocabulary import ClaimStatus, CorroborationVerdict, ReviewReason, Stance
from schemas.base import DocumentSchema, RowSchema
from schemas.comparisons import ComparisonsSchema
from schemas.fields import Choice, Moment, StrictInteger, Term
from schemas.similar_claims import SimilarClaimSchema
from schemas.summaries import SourceSummarySchema


class SubmittedClaimSchema(RowSchema):
    """The claim that is reviewed, or whose evidence is."""

    statement = fields.String()
    status = Term(ClaimStatus)
    version = StrictInteger(1)


class SubmittedEvidenceSchema(RowSchema):
    """The evidence that is reviewed."""

    stance = Term(Stance)
    source = fields.Nested(SourceSummarySchema)
    added_by = fields.String()
    version = StrictInteger(1)


class VerdictChangeSchema(DocumentSchema):
    """The verdict on the corroboration of a claim, now and if the evidence were accepted."""

    now = Term(CorroborationVerdict)
    after = Term(CorroborationVerdict)


class ReviewEffectSchema(DocumentSchema):
    """What would change if the row were accepted.

    ``verdict`` is set for evidence only. ``contradictions`` are comparisons of the figures of the
    claim with those of accepted claims, and ``duplicates`` are accepted and submitted claims that
    are likely the same; both are empty for evidence.
    """

    verdict = fields.Nested(VerdictChangeSchema, allow_none=True)
    contradictions = fields.Nested(ComparisonsSchema)
    duplicates = fields.List(fields.Nested(SimilarClaimSchema))


class ReviewEntrySchema(DocumentSchema):
    """A submitted claim, or submitted evidence, that waits for a review.

    Claims whose figures contradict accepted claims come first, then claims that are likely
    duplicates, then all others; in each group, those that have waited longest come first.
    ``evidence`` is null if the claim itself is reviewed. The queue is computed when it is read: a
    row may move between two pages.
    """

    kind = Choice("SubmissionKind", ["claim", "evidence"])
    reason = Term(ReviewReason)
    submitted_at = Moment()
    claim = fields.Nested(SubmittedClaimSchema)
    evidence = fields.Nested(SubmittedEvidenceSchema, allow_none=True)
    effect = fields.Nested(ReviewEffectSchema)
