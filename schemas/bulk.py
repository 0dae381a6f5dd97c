"""Schemas of calls with many items."""

from marshmallow import fields

from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from schemas.base import DocumentSchema, InputSchema
from schemas.fields import BoundedList, StrictInteger, Term, Uuid
from schemas.filters import QueryBoolean
from schemas.pages import ProblemErrorSchema, warnings
from schemas.parameters import Parameters

MAX_ITEMS = 1000


class BulkSchema(InputSchema):
    """A list of items; each is checked separately."""

    items = BoundedList(fields.Raw(allow_none=True), MAX_ITEMS, required=True)


BULK = Parameters(
    {
        "mode": Term(BulkMode, load_default="create"),
        "atomic": QueryBoolean(load_default=False),
    }
)
"""What becomes of items that exist already, and of all items if one is refused."""


class BulkResultSchema(DocumentSchema):
    """The result for one item; ``status`` is the status code of a single write."""

    index = StrictInteger()
    status = StrictInteger(200)
    outcome = Term(BulkOutcome)
    id = Uuid(allow_none=True)
    external_id = fields.String(allow_none=True)
    version = StrictInteger(1, allow_none=True)
    errors = fields.List(fields.Nested(ProblemErrorSchema))
    warnings = warnings()


class BulkMetaSchema(DocumentSchema):
    """The number of items with each outcome."""

    created = StrictInteger()
    updated = StrictInteger()
    unchanged = StrictInteger()
    ignored = StrictInteger()
    failed = StrictInteger()


class BulkAnswerSchema(DocumentSchema):
    """The results in the order of the items."""

    data = fields.List(fields.Nested(BulkResultSchema))
    meta = fields.Nested(BulkMetaSchema)
