"""The language of the names in an answer: ``lang``, or ``Accept-Language``.

PostgreSQL writes every document with the names under which entities are shown. For a client that
prefers languages, the names are replaced afterwards, wherever the schema of the answer has them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from flask import request
from marshmallow import Schema, fields

from hksz_db.domain.languages import Preference, is_language_tag
from hksz_db.domain.strict_json import compact
from hksz_db.http.requests import database
from hksz_db.queries.entity_names import Name, names_in
from schemas.base import nested_schema
from schemas.fields import NameLanguage

_MAX_LANGUAGES = 20


class Localized(NamedTuple):
    """A JSON text, and the languages of the names in it if a client prefers languages."""

    body: bytes
    languages: tuple[str, ...] = ()


def preference(lang: str | None) -> Preference | None:
    """What the client prefers: the parameter ``lang``, or the header; ``None`` without both."""
    if lang is not None:
        return Preference((lang,))
    if "Accept-Language" not in request.headers:
        return None
    accepted = [
        (tag, quality)
        for tag, quality in [*request.accept_languages][:_MAX_LANGUAGES]
        if tag != "*" and is_language_tag(tag)
    ]
    wanted = tuple(tag for tag, quality in accepted if quality > 0)
    refused = tuple(tag for tag, quality in accepted if quality == 0)
    return Preference(wanted, refused) if wanted else None


def read_with(
    schema: type[Schema], names: tuple[str, ...], preferred: Preference | None
) -> tuple[str, ...]:
    """The fields to read for those that are chosen: names are looked up by the id."""
    if preferred is None or "id" in names or "name" not in names or not _shape(schema).is_entity:
        return names
    return ("id", *names)


def localized(
    body: bytes,
    schema: type[Schema],
    names: tuple[str, ...] | None,
    preferred: Preference | None,
    as_of: datetime | None,
) -> Localized:
    """A document, or an array of documents, with the names of entities in a preferred language.

    ``names`` are the chosen fields, if fields can be chosen.
    """
    if preferred is None:
        return Localized(body)
    document = json.loads(body)
    shown = [*_entities(document, _shape(schema))]
    if not shown:
        return Localized(body)
    languages = rename(shown, preferred, as_of)
    if names is not None and "id" not in names:
        for each in document if isinstance(document, list) else [document]:
            each.pop("id", None)
    return Localized(compact(document), languages)


def rename(
    shown: Sequence[dict[str, Any]], preferred: Preference, as_of: datetime | None = None
) -> tuple[str, ...]:
    """Give each entity its name in a preferred language; the languages of these names."""
    found = names_in(database(), {entity["id"] for entity in shown}, preferred, as_of)
    for entity in shown:
        _rename(entity, found[entity["id"]])
    return tuple(sorted({entity["name_language"] for entity in shown}))


def _rename(entity: dict[str, Any], chosen: Name) -> None:
    """Replace the name of an entity, and put its language beside it."""
    stored = [*entity.items()]
    entity.clear()
    for field, value in stored:
        entity[field] = value
        if field == "name":
            entity |= {"name": chosen.name, "name_language": chosen.language}


class _Shape(NamedTuple):
    """Whether a document is that of an entity, and its fields in which there are others."""

    is_entity: bool
    inner: Mapping[str, "_Shape"]


@cache
def _shape(schema: type[Schema]) -> _Shape:
    declared = schema._declared_fields
    inner = {
        name: _shape(nested_schema(field))
        for name, field in declared.items()
        if isinstance(getattr(field, "inner", field), fields.Nested)
    }
    is_entity = any(isinstance(field, NameLanguage) for field in declared.values())
    return _Shape(is_entity, {name: shape for name, shape in inner.items() if any(shape)})


def _entities(document: Any, shape: _Shape) -> Iterator[dict[str, Any]]:
    """The entities in a document that are shown with a name."""
    if isinstance(document, list):
        for item in document:
            yield from _entities(item, shape)
    elif isinstance(document, dict):
        if shape.is_entity and "name" in document:
            yield document
        for name, inner in shape.inner.items():
            yield from _entities(document.get(name), inner)
