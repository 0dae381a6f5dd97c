"""A body is loaded as marshmallow alone would load it, with the same faults."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import ValidationError

from hksz_db.services.registry import WRITERS
from schemas.base import InputSchema
from tests.samples import SAMPLES

_VALUES: tuple[Any, ...] = (None, True, 1, "", "word", "x" * 5000, [], [None], {}, {"word": 1})


def _places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield (*at, key)
        if isinstance(child, dict | list):
            yield from _places(child, (*at, key))


def _changed(body: dict[str, Any]) -> Iterator[Any]:
    """The body, with each of its values replaced or left out, and with another field."""
    yield body
    yield from ([body], "word", None)
    for *above, last in _places(body):
        for value in (*_VALUES, ...):
            changed = copy.deepcopy(body)
            holder: Any = changed
            for key in above:
                holder = holder[key]
            if value is ...:
                del holder[last]
            else:
                holder[last] = value
            if isinstance(holder, dict):
                yield {**changed}
                holder["another"] = 1
            yield changed


def _loaded(schema: InputSchema, body: Any) -> Any:
    try:
        return schema.load(body)
    except ValidationError as error:
        return "faults", error.normalized_messages()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.resource)
def test_bodies_are_loaded_as_by_marshmallow(sample: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = WRITERS[sample.resource]
    schemas = (writer.create_schema(), writer.patch_schema(), writer.upsert)
    given = [sample.body, sample.change, *sample.rows]
    bodies = [changed for body in given for changed in _changed(body)]
    quickly = [[_loaded(schema, body) for body in bodies] for schema in schemas]

    def refuse(_: InputSchema, __: Any) -> None:
        raise ValidationError("Not tried.")

    monkeypatch.setattr(InputSchema, "read_valid", refuse)
    alone = [[_loaded(schema, body) for body in bodies] for schema in schemas]
    assert quickly == alone
    assert any(not isinstance(found, tuple) for found in alone[0])


def test_valid_bodies_are_read_without_marshmallow(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("Marshmallow was asked.")

    monkeypatch.setattr("marshmallow.Schema.load", refuse)
    for sample in SAMPLES:
        WRITERS[sample.resource].creation.load(sample.body)
