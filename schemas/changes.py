"""The feed of changes on the wire."""

from typing import Any

from marshmallow import fields

from hksz_db.domain.vocabulary import ChangeKind
from schemas.base import DocumentSchema
from schemas.fields import Choice, Moment, StrictInteger, Term, Uuid
from schemas.filters import QueryBoolean, QueryInteger
from schemas.parameters import MAX_PER_PAGE, Cursor, Names, Parameters

MAX_WAIT_S = 30
_RESOURCES = ("sources", "claims", "entities", "figures", "evidence", "metrics", "units")
_DOCUMENTS = ("Source", "Claim", "Entity", "Figure", "Evidence", "Metric", "Unit")
_ANY_DOCUMENT = [
    *({"$ref": f"#/components/schemas/{name}"} for name in _DOCUMENTS),
    {"type": "null"},
]


def _resource(**kwargs: Any) -> Choice:
    return Choice("ResourceName", _RESOURCES, **kwargs)


class ChangeSchema(DocumentSchema):
    """What became of one document in one transaction, and the document as it is now.

    ``due``: the last day that a planned claim's due date may cover has passed. ``document`` is
    null where there is none any more, and what was merged says into which. A transaction changes a
    document when it changes what the document shows of others, too; its version is the same then.
    """

    resource = _resource(required=True)
    id = Uuid(required=True)
    version = StrictInteger(1, required=True, allow_none=True)
    op = Term(ChangeKind, required=True)
    at = Moment(required=True)
    transaction = fields.String(required=True, metadata={"pattern": "^[0-9]{1,19}$"})
    actor = fields.String(required=True)
    merged_into = Uuid(required=True, allow_none=True)
    document = fields.Raw(
        metadata={
            "anyOf": _ANY_DOCUMENT,
            "description": "As a read by id gives it; missing where none are asked for.",
        }
    )


class ChangesMetaSchema(DocumentSchema):
    """Where to go on, there or later, and whether anything follows yet.

    A page can hold fewer entries than it might, or none, before it has caught up.
    """

    next_cursor = fields.String(required=True)
    caught_up = fields.Boolean(required=True)
    per_page = StrictInteger(1, required=True)


class ChangePageSchema(DocumentSchema):
    """Changes in the order in which they were committed."""

    data = fields.List(fields.Nested(ChangeSchema), required=True)
    meta = fields.Nested(ChangesMetaSchema, required=True)


CHANGES_PARAMETERS = Parameters(
    {
        "cursor": Cursor(
            metadata={
                "description": "Where a page ended, or `now`: from this moment on. Without it the"
                " feed begins at its beginning, with all that was there."
            }
        ),
        "resource": Names("ResourceName", _RESOURCES, "Of which resources; without it of all."),
        "document": QueryBoolean(metadata={"description": "`false` leaves the documents out."}),
        "per_page": QueryInteger(1, MAX_PER_PAGE, description="Entries on a page."),
        "wait": QueryInteger(
            maximum=MAX_WAIT_S,
            description="For how many seconds to wait where there is nothing yet.",
        ),
    },
    "changes",
)
"""The parameters of the feed."""
