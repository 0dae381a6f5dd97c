"""Claims that look alike, on the wire."""

from marshmallow import fields

from hksz_db.domain.vocabulary import AmountsFound, PeriodFound, WordsFound
from schemas.base import DocumentSchema
from schemas.fields import DecimalDocument, Term
from schemas.summaries import ReviewedClaimSummarySchema


class SimilarClaimSchema(DocumentSchema):
    """A claim that looks like the one it is shown with, and what speaks for and against that.

    ``similarity`` is that of the letters, from 0.45 to 1.00, with every number left out.
    ``words`` are those that bear meaning: ``reordered`` when they are the same in another order,
    ``contained`` when one claim has all that the other has, ``different`` when each has some of
    its own or when one has a word that turns it: of negation (not, never, without), of limits
    (before, after, outside, below), of quantity (all, few) or per cent. ``numbers`` are those in
    the words. Of ``figures`` those of the same metric, subject and modality in periods that
    overlap are compared by what a reader would understand: ``same`` when each of either claim
    shares a plausible value with one of the other, ``different`` also when both claims have
    figures and none can be compared, ``none`` when one has no figures. ``period`` is the time of
    the claims. ``likely_same`` are claims of one modality from a similarity of 0.60 on, when
    neither numbers, figures nor periods are different, and either the words are ``same`` or
    ``contained``, or the figures are the same and no word turns one of the claims.
    """

    claim = fields.Nested(ReviewedClaimSummarySchema)
    similarity = DecimalDocument()
    words = Term(WordsFound)
    numbers = Term(AmountsFound)
    figures = Term(AmountsFound)
    period = Term(PeriodFound)
    likely_same = fields.Boolean()
