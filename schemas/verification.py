"""What came of holding a text against the locators of a source."""

from marshmallow import fields, validate

from hksz_db.vocabulary import Normalization
from schemas.base import DocumentSchema
from schemas.fields import Sha256, StrictInteger, Term, Uuid


class LocatorFindingSchema(DocumentSchema):
    """What became of one span.

    ``exact``: its words stand where the locator says; ``moved``: they stand elsewhere, of several
    places where most of what stood beside them does, of several such the nearest; ``missing``:
    they were not found. ``start_char`` and ``end_char`` are of the place in the caller's text,
    null when missing. ``searched`` says of a missing span whether it was looked for everywhere,
    or, since a long text takes too long for that, only where its neighbours and its surroundings
    are; otherwise it is null.
    """

    evidence_id = Uuid(required=True)
    claim_id = Uuid(required=True)
    result = fields.String(required=True, validate=validate.OneOf(["exact", "moved", "missing"]))
    start_char = StrictInteger(required=True, allow_none=True)
    end_char = StrictInteger(1, required=True, allow_none=True)
    searched = fields.String(
        required=True,
        allow_none=True,
        validate=validate.OneOf(["everywhere", "surroundings", None]),
    )


class VerificationSchema(DocumentSchema):
    """A text held against a source: the text's measure, and what became of each span.

    ``capture`` is ``same`` when a copy with this hash was held, ``different`` when only others
    were, ``unknown`` when none was. ``locators`` are those of the source's evidence in the order
    of their places; ``without_locator`` counts the evidence that has none.
    """

    source_id = Uuid(required=True)
    normalization = Term(Normalization, required=True)
    char_length = StrictInteger(1, required=True)
    text_sha256 = Sha256(required=True)
    capture = fields.String(
        required=True, validate=validate.OneOf(["same", "different", "unknown"])
    )
    without_locator = StrictInteger(required=True)
    locators = fields.List(fields.Nested(LocatorFindingSchema), required=True)
