"""The schema of similar claims."""

from marshmallow import fields

from hksz_db.domain.vocabulary import AmountsFound, PeriodFound, WordsFound
from schemas.base import DocumentSchema
from schemas.fields import DecimalDocument, Term
from schemas.summaries import ReviewedClaimSummarySchema


class SimilarClaimSchema(DocumentSchema):
    """A claim that resembles this one, and the evidence for and against their being the same.

    It has similar letters, or a figure that may be equal to one of this claim, whatever its words
    or its language: with the same metric, subject, modality and breakdown, a plausible range that
    shares a value, and an overlapping period. ``similarity`` compares the letters without numbers,
    and is at most 1.00; without such a figure it is at least 0.45. ``words`` compares the words
    without stop words. They are ``reordered`` if they are the same in another order, ``contained``
    if one claim has all words of the other, and ``different`` if each has words of its own, or one
    has a word that changes the meaning: a negation (not, never, without), a limit (before, after,
    outside, below), a quantity (all, few) or per cent. ``numbers`` compares the numbers in the
    statements. ``figures`` compares the plausible ranges of figures with the same metric, subject
    and modality in overlapping periods. They are ``same`` if each figure shares a plausible value
    with one of the other claim, ``different`` also if both claims have figures but none can be
    compared, and ``none`` if one claim has no figures. ``period`` compares the times of the claims.
    In Chinese, ``similarity`` compares pairs of characters, and each character counts as a word;
    the script makes no difference. ``likely_same`` is true for claims of the same modality and a
    similarity of at least 0.60, if neither numbers, figures nor periods are different, and if
    either the words are ``same`` or ``contained``, or the figures are the same and no word changes
    the meaning.
    """

    claim = fields.Nested(ReviewedClaimSummarySchema)
    similarity = DecimalDocument()
    words = Term(WordsFound)
    numbers = Term(AmountsFound)
    figures = Term(AmountsFound)
    period = Term(PeriodFound)
    likely_same = fields.Boolean()
