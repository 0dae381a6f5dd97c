"""The history of a row: its versions, and how two of them differ."""

from functools import cache
from typing import Any

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import HistoryOp
from schemas.base import DocumentSchema
from schemas.fields import Moment, StrictInteger, Term


class VersionEntrySchema(DocumentSchema):
    """What one transaction made of a row: who, when, in which request, and which fields of it.

    ``actor`` is the label of a key, a seed, or a role of the database. ``changed`` names the
    fields that differ from the version before, also where what differs is a row of its own, as a
    claim's ``figures`` and ``evidence`` are; what only follows from other rows is not named.
    ``version`` is null where the row was removed at the database itself. Numbers may be skipped,
    because a transaction that counts twice leaves one version, and stand twice, because whoever
    writes at the database itself need not count.
    """

    version = StrictInteger(1, allow_none=True)
    at = Moment()
    actor = fields.String()
    request_id = fields.String(allow_none=True)
    op = Term(HistoryOp)
    changed = fields.List(fields.String())


class DifferenceSchema(DocumentSchema):
    """What stands at a JSON pointer (RFC 6901) in one document and in the other.

    Items of arrays are compared by what they are, wherever they stand; their order counts among
    contributors only. ``before`` is null where an item was added, ``after`` where it was taken
    away. The pointer is into the later document where an item was added, else into the earlier;
    applied in their order, the differences make the later document of the earlier.
    """

    pointer = fields.String()
    before = fields.Raw(allow_none=True)
    after = fields.Raw(allow_none=True)


VersionDifferencesSchema = DocumentSchema.from_dict(
    {
        "from": StrictInteger(),
        "to": StrictInteger(),
        "differences": fields.List(fields.Nested(DifferenceSchema)),
    },
    name="VersionDifferencesSchema",
)


@cache
def version_schema(name: str, document: type[Schema]) -> type[Schema]:
    """A version with the document as it was in it."""
    known: dict[str, Any] = {
        "until": Moment(allow_none=True),
        "document": fields.Nested(document, allow_none=True),
    }
    model: type[Schema] = type(
        f"{name}VersionSchema",
        (VersionEntrySchema,),
        {
            "__doc__": "A version: ``until`` the next, null for the last, and the ``document``"
            " as it was when its transaction was committed, null when it was deleted then.",
            **known,
        },
    )
    return model
