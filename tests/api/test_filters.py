"""Every filter of every resource, compared with a selection of the documents in Python."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.models.claims import COUNTS
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from tests.api.conftest import Client
from tests.samples import SAMPLES

Document = dict[str, Any]

# Rows with values that the seed lacks, so that every filter selects some rows and not all.
EXTRA = (
    *((sample.resource, {**sample.body, "external_id": None}) for sample in SAMPLES if sample.rows),
    (
        "units",
        {"external_id": "test:hkd", "code": "HKD", "label": "100% Hong_Kong dollar"},
    ),
    ("units", {"code": "km", "label": "100 kilometres"}),
    (
        "metrics",
        {
            "key": "length",
            "label": "Length",
            "dimension": "length",
            "accumulation": "stock",
            "description": "50% of A_rope, end to end",
            "measure": "change",
            "holds_for": "P20Y",
        },
    ),
    ("sources", {"csl_type": "book", "title": "A book"}),
    *(
        ("claims", {"statement": "Somebody spoke.", "claimant_as_stated": stated})
        for stated in ("50% of A_board", "an unnamed official")
    ),
    (
        "metrics",
        {
            "external_id": "test:balance",
            "key": "balance",
            "label": "Balance",
            "dimension": "money",
            "accumulation": "stock",
            "nonnegative": False,
            "measure": "level",
            "holds_for": "P1M",
        },
    ),
    (
        "entities",
        {
            "external_id": "test:firm",
            "kind": "organisation",
            "names": [
                {"name": "Eine Firma", "language": "de", "kind": "preferred"},
                {"name": "Firm\\A", "language": "en", "kind": "alias"},
            ],
            "identifiers": [
                {"scheme": "orcid", "value": "0000-0002-1825-0097"},
                {"scheme": "lei", "value": "5493001KJTIIGC8Y1R12"},
            ],
        },
    ),
    (
        "entities",
        {
            "kind": "person",
            "description": "50% sure",
            "names": [{"name": "Somebody", "language": "en", "kind": "preferred"}],
            "identifiers": [{"scheme": "lei", "value": "7H6GLXDRUGQFU57RNE97"}],
        },
    ),
    (
        "sources",
        {
            "external_id": "test:report",
            "csl_type": "report",
            "title": "A report",
            "url": "https://example.org/report",
            "doi": "10.1000/182",
            "language": "zh-Hant",
            "issued_edtf": "2019-05-01",
            "retracted_at": "2020-01-01T00:00:00Z",
            "contributors": [
                {"entity_external_id": "hksz:hkpc", "role": "author"},
                {"entity_external_id": "hksz:ttps", "role": "publisher"},
            ],
            "captures": [{"char_length": 5, "text_sha256": "c" * 64}],
            "relations": [{"to_external_id": "hksz:shenzhen-daily-article", "kind": "quotes"}],
        },
    ),
    (
        "sources",
        {
            "csl_type": "report",
            "title": "A_report",
            "issued_edtf": "2021/..",
            "url": "https://example.com",
            "doi": "10.1000/200",
            "container_title": "Reports",
            "publisher_place": "Hong_Kong",
            "retracted_at": "2021-01-01T00:00:00Z",
            "captures": [{"char_length": 6, "text_sha256": "d" * 64}],
            "relations": [{"to_external_id": "test:report", "kind": "copy_of"}],
        },
    ),
    (
        "claims",
        {
            "statement": "Die Firma hat viel Geld.",
            "language": "de",
            "status": "draft",
            "claimant_external_id": "test:firm",
            "reported_by_external_id": "hksz:hkpc",
            "time_edtf": "2019/..",
            "due_edtf": "2030-06-15",
            "relations": [{"to_external_id": "hksz:author-post", "kind": "contradicts"}],
            "statements": [
                {"language": "en", "text": "It is rich.", "translated_by": "machine"},
                {"language": "zh-Hant", "text": "該公司很有錢。", "translated_by": "human"},
            ],
            "figures": [
                {
                    "metric_external_id": "test:balance",
                    "subject_external_id": "test:firm",
                    "as_stated": "minus five to ten",
                    "comparator": "between",
                    "lower_bound": "-5",
                    "upper_bound": "10.50",
                    "unit_code": "HKD",
                    "period_edtf": "2019-03",
                    "breakdown": {"sex": "female", "residence": "mainland"},
                    "definition": "a_b: residents only",
                    "estimate": "revised",
                    "known_at_edtf": "2019-03",
                },
                {
                    "external_id": "test:amount",
                    "metric_external_id": "test:balance",
                    "subject_external_id": "test:firm",
                    "as_stated": "at most eleven",
                    "comparator": "le",
                    "amount": "11",
                    "unit_code": "HKD",
                    "modality": "forecast",
                    "period_edtf": "2020/..",
                },
                {
                    "metric_external_id": "test:balance",
                    "subject_external_id": "test:firm",
                    "as_stated": "6",
                    "comparator": "eq",
                    "amount": "6",
                    "unit_code": "HKD",
                    "exact": True,
                    "breakdown": {"residence": "overseas"},
                    "definition": "50% of all",
                    "estimate": "final",
                    "known_at_edtf": "2018/2023",
                },
            ],
            "evidence": [
                {
                    "source_external_id": "test:report",
                    "stance": "disputes",
                    "interest": "self",
                    "rating_as_stated": "Mostly false (2; worst 1, best 5)",
                    "derived_from_external_id": "hksz:author-post-evidence",
                    "capture_text_sha256": "c" * 64,
                },
                {
                    "source_external_id": "test:report",
                    "attributed_to_external_id": "hksz:ttps",
                    "said_edtf": "2019-03",
                    "stance": "mentions",
                    "directness": "primary",
                    "derived_from_external_id": "hksz:futian-in-shenzhen-evidence",
                },
            ],
        },
    ),
    (
        "claims",
        {
            "statement": "A\\B is 50% of A_B.",
            "claimant_external_id": "hksz:hkpc",
            "statements": [
                {"language": "de", "text": "Es ist so viel.", "translated_by": "machine"},
            ],
            "due_edtf": "2031",
            "time_edtf": "2017-06",
        },
    ),
    ("sources", {"external_id": "test:letter", "csl_type": "post", "title": "A letter"}),
    (
        "evidence",
        {
            "claim_external_id": "hksz:author-post",
            "source_external_id": "test:letter",
            "stance": "disputes",
            "interest": "self",
            "status": "accepted",
            "said_edtf": "2020/..",
            "rating_as_stated": "False",
        },
    ),
    # A claim of hksz:tan-yifan with every kind of voice on both sides.
    *(
        row
        for n, (stance, fields) in enumerate(
            (
                ("supports", {}),
                ("supports", {"interest": "self"}),
                ("disputes", {}),
                ("disputes", {"interest": "self"}),
                ("disputes", {"attributed_to_external_id": "hksz:tan-yifan"}),
                ("supports", {"status": "submitted"}),
                ("disputes", {"status": "submitted"}),
            )
        )
        for row in (
            (
                "entities",
                {
                    "external_id": f"test:author-{n}",
                    "kind": "person",
                    "names": [{"name": f"Author {n}", "language": "en", "kind": "preferred"}],
                },
            ),
            (
                "sources",
                {
                    "external_id": f"test:notes-{n}",
                    "csl_type": "report",
                    "title": "Notes",
                    "contributors": [{"entity_external_id": f"test:author-{n}", "role": "author"}],
                },
            ),
            (
                "evidence",
                {
                    "claim_external_id": "hksz:relationship-transformed",
                    "source_external_id": f"test:notes-{n}",
                    "stance": stance,
                    "status": "accepted",
                    **fields,
                },
            ),
        )
    ),
)

# The paths of values in a document, through all items of lists, unless the name of the filter says
# them.
PATHS = {
    "figures": {
        "metric": "metric.key",
        "value": "value_range",
    },
    "claims": {
        "entities__id": "entities.entity.id",
        "entities__external_id": "entities.entity.external_id",
        "entities__kind": "entities.entity.kind",
        "entities__name": "entities.entity.names.name",
        "place": "entities.entity.places",
        **{f"corroboration__{count}": f"corroboration.for.{count}" for count in COUNTS},
        **{f"corroboration__{count}_against": f"corroboration.against.{count}" for count in COUNTS},
    },
    "sources": {
        "contributors__name": "contributors.entity.name",
    },
    "entities": {
        "name": "names.name",
        "place": "within",
    },
}
PERIODS = {
    *("time", "due", "issued", "period", "said", "source__issued", "relations__during"),
    "known_at",
}
INTEGERS = {
    "start_char",
    *(f"corroboration__{count}" for count in COUNTS),
    *(f"corroboration__{count}_against" for count in COUNTS),
}
PLACE_KEYS = {"under": "id", "under_external_id": "external_id"}
EDTF = {
    "2017": ("2017-01-01", "2017-12-31"),
    "2023-06": ("2023-06-01", "2023-06-30"),
    "2019-03": ("2019-03-01", "2019-03-31"),
    "2018/2023": ("2018-01-01", "2023-12-31"),
    "2019/2030": ("2019-01-01", "2030-12-31"),
    "2020/..": ("2020-01-01", None),
    "2030-06-15": ("2030-06-15", "2030-06-15"),
    "2000": ("2000-01-01", "2000-12-31"),
    "2020": ("2020-01-01", "2020-12-31"),
    "2031": ("2031-01-01", "2031-12-31"),
}


def _path(resource: str, name: str) -> str:
    for whole in ("figures", "evidence"):
        if resource == "claims" and name.startswith(f"{whole}__"):
            return f"{whole}.{_path(whole, name.removeprefix(f'{whole}__'))}"
    return PATHS.get(resource, {}).get(name) or _path_of_name(resource, name)


def _path_of_name(resource: str, name: str) -> str:
    *lists, last = name.split("__")
    stem = last.removesuffix("_id")
    is_id_of_another = stem not in {last, "external"}
    if is_id_of_another and (lists or last not in RESOURCES[resource].fields):
        last = f"{stem}.id"
    return ".".join((*lists, last))


def _values(document: Any, path: str) -> Iterator[Any]:
    if isinstance(document, list):
        for item in document:
            yield from _values(item, path)
    elif not path or document is None:
        yield document
    else:
        name, _, rest = path.partition(".")
        yield from _values(document[name], rest)


def _is_above(a: Any, b: Any) -> bool:
    return a is not None and a > b


def _is_below(a: Any, b: Any) -> bool:
    return a is not None and a < b


ON_VALUES: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, given: value == given,
    "ne": lambda value, given: value != given,
    "gt": _is_above,
    "gte": lambda value, given: _is_above(value, given) or value == given,
    "lt": _is_below,
    "lte": lambda value, given: _is_below(value, given) or value == given,
    "in": lambda value, given: value in given,
    "contains": lambda value, given: value is not None and given.lower() in value.lower(),
    "startswith": lambda value, given: (
        value is not None and value.lower().startswith(given.lower())
    ),
    "isnull": lambda value, given: (value is None) == given,
}
# Whether two periods match; each is given by its first and last day.
ON_DAYS: dict[str, Callable[[tuple[str, str], tuple[str, str]], bool]] = {
    "within": lambda days, given: days[0] <= given[1] and given[0] <= days[1],
    "certainly_within": lambda days, given: given[0] <= days[0] and days[1] <= given[1],
    "gt": lambda days, given: days[0] > given[1],
    "gte": lambda days, given: days[0] >= given[0],
    "lt": lambda days, given: days[1] < given[0],
    "lte": lambda days, given: days[1] <= given[1],
}
ON_RANGES: dict[str, Callable[[Document, Decimal], bool]] = {
    "eq": lambda r, x: r["lower"] == r["upper"] == x,
    "gt": lambda r, x: _is_above(r["lower"], x) or (r["lower"] == x and not r["lower_inclusive"]),
    "gte": lambda r, x: _is_above(r["lower"], x) or r["lower"] == x,
    "lt": lambda r, x: _is_below(r["upper"], x) or (r["upper"] == x and not r["upper_inclusive"]),
    "lte": lambda r, x: _is_below(r["upper"], x) or r["upper"] == x,
}


def _meets(resource: str, document: Document, name: str, operator: str, given: str) -> bool:
    if name in {"statements", "figures", "evidence", "entities", "relations"}:
        return (not document[name]) == (given == "true")
    values = list(_values(document, _path(resource, name)))
    if name == "place":
        return any(place[PLACE_KEYS[operator]] == given for place in values)
    own = name.removeprefix("figures__").removeprefix("evidence__")
    if operator == "isnull":
        missing = [value["edtf"] if own in PERIODS and value else value for value in values]
        return any(ON_VALUES["isnull"](value, given == "true") for value in missing)
    if own in PERIODS:
        start, end = EDTF[given]
        return any(
            ON_DAYS[operator]((v["earliest"] or "0", v["latest"] or "x"), (start, end or "x"))
            for v in values
            if v["edtf"] is not None
        )
    if own == "value":
        return any(ON_RANGES[operator](_decimals(value), Decimal(given)) for value in values)
    return any(ON_VALUES[operator](_typed(own, v), _given(own, operator, given)) for v in values)


def _decimals(range_: Document) -> Document:
    ends = {end: range_[end] and Decimal(range_[end]) for end in ("lower", "upper")}
    return {**range_, **ends}


def _typed(name: str, value: Any) -> Any:
    return Decimal(value) if name == "amount" and value is not None else value


def _given(name: str, operator: str, given: str) -> Any:
    if operator == "in":
        return given.split(",")
    if name in {"title_supplied", "nonnegative", "exact"}:
        return given == "true"
    if name == "breakdown":
        return dict(pair.split(":") for pair in given.split(","))
    if name in INTEGERS:
        return int(given)
    return Decimal(given) if name == "amount" else given


def _examples(documents: list[Document], resource: str, name: str, operator: str) -> list[str]:
    own = name.removeprefix("figures__").removeprefix("evidence__")
    if operator == "isnull":
        return ["true", "false"]
    if own in PERIODS:
        # An open period has no last day to compare with.
        return [text for text in EDTF if operator not in {"gt", "lte"} or ".." not in text]
    if own == "value":
        return ["-6", "-5", "6", "7", "7.00", "11", "10.5", "46999.5", "47000", "47001"]
    if name == "place":
        places = [p for row in documents for p in _values(row, _path(resource, name))]
        return sorted({place[PLACE_KEYS[operator]] for place in places} - {None})
    found = {
        _in_query(value)
        for document in documents
        for value in _values(document, _path(resource, name))
        if value is not None
    }
    values = sorted(value for value in found if operator != "in" or "," not in value)
    chosen = [values[0], values[len(values) // 2], values[-1]]
    match operator:
        case "in":
            return [*chosen, ",".join(chosen[::2])]
        case "contains":
            return [value[1:6].upper() for value in chosen] + ["0% ", "A_r", "\\", "50%", "a_b"]
        case "startswith":
            return [value[:4].upper() for value in chosen] + ["_", "%"]
    return chosen


def _in_query(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{category}" for key, category in value.items())
    return str(value).lower() if isinstance(value, bool) else str(value)


def _within(entity: Document, entities: dict[str, Document]) -> Iterator[Document]:
    """The places that the entity lies in or is part of, also indirectly."""
    for relation in entity["relations"]:
        if relation["kind"] in {"located_in", "part_of"}:
            place = entities[relation["object"]["id"]]
            yield place
            yield from _within(place, entities)


class Service:
    """The service, with all its documents."""

    def __init__(self, app: Flask) -> None:
        self.database: Database = app.extensions["hksz_database"]
        self.client: Any = app.test_client()
        self.documents: dict[str, list[Document]] = {
            resource.name: self._every(resource.name) for resource in RESOURCES.values()
        }
        entities = {entity["id"]: entity for entity in self.documents["entities"]}
        for entity in entities.values():
            entity["within"] = list(_within(entity, entities))
            entity["places"] = [entity, *entity["within"]]
        sources = {source["id"]: source for source in self.documents["sources"]}
        for source in sources.values():
            for role in ("author", "publisher"):
                source[role] = [
                    c["entity"]["name"] for c in source["contributors"] if c["role"] == role
                ]
        for claim in self.documents["claims"]:
            for link in claim["entities"]:
                link["entity"] = entities[link["entity"]["id"]]
        for passage in self.documents["evidence"]:
            passage["source"] = sources[passage["source"]["id"]]
        for claim in self.documents["claims"]:
            for passage in claim["evidence"]:
                passage["source"] = sources[passage["source"]["id"]]

    def _every(self, resource: str) -> list[Document]:
        embedded = "include=statements,entities,figures,evidence,corroboration" * (
            resource == "claims"
        )
        answer = self.client.get(f"/v1/{resource}?per_page=100&{embedded}").json
        assert answer["meta"]["next_cursor"] is None
        return answer["data"]

    def ids(self, resource: str, **query: str) -> set[str]:
        asked = {**query, "per_page": "100", "select": "id"}
        answer = self.client.get(f"/v1/{resource}", query_string=asked)
        assert answer.status_code == 200, answer.text
        return {row["id"] for row in answer.json["data"]}


@pytest.fixture(scope="module")
def service(database_url: str, _bare_app: Flask) -> Iterator[Service]:
    """The seed and the extra rows, committed once for the module."""
    database = Database(lambda: database_url)
    _bare_app.extensions["hksz_database"] = database
    with writing(database) as session:
        key = api_keys.create(session, "filler", [Scope.ADMIN])
    client = _bare_app.test_client()
    headers = {"Authorization": f"Bearer {key}"}
    for resource, body in EXTRA:
        made = client.post(f"/v1/{resource}", json=body, headers=headers)
        assert made.status_code == 201, made.text
    yield Service(_bare_app)
    database.close()


@pytest.fixture(autouse=True)
def _module_database(service: Service, _bare_app: Flask) -> None:
    """Tests read the rows of the module, except those that write, which use ``app``."""
    _bare_app.extensions["hksz_database"] = service.database


EVERY = [
    pytest.param(resource.name, parameter, id=f"{resource.name}-{parameter}")
    for resource in RESOURCES.values()
    for parameter in resource.filters
]


@pytest.mark.slow
@pytest.mark.parametrize(("resource", "parameter"), EVERY)
def test_a_filter_selects_the_matching_rows(
    service: Service, resource: str, parameter: str
) -> None:
    (known,) = (found for found in RESOURCES.values() if found.name == resource)
    name, operator = known.filters[parameter].name, known.filters[parameter].operator
    documents = service.documents[resource]
    tells = False
    for given in _examples(documents, resource, name, operator):
        expected = {row["id"] for row in documents if _meets(resource, row, name, operator, given)}
        assert service.ids(resource, **{parameter: given}) == expected, given
        tells = tells or 0 < len(expected) < len(documents)
    assert tells, "no example that some rows meet and others do not"


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_every_documented_filter_is_accepted(resource: Readable) -> None:
    offered = {known.name for known in resource.filters.values()}
    assert offered == set(resource.targets)


def test_filters_are_combined_with_and(service: Service) -> None:
    both = service.ids("claims", modality="opinion", topics="research")
    assert both == service.ids("claims", modality="opinion") & service.ids(
        "claims", topics="research"
    )
    assert both


def test_wildcards_of_like_are_escaped(service: Service) -> None:
    names = {row["title"]: row["id"] for row in service.documents["sources"]}
    assert service.ids("sources", title__contains="A_report") == {names["A_report"]}
    assert service.ids("sources", title__startswith="A_") == {names["A_report"]}
    labels = {row["label"]: row["id"] for row in service.documents["units"]}
    assert service.ids("units", label__contains="100%") == {labels["100% Hong_Kong dollar"]}
    assert service.ids("claims", statement__contains="A\\B") == service.ids(
        "claims", statement__startswith="a\\b is"
    )
    assert service.ids("claims", statement__contains="%") == service.ids(
        "claims", due__within="2031"
    )


def test_a_missing_value_differs_from_every_value(service: Service) -> None:
    (report,) = service.ids("sources", doi="10.1000/182")
    assert service.ids("sources", doi__ne="10.1000/182") == service.ids("sources") - {report}
    assert service.ids("sources", doi__isnull="true") < service.ids(
        "sources", doi__ne="10.1000/182"
    )


def test_one_row_of_a_relation_must_meet_all_filters_on_it(service: Service) -> None:
    (claim,) = (row for row in service.documents["claims"] if row["language"] == "de")
    one = {"figures__comparator": "between", "figures__value__lte": "10.5"}
    assert service.ids("claims", **one) == {claim["id"]}
    split = {"figures__comparator": "between", "figures__modality": "forecast"}
    assert service.ids("claims", **split) == set()
    assert service.ids("claims", figures__modality="forecast") == {claim["id"]}
    same = {"evidence__stance": "disputes", "evidence__interest": "self"}
    same["evidence__status"] = "submitted"
    assert service.ids("claims", **same) == {claim["id"]}
    other = {"evidence__stance": "disputes", "evidence__directness": "primary"}
    assert service.ids("claims", **other) == set()


def test_one_row_of_a_nested_relation_must_meet_all_filters_on_it(service: Service) -> None:
    role = {"evidence__source__author__startswith": "Hong Kong Prod"}
    assert service.ids("claims", **role)
    wrong = {"evidence__source__author": "Top Talent Pass Scheme"}
    assert service.ids("claims", **wrong) == set()
    name = {"names__language": "de", "name": "Firm\\A"}
    assert service.ids("entities", **name) == set()
    assert service.ids("entities", names__language="en", name="Firm\\A")


@pytest.mark.parametrize(
    ("resource", "name", "tag"),
    [
        ("claims", "language", "de"),
        ("claims", "statements__language", "zh-Hant"),
        ("sources", "language", "zh-Hant"),
        ("entities", "names__language", "de"),
    ],
)
def test_languages_are_compared_whole_and_in_any_case(
    service: Service, resource: str, name: str, tag: str
) -> None:
    found = service.ids(resource, **{name: tag})
    assert found
    for written in (tag.upper(), tag.lower().replace("-", "_")):
        assert service.ids(resource, **{name: written}) == found
        assert service.ids(resource, **{f"{name}__in": f"x,{written}"}) == found
    assert service.ids(resource, **{name: tag[:-1]}) == set()
    assert service.ids(resource, **{f"{name}__startswith": tag[:2]}) >= found


def test_a_filter_on_a_relation_does_not_filter_embedded_rows(service: Service) -> None:
    query = {"figures__comparator": "le", "evidence__stance": "mentions"}
    (claim,) = service.client.get("/v1/claims", query_string=query).json["data"]
    assert (len(claim["figures"]), len(claim["evidence"])) == (3, 2)


def test_a_deleted_part_matches_no_filter(editor: Client) -> None:
    query = {"figures__metric": "ttps-approved"}
    (claim,) = editor.get("/v1/claims", **query).json["data"]
    editor.delete(f"/v1/figures/{claim['figures'][0]['id']}")
    assert editor.get("/v1/claims", **query).json["data"] == []
    (after,) = editor.get("/v1/claims", id=claim["id"], figures__isnull="true").json["data"]
    assert after["figures"] == []


def test_every_claim_about_a_place_is_found_by_its_name(service: Service) -> None:
    query = {"entities__name__contains": "qianhai", "select": "entities", "per_page": "100"}
    found = service.client.get("/v1/claims", query_string=query).json["data"]
    assert len(found) >= 6
    for claim in found:
        assert any("Qianhai" in link["entity"]["name"] for link in claim["entities"])


def test_a_doubtful_date_is_possibly_and_not_certainly_within(service: Service) -> None:
    possibly = service.ids("claims", time__within="2023")
    certainly = service.ids("claims", time__certainly_within="2023")
    assert certainly < possibly


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("status", "unknown"),
        ("status__in", "accepted,unknown"),
        ("status__in", ""),
        ("id", "1"),
        ("id__in", "x,y"),
        ("claimant_id", ""),
        ("language", ""),
        ("language", "x" * 501),
        ("statement__contains", " "),
        ("statement__contains", "a\nb"),
        ("time__within", "last year"),
        ("time__within", ""),
        ("created_at__gt", "yesterday"),
        ("created_at__gt", "2024-01-01T00:00:00"),
        ("created_at__gt", "0001-01-01T00:00:00+14:00"),
        ("figures__amount__gt", "many"),
        ("figures__amount__gt", "1e5"),
        ("figures__amount__gt", "NaN"),
        ("figures__amount__gt", "9" * 5000),
        ("figures__isnull", "yes"),
        ("due__isnull", "1"),
    ],
)
def test_an_invalid_value_of_a_filter_is_named(
    service: Service, parameter: str, value: str
) -> None:
    refused = service.client.get("/v1/claims", query_string={parameter: value})
    assert refused.status_code == 400
    assert [error["parameter"] for error in refused.json["errors"]] == [parameter]


@pytest.mark.parametrize(
    ("operator", "value", "end"),
    [
        ("gt", "2020/..", "latest"),
        ("gte", "../2020", "earliest"),
        ("lt", "/2020", "earliest"),
        ("lte", "2020/", "latest"),
        ("lte", "[2020,2021..]", "latest"),
    ],
)
def test_an_open_date_as_a_bound_is_refused(
    service: Service, operator: str, value: str, end: str
) -> None:
    for name in ("time", "figures__period", "evidence__source__issued"):
        parameter = f"{name}__{operator}"
        refused = service.client.get("/v1/claims", query_string={parameter: value})
        assert refused.status_code == 400
        (error,) = refused.json["errors"]
        assert error["parameter"] == parameter
        assert end in error["detail"]
        tree = {"filter": {"not": {parameter: value}}}
        refused = service.client.post("/v1/claims/query", json=tree)
        assert refused.json["errors"][0]["pointer"] == f"#/filter/not/{parameter}"


@pytest.mark.parametrize("value", ["1.5", "true", "١٢", "-1", "99999999999", "1e2", " 1"])
def test_a_number_that_is_not_an_integer_is_refused(service: Service, value: str) -> None:
    refused = service.client.get("/v1/evidence", query_string={"start_char__gt": value})
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "parameter",
    [
        "unknown",
        "statement__unknown",
        "status__contains",
        "figures__unknown",
        "figures__metric__ne",
        "entities__name__isnull",
        "time",
        "STATUS",
        "status__eq",
        "",
        "page",
        "offset",
    ],
)
def test_an_unknown_filter_is_named(service: Service, parameter: str) -> None:
    for path in ("/v1/claims", "/v1/claims/aggregate"):
        query = {parameter: "1", **({"group_by": "status"} if "aggregate" in path else {})}
        refused = service.client.get(path, query_string=query)
        assert refused.status_code == 400
        (error,) = refused.json["errors"]
        assert error["parameter"] == parameter
        assert error["code"] == "unknown"


def test_all_faults_of_a_query_are_reported_together(service: Service) -> None:
    query = {"status": "x", "unknown": "1", "sort": "statement", "per_page": "0", "count": "all"}
    refused = service.client.get("/v1/claims", query_string=query)
    assert refused.status_code == 400
    assert {error["parameter"] for error in refused.json["errors"]} == set(query)


def test_a_repeated_parameter_is_refused(service: Service) -> None:
    for query in ("status=draft&status=accepted", "status=draft&status=draft", "q=a&q=b"):
        refused = service.client.get(f"/v1/claims?{query}")
        assert refused.status_code == 400
        (error,) = refused.json["errors"]
        name = query.partition("=")[0]
        assert (error["parameter"], error["code"]) == (name, "repeated")
        assert ("__in" in error["detail"]) == (name == "status")


@pytest.mark.parametrize(
    ("parameter", "detail"),
    [
        ("as_of", "Must be a time with its offset from UTC, such as 2026-11-22T21:00:00Z."),
        (
            "created_at__gt",
            "Must be a time with its offset from UTC, such as 2026-11-22T21:00:00Z.",
        ),
        ("external_id__isnull", "Must be true or false."),
        ("id", "Must be a UUID, such as 01890a5d-ac96-774b-bcce-b302099a8057."),
    ],
)
def test_a_refused_value_is_told_what_is_expected(
    service: Service, parameter: str, detail: str
) -> None:
    refused = service.client.get("/v1/claims", query_string={parameter: "yesterday"})
    assert refused.status_code == 400
    (error,) = refused.json["errors"]
    assert (error["code"], error["detail"]) == ("invalid", detail)


def test_a_list_parameter_can_be_repeated(service: Service) -> None:
    ways = (
        "id__in={0},{1}&select=id,time&sort=-time,-id&per_page=1",
        "id__in={0}&sort=-time&select=id&id__in={1}&select=time&sort=-id&per_page=1",
    )
    ids = [row["id"] for row in service.client.get("/v1/claims?per_page=2").json["data"]]
    once, apart = (service.client.get(f"/v1/claims?{way.format(*ids)}") for way in ways)
    assert once.json == apart.json
    assert set(apart.json["data"][0]) == {"id", "time"}
    seconds = [service.client.get(page.headers["Link"].split(">")[0][1:]) for page in (once, apart)]
    assert seconds[0].json == seconds[1].json
    assert {once.json["data"][0]["id"], seconds[1].json["data"][0]["id"]} == set(ids)
    groups = service.client.get("/v1/claims/aggregate?group_by=status&group_by=modality").json
    assert groups["meta"]["group_by"] == ["status", "modality"]
    read = service.client.get(f"/v1/claims/{ids[0]}?select=id&select=time").json
    assert set(read) == {"id", "time"}


def test_too_many_parameters_are_refused(service: Service) -> None:
    query = "&".join(f"p{n}=1" for n in range(101))
    assert service.client.get(f"/v1/claims?{query}").status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "language=%FF",
        "language=%00",
        "language=a%00b",
        "language=%ED%A0%80",
        "q=%00",
        "q=%ED%A0%80",
        "q=a%0Ab",
        "%FF=1",
        "%00=1",
        "cursor=%00",
        "cursor=%FF",
        "sort=%00",
        "select=%00",
        "include=%00",
        "per_page=%00",
        "count=%00",
        "id=%00",
        "status=%00",
        "time__within=%00",
        "created_at__gt=%00",
        "figures__amount=%00",
        "figures__isnull=%00",
        "external_id__in=a:b,%00",
        "statement__contains=%00",
        "title=\xff",
    ],
)
def test_invalid_utf_8_is_refused(service: Service, query: str) -> None:
    assert service.client.get(f"/v1/claims?{query}").status_code == 400


def test_text_is_compared_in_its_normal_form(editor: Client) -> None:
    body = {"csl_type": "report", "title": "Caf\u00e9"}
    made = editor.post("/v1/sources", body)
    (found,) = editor.get("/v1/sources", title="Cafe\u0301").json["data"]
    assert found["id"] == made.json["id"]
