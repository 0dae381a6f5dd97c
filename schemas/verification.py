"""The schema of the verification of a text against the locators of a source."""

from marshmallow import fields

from hksz_db.domain.vocabulary import Normalization
from schemas.base import DocumentSchema, InputSchema
from schemas.fields import Choice, Sha256, StrictInteger, Term, Uuid


class LocatorFindingSchema(DocumentSchema):
    """The result for one span.

    ``exact``: the words are at the stated place. ``moved``: they are elsewhere, with the same
    surroundings on both sides, or on one side that no other place has. ``same_but_typography``:
    words that differ only in typography are there, with such surroundings. ``elsewhere``: the words
    have other surroundings, so that it may be another passage. ``missing``: they were not found. Of
    several places the one with the most context is chosen, and of equal ones the nearest.

    ``start_char`` and ``end_char`` are offsets in your text in the form ``nfc-ws1``, and null if
    the span is missing. ``surroundings`` says on which sides the 32 code points beside the words
    are the same; with a loose locator, typography makes no difference to that. ``searched`` says
    where a missing span was looked for: everywhere, or, in a text too long for that, only near its
    neighbours and its context. It is null for other spans.
    """

    evidence_id = Uuid()
    claim_id = Uuid()
    result = Choice(
        "LocatorResult", ["exact", "same_but_typography", "moved", "elsewhere", "missing"]
    )
    start_char = StrictInteger(allow_none=True)
    end_char = StrictInteger(1, allow_none=True)
    surroundings = Choice("Surroundings", ["both", "before", "after", "none"], allow_none=True)
    searched = Choice("LocatorSearched", ["everywhere", "surroundings"], allow_none=True)


class TextToVerifySchema(InputSchema):
    """Your copy of the text of a source."""

    text = fields.String(required=True, metadata={"minLength": 1})


class VerificationSchema(DocumentSchema):
    """A text compared with a source: its length and hash, and the result for each span.

    ``capture`` is ``same`` if the source has a capture with this hash, ``different`` if it only has
    others, and ``unknown`` if it has none. ``locators`` are those of the evidence of the source, in
    the order of their places. ``without_locator`` is the number of pieces of evidence without one.
    """

    source_id = Uuid()
    normalization = Term(Normalization)
    char_length = StrictInteger(1)
    text_sha256 = Sha256()
    capture = Choice("CaptureFound", ["same", "different", "unknown"])
    without_locator = StrictInteger()
    locators = fields.List(fields.Nested(LocatorFindingSchema))
