"""Convert documents to the bodies that create or restore their rows.

A document contains summaries of the rows that it refers to (``claimant: {id, external_id, …}``); a
body has ``claimant_external_id`` or ``claimant_id``. Fields that the service computes (versions,
ranges, verdicts) are not part of a body.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from marshmallow import Schema, fields

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.entities import SHOWN_LANGUAGE
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import REVIEWED
from schemas.base import nested_schema
from schemas.dates import RelativeDateCreateSchema, RelativeDateSchema

Document = Mapping[str, object]
Body = dict[str, object]
By = Literal["external_id", "id"]
Names = Callable[[str], str | None]


@dataclass(frozen=True)
class _Shape:
    """The fields of a document that a body has in another form.

    ``derived`` fields are left out. ``references`` are summaries of rows. ``ids`` are references of
    which a document has only the id, with the field of the body that takes a name. ``periods`` are
    times.
    """

    derived: frozenset[str]
    references: frozenset[str]
    ids: Mapping[str, str]
    periods: frozenset[str]
    lists: Mapping[str, "_Shape"]


@cache
def _shape(document: type[Schema], create: type[Schema]) -> _Shape:
    """Derive the shape from the fields that the create schema has for a field of the document."""
    shown, taken = document._declared_fields, create._declared_fields
    references = {name for name in shown if f"{name}_id" in taken and f"{name}_id" not in shown}
    periods = {name for name in shown if f"{name}_edtf" in taken}
    return _Shape(
        derived=frozenset(shown.keys() - taken.keys() - references - periods),
        references=frozenset(references),
        ids={
            f"{stem}_id": f"{stem}_{name}"
            for stem in (name.removesuffix("_id") for name in shown if name in taken)
            for name in ("external_id", "text_sha256")
            if f"{stem}_id" in shown and f"{stem}_{name}" in taken
        },
        periods=frozenset(periods),
        lists={
            name: inner
            for name in shown.keys() & taken.keys()
            if isinstance(each := taken[name], fields.List)
            if isinstance(each.inner, fields.Nested)
            for inner in [_shape(nested_schema(shown[name]), nested_schema(taken[name]))]
            if any(vars(inner).values())
        },
    )


def create_body(
    resource: str,
    document: Document,
    *,
    by: By = "external_id",
    names: Names = lambda _: None,
) -> Body:
    """The body of ``POST /v1/{resource}`` that creates the row of the document.

    ``document`` has the form of a read by id; missing fields are missing in the body too, and
    fields of a body stay as they are. References use the ``external_id`` if there is one, so that
    they also work in another database; otherwise, and with ``by="id"``, they use the id. ``names``
    looks up ids that a document has no name for: it returns the external id of evidence, and the
    SHA-256 of the text of captures. A claim with its ``sources`` contains the latter. Raises
    ``Invalid`` with pointers if it is not such a document.
    """
    if not isinstance(document, Mapping):
        raise _invalid("#", "an object")
    captures = capture_names(document.get("sources"))
    shape = _shape(RESOURCES[resource].schema, WRITERS[resource].create_schema)
    writer = _BodyWriter(by, lambda id: captures.get(id) or names(id))
    body = writer.write(document, shape, "#")
    if resource == "entities" and isinstance(stored := document.get("names"), list):
        body["names"] = _shown_first(stored, document.get("name"))
    return body


def patch_body(resource: str, document: Document) -> Body:
    """The merge patch that restores a row of the same database to the state of the document.

    It has every field that can be changed, also those that are null, and refers to rows by id. The
    figures and the evidence of a claim have documents of their own, and the note of a review is not
    repeated. A time relative to the date of a source is recomputed from the current date of that
    source.
    """
    body = create_body(resource, document, by="id")
    left_out = {*WRITERS[resource].fixed, "review_note"}
    return {k: v for k, v in body.items() if k not in left_out}


@dataclass(frozen=True)
class _BodyWriter:
    by: By
    names: Names

    def write(self, document: object, shape: _Shape, pointer: str) -> Body:
        if not isinstance(document, Mapping):
            raise _invalid(pointer, "an object")
        body: Body = {}
        for name, value in document.items():
            if name not in shape.derived and not _is_old_note(name, document):
                body |= self._field(name, value, shape, f"{pointer}/{name}")
        return body

    def _field(self, name: str, value: object, shape: _Shape, pointer: str) -> Body:
        if name in shape.references:
            return self._reference(name, value, pointer)
        if name in shape.ids:
            can_be_named = self.by == "external_id"
            found = self.names(value) if can_be_named and isinstance(value, str) else None
            return {shape.ids[name]: found} if found else {name: value}
        if name in shape.periods:
            return self._period(name, value, pointer)
        if name in shape.lists and isinstance(value, list):
            inner = shape.lists[name]
            return {name: [self.write(v, inner, f"{pointer}/{n}") for n, v in enumerate(value)]}
        return {name: value}

    def _reference(self, stem: str, value: object, pointer: str) -> Body:
        if value is None:
            return {f"{stem}_id": None}
        for given in ("external_id", "id") if self.by == "external_id" else ("id",):
            if isinstance(value, Mapping) and value.get(given) is not None:
                return {f"{stem}_{given}": value[given]}
        raise _invalid(pointer, "an object with an id")

    def _period(self, name: str, value: object, pointer: str) -> Body:
        if not isinstance(value, Mapping):
            raise _invalid(pointer, "an object with edtf")
        words = {f"{name}_as_stated": value["as_stated"]} if "as_stated" in value else {}
        relative = value.get("relative")
        if relative is None:
            return {**words, f"{name}_edtf": value.get("edtf")}
        shape = _shape(RelativeDateSchema, RelativeDateCreateSchema)
        return {**words, f"{name}_relative": self.write(relative, shape, f"{pointer}/relative")}


def _is_old_note(name: str, document: Document) -> bool:
    """Whether the field is a review note that a new row with this status cannot have."""
    has_note = document.get("status") in REVIEWED and document.get(name) is not None
    return name == "review_note" and not has_note


def _invalid(pointer: str, expected: str) -> Invalid:
    return Invalid("Not a valid document.", [Fault("invalid", f"Must be {expected}.", pointer)])


def capture_names(sources: object) -> dict[str, str]:
    """The hashes of the captures of sources, by id."""
    captures = [each for source in objects(sources) for each in objects(source.get("captures"))]
    pairs = [(capture.get("id"), capture.get("text_sha256")) for capture in captures]
    return {id: name for id, name in pairs if isinstance(id, str) and isinstance(name, str)}


def objects(value: object) -> list[Body]:
    """The objects in a value that should be a list of them."""
    found = value if isinstance(value, list) else []
    return [item for item in found if isinstance(item, dict)]


def _shown_first(names: list[object], displayed: object) -> list[object]:
    """The names, in an order that makes the displayed name the same again."""
    preferred = [name for name in objects(names) if name.get("kind") == "preferred"]
    shown = [name for name in preferred if name.get("name") == displayed]
    english = any(str(name.get("language")).lower() == SHOWN_LANGUAGE for name in preferred)
    if english or not shown or preferred[0] == shown[0]:
        return names
    return [shown[0], *(name for name in names if name is not shown[0])]
