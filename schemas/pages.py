"""What surrounds documents on the wire: pages, questions, counts, problems."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from marshmallow import RAISE, Schema, fields

from schemas.base import DocumentSchema
from schemas.fields import Choice, Moment, StrictInteger
from schemas.filters import Filter, ValueList


def _count_kind(**described: Any) -> Choice:
    return Choice("CountKind", ["exact", "estimated"], **described)


class RankedSchema(DocumentSchema):
    """How many matches of ``q`` were ranked; ``all`` is false when there are more."""

    matches = StrictInteger()
    all = fields.Boolean()


class CountSchema(DocumentSchema):
    """How many rows the filters select."""

    value = StrictInteger()
    kind = _count_kind()


class PageMetaSchema(Schema):
    """Where the next page begins; null on the last."""

    next_cursor = fields.String(required=True, allow_none=True)
    per_page = StrictInteger(1, required=True)
    ranked = fields.Nested(RankedSchema)
    count = fields.Nested(CountSchema)


class GroupMetaSchema(DocumentSchema):
    """What the groups are made by."""

    group_by = fields.List(fields.String())


class ProblemErrorSchema(Schema):
    """One thing that is wrong, and where: in the body or in the query string."""

    pointer = fields.String()
    parameter = fields.String()
    code = fields.String(required=True)
    detail = fields.String(required=True)


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
def page_schema(name: str, document: type[Schema]) -> type[Schema]:
    """A page of documents."""
    return Schema.from_dict(
        {
            "data": fields.List(fields.Nested(document), required=True),
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


def tree_schema(name: str, filters: Mapping[str, Filter]) -> type[Schema]:
    """A tree of filters: all that stand in one object must hold."""

    class Meta:
        unknown = RAISE

    def again() -> Schema:
        return tree()

    tree: type[Schema] = type(
        f"{name}FilterSchema",
        (Schema,),
        {
            "__doc__": "A tree of filters: all that stand in one object must hold.",
            "Meta": Meta,
            **{parameter: known.field for parameter, known in filters.items()},
            "and": fields.List(fields.Nested(again)),
            "or": fields.List(fields.Nested(again)),
            "not": fields.Nested(again),
        },
    )
    return tree


def options(
    model: str,
    sorts: Iterable[str],
    selectable: Iterable[str],
    embeds: Iterable[str],
    searchable: bool,
    max_per_page: int,
) -> dict[str, fields.Field[Any]]:
    """The parameters of a list of ``model`` besides its filters."""
    orders = [order for name in sorts for order in (name, f"-{name}")]
    found: dict[str, fields.Field[Any]] = {
        "select": _names(f"{model}Select", selectable, "The fields to answer with."),
        "per_page": fields.Integer(
            metadata={"minimum": 1, "maximum": max_per_page, "description": "Rows on a page."}
        ),
        "cursor": fields.String(metadata={"description": "Where a page before this one ended."}),
        "as_of": Moment(
            metadata={"description": "Answer as at this moment, from what was committed by then."}
        ),
        "count": _count_kind(metadata={"description": "Count the rows that the filters select."}),
    }
    if orders:
        keys = "Keys to sort by; a hyphen before a key descends."
        found["sort"] = _names(f"{model}Sort", orders, keys)
    if embeds:
        found["include"] = _names(f"{model}Include", embeds, "What to embed; empty for nothing.")
    if searchable:
        found["q"] = fields.String(
            metadata={
                "description": "Words to search for; quotes, OR and a leading hyphen work as on"
                " the web. Without sort the newest matches come in the order of their rank.",
                "maxLength": 500,
            }
        )
    return found


def grouping(model: str, groups: Iterable[str]) -> fields.Field[Any]:
    """The parameter that says by which fields to count."""
    return _names(f"{model}GroupBy", groups, "The fields to group by.", required=True)


def _names(model: str, names: Iterable[str], description: str, **kwargs: Any) -> ValueList:
    return ValueList(Choice(model, names), metadata={"description": description}, **kwargs)
