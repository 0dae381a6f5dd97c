"""The feed of changes on the wire."""

from collections.abc import Iterable
from functools import cache

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import ChangeKind
from schemas.base import DocumentSchema
from schemas.fields import Choice, Moment, StrictInteger, Term, Uuid
from schemas.filters import QueryBoolean, QueryInteger
from schemas.parameters import MAX_PER_PAGE, Cursor, Names, Parameters

MAX_WAIT_S = 30


class ChangeSchema(DocumentSchema):
    """How one document changed in one transaction, and the document as it is now.

    ``due``: the last day that a planned claim's due date may cover has passed. ``document`` is null
    if the row has been deleted or merged; ``merged_into`` is the row that it was merged into. A
    transaction also changes a document if it changes what the document shows of other rows; the
    version stays the same then.
    """

    id = Uuid(required=True)
    version = StrictInteger(1, required=True, allow_none=True)
    op = Term(ChangeKind, required=True)
    at = Moment(required=True)
    transaction = fields.String(required=True, metadata={"pattern": "^[0-9]{1,19}$"})
    actor = fields.String(required=True)
    merged_into = Uuid(required=True, allow_none=True)


class ChangesMetaSchema(DocumentSchema):
    """Where to go on, there or later, and whether anything follows yet.

    A page can hold fewer entries than it might, or none, before it has caught up.
    """

    next_cursor = fields.String(required=True)
    caught_up = fields.Boolean(required=True)
    per_page = StrictInteger(1, required=True)


@cache
def change_page_schema(models: tuple[tuple[str, str], ...]) -> type[Schema]:
    """A page of changes, in the order in which they were committed.

    ``models`` are the resources, each with the name of its document in the OpenAPI document.
    """
    documents = [{"$ref": f"#/components/schemas/{model}"} for _, model in models]
    change = type(
        "ChangeSchema",
        (ChangeSchema,),
        {
            "__doc__": ChangeSchema.__doc__,
            "resource": Choice("ResourceName", [name for name, _ in models], required=True),
            "document": fields.Raw(
                metadata={
                    "anyOf": [*documents, {"type": "null"}],
                    "description": "As a read by id answers it; missing with `document=false`.",
                }
            ),
        },
    )
    return DocumentSchema.from_dict(
        {
            "data": fields.List(fields.Nested(change), required=True),
            "meta": fields.Nested(ChangesMetaSchema, required=True),
        },
        name="ChangePageSchema",
    )


def changes_parameters(resources: Iterable[str]) -> Parameters:
    """The parameters of the feed of these resources."""
    return Parameters(
        {
            "cursor": Cursor(
                metadata={
                    "description": "Where a page ended, or `now` for later changes only. Without"
                    " it the feed starts at its beginning, with all rows of that time."
                }
            ),
            "resource": Names("ResourceName", resources, "The resources; all by default."),
            "document": QueryBoolean(metadata={"description": "`false` leaves the documents out."}),
            "per_page": QueryInteger(1, MAX_PER_PAGE, description="Entries on a page."),
            "wait": QueryInteger(
                maximum=MAX_WAIT_S,
                description="How many seconds to wait for a change if there is none yet.",
            ),
        },
        "changes",
    )
