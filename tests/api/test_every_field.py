"""Every field that can be written is stored, and returned wherever it can be read.

Each field of each create and patch schema, nested ones too, is sent alone and together with all
the others, one by one and in bulk, and read from the document, the rows and the exports.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from marshmallow import Schema, fields, missing
from sqlalchemy import text

from hksz_db.database import Database
from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.registry import WRITERS
from tests.api.conftest import Client
from tests.conftest import MakeDatabase
from tests.samples import write_rows

Body = dict[str, Any]
Path = tuple[str, ...]

SHA256 = {name: name * 64 for name in "abcdef"}
PREFERRED = {"language": "en", "kind": "preferred"}


@dataclass(frozen=True)
class Id:
    """The id of the row with an external id, or of the capture of ``drill:second`` for a hash."""

    name: str


# The rows that the samples refer to.
WORLD: dict[str, list[Body]] = {
    "units": [
        {"external_id": "drill:one", "code": "10*3", "label": "thousand"},
        {"external_id": "drill:metre", "code": "m", "label": "metre"},
    ],
    "metrics": [
        {
            "external_id": f"drill:{dimension}",
            "key": f"drill-{dimension}",
            "label": "A measure",
            "dimension": dimension,
            "accumulation": "stock",
        }
        for dimension in ("count", "length")
    ],
    "entities": [
        {"external_id": f"drill:{name}", "kind": "place", "names": [{"name": name, **PREFERRED}]}
        for name in ("north", "south")
    ],
    "sources": [
        {
            "external_id": f"drill:{name}",
            "csl_type": "report",
            "title": name,
            "issued_edtf": "2020-05-05",
            "captures": [{"char_length": 99, "text_sha256": SHA256[letter]}],
        }
        for name, letter in (("first", "a"), ("second", "b"))
    ],
    "claims": [
        {
            "external_id": f"drill:{name}",
            "statement": f"The {name}.",
            "claimant_external_id": "drill:north",
        }
        for name in ("this", "that")
    ],
    "evidence": [
        {
            "external_id": "drill:passage",
            "claim_external_id": "drill:this",
            "source_external_id": "drill:first",
            "stance": "asserts",
        }
    ],
}

_FIGURE = {
    "metric_id": Id("drill:length"),
    "metric_external_id": "drill:length",
    "subject_id": Id("drill:south"),
    "subject_external_id": "drill:south",
    "external_id": "drill:figure",
    "as_stated": "some forty",
    "comparator": "approx",
    "amount": "41.50",
    "lower_bound": "40.5",
    "upper_bound": "42.50",
    "unit_code": "m",
    "modality": "forecast",
    "exact": True,
    "breakdown": {"residence": "mainland", "sex": "female"},
    "definition": "Usual residents only.",
    "estimate": "revised",
    "known_at_edtf": "2022-02",
    "period_as_stated": "that spring",
    "period_edtf": "2021-03",
}
_EVIDENCE = {
    "external_id": "drill:proof",
    "source_id": Id("drill:second"),
    "source_external_id": "drill:second",
    "derived_from_id": Id("drill:passage"),
    "derived_from_external_id": "drill:passage",
    "attributed_to_id": Id("drill:south"),
    "attributed_to_external_id": "drill:south",
    "said_edtf": "2020-04~",
    "capture_id": Id(SHA256["b"]),
    "capture_text_sha256": SHA256["b"],
    "stance": "disputes",
    "directness": "secondary",
    "interest": "self",
    "start_char": 3,
    "end_char": 41,
    "exact_sha256": SHA256["c"],
    "prefix_sha256": SHA256["d"],
    "suffix_sha256": SHA256["e"],
    "rating_as_stated": "Mostly false (2; worst 1, best 5)",
    "loose_start_char": 4,
    "loose_end_char": 40,
    "loose_exact_sha256": SHA256["e"],
    "loose_prefix_sha256": SHA256["c"],
    "loose_suffix_sha256": SHA256["d"],
    "page": "xii",
    "note": "A note.",
    "status": "accepted",
    "review_note": "A reason.",
}
_CLAIM_REFERENCE = {"claim_id": Id("drill:that"), "claim_external_id": "drill:that"}
_TO_SOURCE = {"to_id": Id("drill:second"), "to_external_id": "drill:second", "kind": "cites"}
_TO_CLAIM = {"to_id": Id("drill:that"), "to_external_id": "drill:that", "kind": "refines"}
_ENTITY = {"entity_id": Id("drill:south"), "entity_external_id": "drill:south"}

# The value that each field is sent with, other than its default and its value in MINIMAL.
SAMPLES: dict[str, Body] = {
    "SourceCreateSchema": {
        "external_id": "drill:source",
        "csl_type": "book",
        "title": "A title",
        "title_supplied": True,
        "container_title": "A container",
        "publisher_place": "Shenzhen",
        "url": "https://example.org/a",
        "doi": "10.1234/drill",
        "language": "pt",
        "issued_edtf": "2019-07~",
        "issued_note": "On the cover.",
        "rights": "None reserved.",
        "retracted_at": "2024-03-01T04:05:06Z",
    },
    "ContributorCreateSchema": {
        **_ENTITY,
        "role": "translator",
        "credited_name": "S. Outh",
        "credited_as": "Translator in chief",
    },
    "CaptureCreateSchema": {
        "retrieved_at": "2024-02-01T04:05:06Z",
        "archive_url": "https://example.org/archive",
        "media_type": "text/html",
        "normalization": "nfc-ws1",
        "char_length": 77,
        "text_sha256": SHA256["f"],
    },
    "SourceRelationCreateSchema": _TO_SOURCE,
    "ClaimCreateSchema": {
        "external_id": "drill:claim",
        "statement": "It moved.",
        "language": "pt",
        "claimant_id": Id("drill:south"),
        "claimant_as_stated": "an official",
        "claimant_external_id": "drill:south",
        "reported_by_id": Id("drill:south"),
        "reported_by_external_id": "drill:south",
        "modality": "planned",
        "status": "rejected",
        "review_note": "A reason.",
        "time_as_stated": "last year",
        "time_edtf": "2018-02",
        "due_edtf": "2031?",
        "topics": ["drill-a", "drill-b"],
    },
    "RelativeDateCreateSchema": {
        "anchor_id": Id("drill:second"),
        "anchor_external_id": "drill:second",
        "duration": "P3Y",
        "modifier": "about",
    },
    "ClaimStatementCreateSchema": {
        "language": "zh-Hant",
        "text": "已遷。",
        "translated_by": "machine",
    },
    "ClaimEntityCreateSchema": {**_ENTITY, "role": "audience"},
    "ClaimRelationCreateSchema": _TO_CLAIM,
    "ClaimFigureCreateSchema": _FIGURE,
    "ClaimEvidenceCreateSchema": _EVIDENCE,
    "FigureCreateSchema": {**_FIGURE, **_CLAIM_REFERENCE},
    "EvidenceCreateSchema": {**_EVIDENCE, **_CLAIM_REFERENCE},
    "EntityCreateSchema": {
        "external_id": "drill:entity",
        "kind": "facility",
        "description": "A description.",
    },
    "EntityNameCreateSchema": {"name": "O nome", "language": "pt", "kind": "abbreviation"},
    "EntityIdentifierCreateSchema": {"scheme": "geonames", "value": "4203"},
    "EntityRelationCreateSchema": {
        "kind": "partner_of",
        "object_id": Id("drill:south"),
        "object_external_id": "drill:south",
        "qualifier": "A qualifier",
        "during_edtf": "2017-11",
        **_CLAIM_REFERENCE,
    },
    "MetricCreateSchema": {
        "external_id": "drill:metric",
        "key": "drill-key",
        "label": "A label",
        "dimension": "mass",
        "accumulation": "event",
        "nonnegative": False,
        "description": "What it measures.",
        "measure": "share",
        "holds_for": "P20Y",
    },
    "UnitCreateSchema": {"external_id": "drill:unit", "code": "cm", "label": "A unit"},
}
# The sample of a vocabulary of one term is the default.
ONLY_TERMS = {("CaptureCreateSchema", "normalization")}

_MINIMAL_FIGURE = {
    "metric_external_id": "drill:count",
    "subject_external_id": "drill:north",
    "as_stated": "seven",
    "comparator": "eq",
    "amount": "7",
    "unit_code": "10*3",
}
# The smallest valid bodies: two different ones, so that a list can have both.
MINIMAL: dict[str, tuple[Body, ...]] = {
    "SourceCreateSchema": ({"csl_type": "report", "title": "x"},) * 2,
    "ContributorCreateSchema": tuple(
        {"entity_external_id": "drill:north", "role": role} for role in ("author", "editor")
    ),
    "CaptureCreateSchema": tuple(
        {"char_length": 10, "text_sha256": SHA256[letter]} for letter in ("c", "d")
    ),
    "SourceRelationCreateSchema": tuple(
        {"to_external_id": "drill:first", "kind": kind} for kind in ("quotes", "copy_of")
    ),
    "ClaimCreateSchema": ({"statement": "x", "claimant_external_id": "drill:north"},) * 2,
    "RelativeDateCreateSchema": ({"anchor_external_id": "drill:first", "duration": "P1Y"},) * 2,
    "ClaimStatementCreateSchema": tuple(
        {"language": language, "text": "x", "translated_by": "human"} for language in ("de", "fr")
    ),
    "ClaimEntityCreateSchema": tuple(
        {"entity_external_id": "drill:north", "role": role} for role in ("subject", "object")
    ),
    "ClaimRelationCreateSchema": tuple(
        {"to_external_id": "drill:this", "kind": kind} for kind in ("part_of", "supersedes")
    ),
    "ClaimFigureCreateSchema": tuple(
        {"external_id": f"minimal:figure-{n}", **_MINIMAL_FIGURE} for n in range(2)
    ),
    "ClaimEvidenceCreateSchema": tuple(
        {
            "external_id": f"minimal:passage-{stance}",
            "source_external_id": "drill:first",
            "stance": stance,
        }
        for stance in ("mentions", "supports")
    ),
    "FigureCreateSchema": ({"claim_external_id": "drill:this", **_MINIMAL_FIGURE},) * 2,
    "EvidenceCreateSchema": tuple(
        {"claim_external_id": "drill:this", "source_external_id": "drill:first", "stance": stance}
        for stance in ("mentions", "supports")
    ),
    "EntityCreateSchema": ({"kind": "zone", "names": [{"name": "x", **PREFERRED}]},) * 2,
    "EntityNameCreateSchema": (
        {"name": "x", **PREFERRED},
        {"name": "y", "language": "de", "kind": "alias"},
    ),
    "EntityIdentifierCreateSchema": tuple(
        {"scheme": "viaf", "value": value} for value in ("4201", "4202")
    ),
    "EntityRelationCreateSchema": tuple(
        {"object_external_id": "drill:north", "kind": kind} for kind in ("part_of", "operates")
    ),
    "MetricCreateSchema": tuple(
        {"key": key, "label": "x", "dimension": "count", "accumulation": "stock"}
        for key in ("x", "y")
    ),
    "UnitCreateSchema": ({"code": "km", "label": "x"}, {"code": "mm", "label": "x"}),
}

_FIGURE_NEEDS: dict[str, Body] = {
    "metric_id": {"unit_code": "m"},
    "metric_external_id": {"unit_code": "m"},
    "unit_code": {"metric_external_id": "drill:length"},
    "lower_bound": {"comparator": "approx", "amount": "41.50"},
    "upper_bound": {"comparator": "approx"},
}
_LOCATOR = (*LOCATOR, *LOOSE_LOCATOR)
_REVIEW_NEEDS: dict[str, Body] = {"review_note": {"status": "rejected"}}
_EVIDENCE_NEEDS: dict[str, Body] = {
    **_REVIEW_NEEDS,
    "capture_id": {"source_external_id": "drill:second"},
    "capture_text_sha256": {"source_external_id": "drill:second"},
    **{name: {other: _EVIDENCE[other] for other in _LOCATOR} for name in _LOCATOR},
}
# The fields that must accompany a field that is sent alone.
NEEDS: dict[str, dict[str, Body]] = {
    # So that the claim still has a claimant when one is cleared.
    "ClaimCreateSchema": {
        **_REVIEW_NEEDS,
        **{
            name: {"claimant_as_stated": "an official"}
            for name in ("claimant_id", "claimant_external_id")
        },
    },
    "ClaimFigureCreateSchema": _FIGURE_NEEDS,
    "FigureCreateSchema": _FIGURE_NEEDS,
    "ClaimEvidenceCreateSchema": _EVIDENCE_NEEDS,
    "EvidenceCreateSchema": _EVIDENCE_NEEDS,
}

# The table of each list, and its column for the row that the list belongs to.
LISTS = {
    ("sources", "contributors"): ("source_contributors", "source_id"),
    ("sources", "captures"): ("source_captures", "source_id"),
    ("sources", "relations"): ("source_relations", "from_id"),
    ("claims", "statements"): ("claim_translations", "claim_id"),
    ("claims", "topics"): ("claim_topics", "claim_id"),
    ("claims", "entities"): ("claim_entities", "claim_id"),
    ("claims", "relations"): ("claim_relations", "from_id"),
    ("claims", "figures"): ("figures", "claim_id"),
    ("claims", "evidence"): ("evidence", "claim_id"),
    ("entities", "names"): ("entity_names", "entity_id"),
    ("entities", "identifiers"): ("entity_identifiers", "entity_id"),
    ("entities", "relations"): ("entity_relations", "subject_id"),
}
# Fields of a resource itself for which CSV has no column.
NOT_IN_CSV = {
    ("figures", "metric_external_id"),
    ("evidence", "derived_from_external_id"),
    ("evidence", "capture_text_sha256"),
}


def _nested(field: Any) -> type[Schema] | None:
    inner: Any = field.inner if isinstance(field, fields.List) else field
    nested: type[Schema] | None = getattr(inner, "nested", None)
    return nested


def _paths(schema: type[Schema], before: Path = ()) -> Iterator[Path]:
    for name, field in schema._declared_fields.items():
        nested = _nested(field)
        if nested is None:
            yield (*before, name)
        else:
            yield from _paths(nested, (*before, name))


def _sample(schema: type[Schema], name: str) -> Any:
    values = SAMPLES.get(schema.__name__, {})
    if name not in values:
        pytest.fail(f"SAMPLES has no value for {schema.__name__}.{name}.")
    return values[name]


def _alternatives(name: str) -> set[str]:
    """The fields that a field excludes."""
    pairs = (("_external_id", "_id"), ("_edtf", "_relative"), ("_text_sha256", "_id"))
    return {
        name.removesuffix(one) + other
        for pair in pairs
        for one, other in (pair, pair[::-1])
        if name.endswith(one) and name not in {"external_id", "id"}
    } - {name}


def _put(body: Body, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        for other in _alternatives(name):
            body.pop(other, None)
        body[name] = value


def _alone(schema: type[Schema], path: Path, number: int = 0) -> Body:
    """The smallest valid body, with the field at the path."""
    name, *rest = path
    field = schema._declared_fields[name]
    body = dict(MINIMAL[schema.__name__][number])
    nested = _nested(field)
    if nested is None:
        _put(body, NEEDS.get(schema.__name__, {}).get(name, {}))
        _put(body, {name: _sample(schema, name)})
    elif isinstance(field, fields.List):
        # The second of two items, because a list must not take its fields from its first item.
        first = dict(MINIMAL[nested.__name__][0])
        _put(body, {name: [first, _alone(nested, tuple(rest), 1)]})
    else:
        _put(body, {name: _alone(nested, tuple(rest))})
    return body


def _together(schema: type[Schema], choice: int) -> Body:
    """All fields; of those that exclude each other the last if the choice is odd, else the first.

    The other of its two bits is the choice for nested fields.
    """
    body: Body = {}
    last, inner = choice & 1, choice >> 1 | (choice & 1) << 1
    declared = list(schema._declared_fields.items())
    for name, field in declared if last else reversed(declared):
        nested = _nested(field)
        if nested is None:
            value = _sample(schema, name)
        elif isinstance(field, fields.List):
            value = [_together(nested, inner)]
            if nested.__name__ == "EntityNameCreateSchema":
                value.insert(0, {"name": "x", **PREFERRED})
        else:
            value = _together(nested, inner)
        _put(body, {name: value})
    return body


CREATED = [(r, path) for r in RESOURCES.values() for path in _paths(WRITERS[r.name].create_schema)]
PATCHED = [(r, path) for r in RESOURCES.values() for path in _paths(WRITERS[r.name].patch_schema)]
# A figure without an amount is a range between two bounds.
NULLABLE = [
    (resource, path)
    for resource, path in PATCHED
    if len(path) == 1
    and WRITERS[resource.name].patch_schema._declared_fields[path[0]].allow_none
    and path != ("amount",)
]
TOGETHER = [(resource, choice) for resource in RESOURCES.values() for choice in range(4)]


def _named(pairs: list[tuple[Readable, Any]]) -> list[str]:
    return [
        f"{resource.name}.{'.'.join(path) if isinstance(path, tuple) else path}"
        for resource, path in pairs
    ]


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase) -> Iterator[str]:
    """A database with the rows that the samples refer to."""
    with make_database() as url:
        write_rows(url, WORLD)
        yield url


class RoundTrip:
    """Sends bodies and reads their values back; the tests roll each of them back."""

    def __init__(self, client: Any, database: Any) -> None:
        self.client = client
        self.connection = database.connections.engine
        self.ids: dict[str, str] = {
            name: str(id)
            for table in WORLD
            for name, id in self._select(f"SELECT external_id, id FROM {table}")
        }
        captures = self._select("SELECT text_sha256, id FROM source_captures")
        self.ids |= {sha256: str(id) for sha256, id in captures}

    def _select(self, sql: str, **values: Any) -> list[Any]:
        return list(self.connection.execute(text(sql), values))

    @contextmanager
    def rolled_back(self) -> Iterator[None]:
        """Roll the changes of the block back."""
        with self.connection.begin_nested() as savepoint:
            yield
            savepoint.rollback()

    def with_ids(self, body: Any) -> Any:
        """The body with ids in place."""
        match body:
            case Id(name):
                return self.ids[name]
            case dict():
                return {key: self.with_ids(value) for key, value in body.items()}
            case list():
                return [self.with_ids(value) for value in body]
        return body

    def post(self, resource: Readable, body: Body) -> str:
        answer = self.client.post(f"/v1/{resource.name}", self.with_ids(body))
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    def post_to_claim(self, evidence: Body) -> str:
        body = {k: v for k, v in evidence.items() if k not in _CLAIM_REFERENCE}
        path = f"/v1/claims/{self.ids['drill:this']}/evidence"
        answer = self.client.post(path, self.with_ids(body))
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    def patch(self, resource: Readable, id: str, change: Body) -> None:
        answer = self.client.patch(f"/v1/{resource.name}/{id}", self.with_ids(change))
        assert answer.status_code == 200, answer.json

    def bulk(self, resource: Readable, mode: str, *items: Body) -> str:
        """Write the items, and return the id of the last one."""
        path = f"/v1/{resource.name}/bulk?mode={mode}&atomic=true"
        answer = self.client.post(path, {"items": self.with_ids(list(items))})
        assert answer.status_code == 207, answer.json
        assert not answer.json["meta"]["failed"], answer.json
        return answer.json["data"][-1]["id"]

    def check(self, resource: Readable, id: str, body: Body, *paths: Path) -> None:
        """Check that the values at the paths are returned wherever they can be read."""
        self.check_rows(resource, id, body, *paths)
        document = self.client.get_with_embeds(f"/v1/{resource.name}/{id}").json
        exported = self._exported(resource, id, include=",".join(_embeds(resource)))
        table = self._table(resource, id)
        for path in paths:
            for value in _values(body, path):
                where = f"{'.'.join(path)} of {resource.name}"
                expected = _normal(self.with_ids(value))
                assert expected in self._in_document(document, path, value), f"document: {where}"
                assert expected in self._in_document(exported, path, value), f"export: {where}"
                if (cells := _cells(table, path)) is not None:
                    assert {*_texts(expected)} <= {*cells}, f"CSV: {where}"
                else:
                    assert len(path) > 1 or (resource.name, *path) in NOT_IN_CSV, f"CSV: {where}"

    def check_rows(self, resource: Readable, id: str, body: Body, *paths: Path) -> None:
        """Check that the values at the paths are stored, in whichever way they were written."""
        for path in paths:
            sent = _values(body, path)
            assert sent
            for value in sent:
                expected = _normal(self.with_ids(value))
                stored = self._in_rows(resource, id, path, value)
                assert expected in stored, f"row: {'.'.join(path)} of {resource.name}"

    def check_absent(self, resource: Readable, id: str, body: Body, path: Path) -> None:
        """Check that the values at the path are not stored yet."""
        for value in _values(body, path):
            expected = _normal(self.with_ids(value))
            assert expected not in self._in_rows(resource, id, path, value), ".".join(path)

    def _exported(self, resource: Readable, id: str, include: str) -> Body:
        asked = {"include": include} if include else {}
        answer = self.client.get(f"/v1/{resource.name}/export", id=id, **asked)
        assert answer.status_code == 200, answer.text
        document: Body = json.loads(answer.data)
        return document

    def _table(self, resource: Readable, id: str) -> dict[str, str]:
        answer = self.client.get(f"/v1/{resource.name}/export", id=id, format="csv")
        (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
        return row

    def _in_document(self, document: Any, path: Path, value: Any) -> list[Any]:
        """The values of the document at the place that shows the field."""
        parts = [document]
        for name in path[:-1]:
            parts = [inner for part in parts for inner in _within(part, name)]
        return [_normal(self._shown(part, path[-1], value)) for part in parts]

    def _shown(self, part: Body, name: str, value: Any) -> Any:
        if name == "topics":
            return sorted(part[name])
        if name == "capture_text_sha256":
            return value if part["capture_id"] == self.ids.get(value) else part["capture_id"]
        for suffix, key in (("_external_id", "external_id"), ("_id", "id")):
            stem = name.removesuffix(suffix)
            if stem != name and stem in part and name not in part:
                return (part[stem] or {}).get(key)
            if stem != name and key == "external_id" and f"{stem}_id" in part:
                return value if part[f"{stem}_id"] == self.ids.get(value) else part[f"{stem}_id"]
        for suffix in ("edtf", "as_stated"):
            stem = name.removesuffix(f"_{suffix}")
            if stem != name and stem in part and name not in part:
                return part[stem][suffix]
        return part[name]

    def _in_rows(self, resource: Readable, id: str, path: Path, value: Any) -> list[Any]:
        """The values of the rows in the column of the field."""
        table, key = resource.name, "id"
        *parents, name = path
        if (resource.name, path[0]) in LISTS:
            table, key = LISTS[resource.name, path[0]]
            parents = parents[1:]
        prefix = "".join(parent.removesuffix("relative") for parent in parents)
        column, expected = f"{prefix}{name}", value
        if name == "topics":
            column = "topic"
        elif name == "capture_text_sha256" or (
            name.endswith("_external_id") and name != "external_id"
        ):
            stem = name.removesuffix("_external_id").removesuffix("_text_sha256")
            column, expected = f"{prefix}{stem}_id", value and Id(value)
        rows = self._select(f"SELECT {column} FROM {table} WHERE {key} = :id", id=id)
        found = [_normal(row[0]) for row in rows]
        if name == "topics":
            return [sorted(found)]
        sent, stored = _normal(self.with_ids(value)), _normal(self.with_ids(expected))
        return [sent if one == stored else one for one in found]


def _embeds(resource: Readable) -> list[str]:
    return [name for name in resource.embeds if (resource.name, name) in LISTS]


def _within(part: Any, name: str) -> list[Any]:
    if name.endswith("_relative"):
        relative = part[name.removesuffix("_relative")]["relative"]
        return [relative] if relative else []
    inner = part[name]
    return inner if isinstance(inner, list) else [inner]


def _values(body: Any, path: Path) -> list[Any]:
    """The values of a body at a path, in the last item of each list."""
    part = body
    for name in path:
        part = part[-1] if isinstance(part, list) else part
        if name not in part:
            return []
        part = part[name]
    return [sorted(part) if isinstance(part, list) else part]


def _cells(table: Mapping[str, str], path: Path) -> list[str] | None:
    """The cells of a CSV row in the column of the field, if it has one."""
    name = "_".join(path)
    if name not in table:
        return None
    one = len(path) == 1 and path != ("topics",)
    return [_normal(cell) for cell in ([table[name]] if one else table[name].split("; "))]


def _texts(value: Any) -> list[str]:
    """A value as cells of CSV."""
    if isinstance(value, dict):
        return [",".join(f"{name}:{item}" for name, item in value.items())]
    values = value if isinstance(value, list) else [""] if value is None else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _normal(value: Any) -> Any:
    """The value in a form in which values from all places are compared."""
    match value:
        case UUID():
            return str(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat()
        case str() if re.match(r"\d{4}-\d\d-\d\dT", value):
            return datetime.fromisoformat(value).astimezone(UTC).isoformat()
    return value


@pytest.fixture
def round_trip(editor: Client, database: Database) -> RoundTrip:
    return RoundTrip(editor, database)


def _fixed(resource: Readable, body: Body) -> Body:
    """The fixed fields of a body and of its parts."""
    fixed = WRITERS[resource.name].create_schema._declared_fields.keys() - (
        WRITERS[resource.name].patch_schema._declared_fields.keys()
    )
    found = {name: value for name, value in body.items() if name in fixed}
    for name in WRITERS[resource.name].parts:
        if name in body:
            found[name] = [_base_of_part(resource, name, n, p) for n, p in enumerate(body[name])]
    return found


def _base_of_part(resource: Readable, name: str, number: int, body: Body) -> Body:
    nested = _nested(WRITERS[resource.name].create_schema._declared_fields[name])
    assert nested is not None
    (part,) = (other for other in RESOURCES.values() if other.name == name)
    base = dict(MINIMAL[nested.__name__][number])
    _put(base, {"external_id": body["external_id"], **_fixed(part, body)})
    return base


def _base(resource: Readable, body: Body) -> Body:
    """The smallest valid body, with the fixed fields of the body."""
    base = dict(MINIMAL[WRITERS[resource.name].create_schema.__name__][0])
    _put(base, _fixed(resource, body))
    return base


def _change(resource: Readable, body: Body) -> Body:
    """The patch that changes the base into the body."""
    minimal = MINIMAL[WRITERS[resource.name].create_schema.__name__][0]
    return {
        name: value
        for name, value in body.items()
        if name in WRITERS[resource.name].patch_schema._declared_fields
        and minimal.get(name) != value
    }


def _named_item(body: Body) -> Body:
    return {"external_id": "drill:item", **body}


def test_every_sample_differs_from_the_default_and_the_minimum() -> None:
    for resource in RESOURCES.values():
        for path in _paths(WRITERS[resource.name].create_schema):
            schema: type[Schema] = WRITERS[resource.name].create_schema
            for name in path[:-1]:
                schema = _nested(schema._declared_fields[name]) or schema
            name, value = path[-1], _sample(schema, path[-1])
            if (schema.__name__, name) in ONLY_TERMS:
                continue
            least = [body.get(name, missing) for body in MINIMAL[schema.__name__]]
            assert value not in (*least, schema._declared_fields[name].load_default), path


@pytest.mark.slow
@pytest.mark.parametrize(("resource", "path"), CREATED, ids=_named(CREATED))
def test_a_field_that_is_sent_alone_is_stored(
    round_trip: RoundTrip, resource: Readable, path: tuple[str, ...]
) -> None:
    body = _alone(WRITERS[resource.name].create_schema, path)
    with round_trip.rolled_back():
        round_trip.check(resource, round_trip.post(resource, body), body, path)
    # Next to another item without the field.
    other = dict(MINIMAL[WRITERS[resource.name].create_schema.__name__][1])
    with round_trip.rolled_back():
        id = round_trip.bulk(resource, "create", other, body)
        round_trip.check_rows(resource, id, body, path)
    if resource.name == "evidence" and path[0] not in _CLAIM_REFERENCE:
        round_trip.check_rows(resource, round_trip.post_to_claim(body), body, path)


@pytest.mark.slow
@pytest.mark.parametrize(("resource", "path"), PATCHED, ids=_named(PATCHED))
def test_a_field_that_is_changed_alone_is_stored(
    round_trip: RoundTrip, resource: Readable, path: tuple[str, ...]
) -> None:
    body = _alone(WRITERS[resource.name].create_schema, path)
    id = round_trip.post(resource, _base(resource, body))
    if path != ("captures", "normalization"):
        round_trip.check_absent(resource, id, body, path)
    round_trip.patch(resource, id, _change(resource, body))
    round_trip.check_rows(resource, id, body, path)


@pytest.mark.slow
@pytest.mark.parametrize(("resource", "path"), NULLABLE, ids=_named(NULLABLE))
def test_a_field_that_is_cleared_is_null(
    round_trip: RoundTrip, resource: Readable, path: tuple[str, ...]
) -> None:
    body = _alone(WRITERS[resource.name].create_schema, path)
    (name,) = path
    # A locator is complete or absent.
    change = dict.fromkeys(_LOCATOR if name in _LOCATOR else path)
    id = round_trip.post(resource, body)
    round_trip.patch(resource, id, change)
    round_trip.check(resource, id, change, path)


@pytest.mark.slow
@pytest.mark.parametrize(("resource", "path"), CREATED, ids=_named(CREATED))
def test_a_field_that_is_upserted_alone_is_stored(
    round_trip: RoundTrip, resource: Readable, path: tuple[str, ...]
) -> None:
    body = _named_item(_alone(WRITERS[resource.name].create_schema, path))
    base = {**_base(resource, body), "external_id": body["external_id"]}
    id = round_trip.post(resource, base)
    assert round_trip.bulk(resource, "upsert", body) == id
    round_trip.check_rows(resource, id, body, path)


@pytest.mark.parametrize(("resource", "choice"), TOGETHER, ids=_named(TOGETHER))
def test_all_fields_together_are_stored(
    round_trip: RoundTrip, resource: Readable, choice: int
) -> None:
    body = _together(WRITERS[resource.name].create_schema, choice)
    paths = [path for path in _paths(WRITERS[resource.name].create_schema) if _values(body, path)]
    other = dict(MINIMAL[WRITERS[resource.name].create_schema.__name__][1])
    with round_trip.rolled_back():
        round_trip.check(resource, round_trip.post(resource, body), body, *paths)
    with round_trip.rolled_back():
        round_trip.check(resource, round_trip.bulk(resource, "create", other, body), body, *paths)
    with round_trip.rolled_back():
        id = round_trip.post(resource, _base(resource, body))
        round_trip.patch(resource, id, _change(resource, body))
        round_trip.check(
            resource, id, body, *(path for path in paths if path[0] not in _parts(resource))
        )
    with round_trip.rolled_back():
        id = round_trip.post(
            resource, {**_base(resource, body), "external_id": body["external_id"]}
        )
        assert round_trip.bulk(resource, "upsert", body) == id
        round_trip.check(resource, id, body, *paths)


def _parts(resource: Readable) -> Mapping[str, Any]:
    return WRITERS[resource.name].parts


def test_bodies_with_all_fields_cover_every_field() -> None:
    for resource in RESOURCES.values():
        bodies = [_together(WRITERS[resource.name].create_schema, choice) for choice in range(4)]
        for path in _paths(WRITERS[resource.name].create_schema):
            assert any(_values(body, path) for body in bodies), path
