"""Many items in one call on the wire."""

from marshmallow import fields

from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from schemas.base import DocumentSchema, InputSchema
from schemas.fields import BoundedList, StrictInteger, Term, Uuid
from schemas.filters import QueryBoolean
from schemas.pages import ProblemErrorSchema
from schemas.parameters import Parameters

MAX_ITEMS = 1000


class BulkSchema(InputSchema):
    """Many items, each of which is read on its own."""

    items = BoundedList(fields.Raw(allow_none=True), MAX_ITEMS, required=True)


BULK = Parameters(
    {
        "mode": Term(BulkMode, load_default="create"),
        "atomic": QueryBoolean(load_default=False),
    }
)
"""What becomes of items that exist already, and of all items if one is refused."""


class BulkResultSchema(DocumentSchema):
    """What became of an item: the status is what a single write would answer."""

    index = StrictInteger(required=True)
    status = StrictInteger(200, required=True)
    outcome = Term(BulkOutcome, required=True)
    id = Uuid(required=True, allow_none=True)
    external_id = fields.String(required=True, allow_none=True)
    version = StrictInteger(1, required=True, allow_none=True)
    errors = fields.List(fields.Nested(ProblemErrorSchema), required=True)


class BulkMetaSchema(DocumentSchema):
    """How many items came to which end."""

    created = StrictInteger(required=True)
    updated = StrictInteger(required=True)
    unchanged = StrictInteger(required=True)
    ignored = StrictInteger(required=True)
    failed = StrictInteger(required=True)


class BulkAnswerSchema(DocumentSchema):
    """A result for each item, in their order."""

    data = fields.List(fields.Nested(BulkResultSchema), required=True)
    meta = fields.Nested(BulkMetaSchema, required=True)
