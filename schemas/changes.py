"""The feed of changes on the wire."""

from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import ChangeKind
from schemas.base import DocumentSchema
from schemas.fields import Alternatives, Choice, Moment, StrictInteger, Term, Text, Uuid
from schemas.filters import QueryBoolean, QueryInteger
from schemas.parameters import MAX_PER_PAGE, Cursor, Names, Parameters

MAX_WAIT_S = 30
_NUMBER = "^[0-9]{1,19}$"


class TransactionNumber(Text):
    """The number of a transaction, as entries have it; loads as an integer."""

    def __init__(self, **kwargs: Any) -> None:
        hint = "Must be the number of a transaction."
        super().__init__(19, _NUMBER, hint, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return int(super()._deserialize(value, attr, data, **kwargs))


class ChangeSchema(DocumentSchema):
    """How one document changed in one transaction, and the document as it is now.

    ``due``: the last day that a planned claim's due date may cover has passed. ``document`` is null
    if the row has been deleted or merged; ``merged_into`` is the row that it was merged into. A
    transaction also changes a document if it changes what the document shows of other rows; the
    version stays the same then. ``document`` is as a read by id answers it, and is missing with
    ``document=false``.

    Without ``expand=true``, documents that only show what was changed in another one, as claims
    show the names of entities, have no entries. ``shown_in`` then names the resources that may have
    such documents; ``transaction=…&expand=true`` has their entries.
    """

    optional = ("document", "shown_in")
    id = Uuid()
    version = StrictInteger(1, allow_none=True)
    op = Term(ChangeKind)
    at = Moment()
    transaction = fields.String(metadata={"pattern": _NUMBER})
    actor = fields.String()
    merged_into = Uuid(allow_none=True)


class ChangesMetaSchema(DocumentSchema):
    """Where to go on, there or later, and whether anything follows yet.

    A page can hold fewer entries than it might, or none, before it has caught up.
    """

    next_cursor = fields.String()
    caught_up = fields.Boolean()
    per_page = StrictInteger(1)


def change_page_schema(documents: Mapping[str, type[Schema]]) -> type[Schema]:
    """A page of changes, in the order of their commits.

    ``documents`` has the schema of the documents of each resource.
    """
    changes = [
        _change_schema(resource, document, list(documents))
        for resource, document in documents.items()
    ]
    return DocumentSchema.from_dict(
        {
            "data": fields.List(Alternatives(changes, "resource", list(documents))),
            "meta": fields.Nested(ChangesMetaSchema),
        },
        name="ChangePageSchema",
    )


def _change_schema(resource: str, document: type[Schema], resources: list[str]) -> type[Schema]:
    model = document.__name__.removesuffix("Schema")
    return type(
        f"{model}ChangeSchema",
        (ChangeSchema,),
        {
            "__doc__": ChangeSchema.__doc__,
            "resource": fields.Constant(resource),
            "shown_in": fields.List(Choice("ResourceName", resources)),
            "document": fields.Nested(document, allow_none=True),
        },
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
            "expand": QueryBoolean(
                metadata={
                    "description": "`true` also gives entries of the documents that only show what"
                    " was changed. A mirror needs them."
                }
            ),
            "transaction": TransactionNumber(
                metadata={"description": "Only the changes of this transaction."}
            ),
            "per_page": QueryInteger(1, MAX_PER_PAGE, description="Entries on a page."),
            "wait": QueryInteger(
                maximum=MAX_WAIT_S,
                description="How many seconds to wait for a change if there is none yet.",
            ),
        },
        "changes",
    )
