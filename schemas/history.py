"""Schemas of the history of a row: its versions, and their differences."""

from functools import cache
from typing import Any

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import HistoryOp
from schemas.base import DocumentSchema
from schemas.fields import Alternatives, Moment, StrictInteger, Term


class VersionEntrySchema(DocumentSchema):
    """What one transaction did to a row: who, when, in which request, and to which fields.

    ``actor`` is the label of a key, a seed, or a database role. ``changed`` names the fields that
    differ from the version before. It includes lists of separate rows, such as the ``figures`` and
    ``evidence`` of a claim, but not fields that are derived from other rows. ``version`` is null if
    the row was removed directly in the database. A number can be skipped, because a transaction
    that counts twice leaves one version, and can be repeated, because a direct write to the
    database need not count.
    """

    version = StrictInteger(1, allow_none=True)
    at = Moment()
    actor = fields.String()
    request_id = fields.String(allow_none=True)
    op = Term(HistoryOp)
    changed = fields.List(fields.String())


class DifferenceSchema(DocumentSchema):
    """The values at a JSON pointer (RFC 6901) in the earlier and the later document.

    Array items are compared by identity, not by position; order matters only for contributors.
    ``before`` is null if an item was added, ``after`` if it was removed. The pointer of an added
    item is into the later document, any other into the earlier. Applied in order, the differences
    turn the earlier document into the later one.
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
def version_schema(name: str, *documents: type[Schema]) -> type[Schema]:
    """The schema of a version with its document, of one of the schemas."""
    known: dict[str, Any] = {
        "until": Moment(allow_none=True),
        "document": Alternatives(documents, allow_none=True),
    }
    model: type[Schema] = type(
        f"{name}VersionSchema",
        (VersionEntrySchema,),
        {
            "__doc__": "A version. ``until`` is the time of the next version, and null for the last"
            " one. ``document`` is the document when the transaction was committed, and null if the"
            " transaction deleted the row.",
            **known,
        },
    )
    return model
