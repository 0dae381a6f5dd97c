"""The documents that PostgreSQL writes match the schemas that describe them."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from marshmallow import Schema, fields
from sqlalchemy import Boolean, Column, ColumnElement, Date, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.documents import (
    DecimalText,
    First,
    Group,
    Json,
    Many,
    Node,
    One,
    Opaque,
    TimestampText,
    Values,
)
from hksz_db.queries.readable import Queryable
from hksz_db.queries.registry import RESOURCES
from schemas.fields import Breakdown, DecimalDocument, NameLanguage

# Subtypes come before their base types.
TYPES: list[tuple[type[TypeEngine[Any]], type[fields.Field[Any]]]] = [
    (Uuid, fields.UUID),
    (DecimalText, DecimalDocument),
    (TimestampText, fields.AwareDateTime),
    (Boolean, fields.Boolean),
    (Integer, fields.Integer),
    (Date, fields.Date),
    (Text, fields.String),
    (JSONB, Breakdown),
    # Fields written as SQL text; the tests over HTTP check them with the schema.
    (Json, fields.List),
]


@pytest.mark.parametrize("queryable", [*RESOURCES.values(), COMPARISONS], ids=lambda q: q.name)
def test_documents_match_their_schemas(queryable: Queryable) -> None:
    assert list(differences(queryable.document, queryable.schema(), queryable.name)) == []


def differences(document: Mapping[str, Node], schema: Schema, path: str) -> Iterator[str]:
    added = {n for n, field in schema.fields.items() if isinstance(field, NameLanguage)}
    for name in document.keys() ^ schema.fields.keys() - added:
        yield f"{path}.{name} is in one of the two only"
    for name in document.keys() & schema.fields.keys():
        yield from difference(document[name], schema.fields[name], f"{path}.{name}")


def difference(node: Node, field: fields.Field[Any], path: str) -> Iterator[str]:
    match node, field:
        case Group(inner), fields.Nested(schema=schema) if not schema.many:
            yield from differences(inner, schema, path)
        case One(_, on, inner), fields.Nested(schema=schema) if not schema.many:
            yield from differences(inner, schema, path)
            # The condition compares the row's own key with the one that refers to it.
            yield from nullability(on.right, field, path)
        case Many(_, _, inner), fields.List(inner=fields.Nested(schema=schema)):
            yield from differences(inner, schema, path)
        case First(_, _, inner), fields.Nested(schema=schema) if schema.fields.keys() == {
            "data",
            "all",
        }:
            row = schema.fields["data"]
            assert isinstance(row, fields.List)
            assert isinstance(row.inner, fields.Nested)
            yield from differences(inner, row.inner.schema, path)
        case Values(column), fields.List(inner=inner):
            yield from difference(column, inner, path)
        case ((Group() | One() | Many() | First() | Values()), _):
            yield f"{path} is {type(node).__name__} and {type(field).__name__}"
        case Opaque(value), _:
            yield from difference(value, field, path)
        case ColumnElement() as column, _:
            if field_type(column.type) is not field_type_of(field):
                yield f"{path} is {column.type!r} and {type(field).__name__}"
            yield from nullability(column, field, path)


def nullability(column: object, field: fields.Field[Any], path: str) -> Iterator[str]:
    if isinstance(column, Column) and column.nullable is not field.allow_none:
        yield f"{path} may be null in one of the two only"


def field_type(column_type: TypeEngine[Any]) -> type[fields.Field[Any]]:
    return next(field for sql, field in TYPES if isinstance(column_type, sql))


def field_type_of(field: fields.Field[Any]) -> type[fields.Field[Any]]:
    return next(known for _, known in TYPES if isinstance(field, known))
