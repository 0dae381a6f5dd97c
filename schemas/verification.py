"""What came of holding a text against the locators of a source."""

from marshmallow import fields

from hksz_db.domain.vocabulary import Normalization
from schemas.base import DocumentSchema
from schemas.fields import Choice, Sha256, StrictInteger, Term, Uuid


class LocatorFindingSchema(DocumentSchema):
    """What became of one span.

    ``exact``: its words stand where the locator says; ``moved``: they stand elsewhere, of several
    places where most of what stood beside them does, of several such the nearest; ``missing``:
    they were not found. ``start_char`` and ``end_char`` are of the place in the caller's text,
    null when missing. ``searched`` says of a missing span whether it was looked for everywhere,
    or, since a long text takes too long for that, only where its neighbours and its surroundings
    are; otherwise it is null.
    """

    evidence_id = Uuid()
    claim_id = Uuid()
    result = Choice("LocatorResult", ["exact", "moved", "missing"])
    start_char = StrictInteger(allow_none=True)
    end_char = StrictInteger(1, allow_none=True)
    searched = Choice("LocatorSearched", ["everywhere", "surroundings"], allow_none=True)


class VerificationSchema(DocumentSchema):
    """A text held against a source: the text's measure, and what became of each span.

    ``capture`` is ``same`` when a copy with this hash was held, ``different`` when only others
    were, ``unknown`` when none was. ``locators`` are those of the source's evidence in the order
    of their places; ``without_locator`` counts the evidence that has none.
    """

    source_id = Uuid()
    normalization = Term(Normalization)
    char_length = StrictInteger(1)
    text_sha256 = Sha256()
    capture = Choice("CaptureFound", ["same", "different", "unknown"])
    without_locator = StrictInteger()
    locators = fields.List(fields.Nested(LocatorFindingSchema))
