"""The answers that hold documents: pages, groups, counts and problems."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import CorroborationVerdict, NotCompared, WarningCode
from schemas.base import DocumentSchema
from schemas.corroboration import CountedSidesSchema
from schemas.fields import Alternatives, Choice, StrictInteger, Term, Uuid
from schemas.parameters import COUNT_KINDS


class RankedSchema(DocumentSchema):
    """How many matches of ``q`` were ranked; ``all`` is false when there are more."""

    matches = StrictInteger()
    all = fields.Boolean()


class CountSchema(DocumentSchema):
    """How many rows the filters select, or ``at_least`` how many if not all were counted."""

    value = StrictInteger()
    kind = Choice("CountAccuracy", COUNT_KINDS)


class NotComparedCountSchema(DocumentSchema):
    """How many pairs of figures were not compared, and why."""

    reason = Term(NotCompared)
    count = StrictInteger(1)


class PageMetaSchema(Schema):
    """Where the next page begins; null on the last."""

    next_cursor = fields.String(required=True, allow_none=True)
    per_page = StrictInteger(1, required=True)
    ranked = fields.Nested(RankedSchema)
    count = fields.Nested(CountSchema)
    not_compared = fields.List(
        fields.Nested(NotComparedCountSchema),
        allow_none=True,
        metadata={
            "description": "In lists of the comparisons of a figure, a claim (`claim_id`), a metric"
            " or a subject, unless `verdict` is given. Null for a metric or a subject with more"
            " than 2,000 pairs."
        },
    )


class GroupMetaSchema(DocumentSchema):
    """What the groups are made by."""

    group_by = fields.List(fields.String())


class ProblemErrorSchema(Schema):
    """One thing that is wrong, and where: in the body or in the query string.

    If the request conflicts with a row, ``id`` and ``href`` are those of the row, and ``state`` is
    ``live``, ``merged`` or ``deleted``.
    """

    pointer = fields.String()
    parameter = fields.String()
    code = fields.String(required=True)
    detail = fields.String(required=True)
    id = Uuid()
    state = fields.String()
    href = fields.String()


class WriteWarningSchema(DocumentSchema):
    """A doubt about a row that was written; the pointer is as in the body of a new row."""

    code = Term(WarningCode)
    pointer = fields.String()
    detail = fields.String()


class ClaimVerdictSchema(DocumentSchema):
    """The verdict on the corroboration of a claim before and after a write.

    ``before`` is null for a new claim. ``if_accepted`` is the verdict if the evidence that was
    written were accepted, too, or if that of a written claim were. It is null unless exactly one
    piece of this evidence waits for review.
    """

    before = Term(CorroborationVerdict, allow_none=True)
    after = Term(CorroborationVerdict)
    if_accepted = Term(CorroborationVerdict, allow_none=True)


class ClaimCountsSchema(DocumentSchema):
    """The origins that count for and against a claim where ``ClaimVerdict`` has a verdict."""

    before = fields.Nested(CountedSidesSchema, allow_none=True)
    after = fields.Nested(CountedSidesSchema)
    if_accepted = fields.Nested(CountedSidesSchema, allow_none=True)


class ConsequencesSchema(DocumentSchema):
    """What a write would change for its claim; only in the answer to a dry run.

    ``not_compared`` counts the pairs of the written figure, or of the figures of the written claim,
    that would not be compared. It is null for evidence, and if there are more than 100 pairs.
    """

    claim_id = Uuid()
    verdict = fields.Nested(ClaimVerdictSchema)
    counts = fields.Nested(ClaimCountsSchema)
    not_compared = fields.List(fields.Nested(NotComparedCountSchema), allow_none=True)


class ProblemSchema(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = StrictInteger(400, required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(ProblemErrorSchema))


@cache
def document_schema(document: type[Schema], embeds: tuple[str, ...]) -> type[Schema]:
    """A document as a read without ``select`` answers with it; the ``embeds`` can be missing."""
    if not embeds:
        return document
    attributes = {"optional": embeds, "__doc__": document.__doc__}
    return type(document.__name__, (document,), attributes)


@cache
def selected_schema(document: type[Schema]) -> type[Schema]:
    """A document as a read with ``select`` answers with it."""
    model = document.__name__.removesuffix("Schema")
    attributes = {
        "optional": tuple(document._declared_fields),
        "__doc__": f"The fields of ``{model}`` that ``select`` names.",
    }
    return type(f"Selected{document.__name__}", (document,), attributes)


@cache
def written_schema(
    name: str, document: type[Schema], left_out: tuple[str, ...], *, is_consequential: bool
) -> type[Schema]:
    """A document as a write answers with it, without the fields that are ``left_out``."""
    further = {"consequences": fields.Nested(ConsequencesSchema)} if is_consequential else {}
    attributes = {
        "warnings": warnings(),
        **further,
        "optional": tuple(further),
        "Meta": type("Meta", (document.Meta,), {"exclude": left_out}),
        "__doc__": document.__doc__,
    }
    return type(f"Written{name}Schema", (document,), attributes)


def warnings() -> fields.List[Any]:
    """The field of the warnings about what was written."""
    return fields.List(fields.Nested(WriteWarningSchema), required=True)


@cache
def page_schema(name: str, *documents: type[Schema]) -> type[Schema]:
    """A page of documents, each of one of the schemas."""
    item = Alternatives(documents) if len(documents) > 1 else fields.Nested(*documents)
    return Schema.from_dict(
        {
            "data": fields.List(item, required=True),
            "meta": fields.Nested(PageMetaSchema, required=True),
        },
        name=f"{name}PageSchema",
    )


def groups_schema(name: str, groups: Iterable[str]) -> type[Schema]:
    """Groups with the number of their rows."""
    group = Schema.from_dict(
        {
            "count": StrictInteger(1, required=True),
            **{group: fields.String(allow_none=True) for group in groups},
        },
        name=f"{name}GroupSchema",
    )
    return Schema.from_dict(
        {
            "data": fields.List(fields.Nested(group), required=True),
            "meta": fields.Nested(GroupMetaSchema, required=True),
        },
        name=f"{name}GroupsSchema",
    )
