"""Many items in one call on the wire."""

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from schemas.base import DocumentSchema, InputSchema
from schemas.fields import BoundedList, StrictInteger, Term, Uuid
from schemas.pages import ProblemErrorSchema

MAX_ITEMS = 1000


class BulkSchema(InputSchema):
    """Many items, each of which is read on its own."""

    items = BoundedList(fields.Raw(allow_none=True), MAX_ITEMS, required=True)


class BulkParametersSchema(Schema):
    """What becomes of items that are there already, and of all when one is refused."""

    mode = Term(BulkMode, load_default="create")
    atomic = fields.Boolean(truthy={"true"}, falsy={"false"}, load_default=False)


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
