"""The OpenAPI document is valid and complete, and can be viewed without the internet."""

import re
from typing import Any
from urllib.parse import urljoin
from uuid import UUID

import jsonschema
import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.consequences import CONSEQUENTIAL
from hksz_db.queries.questions import MAX_FILTERS, model_of
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Client

LISTED = (*RESOURCES.values(), COMPARISONS)


@pytest.fixture
def document(reader: Client) -> dict[str, Any]:
    answer = reader.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    return answer.json


def _operations(document):
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "patch", "delete", "put"}:
            yield f"{method.upper()} {path}", item[method]


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        name = part["$ref"].removeprefix("#/").split("/")
        part = document
        for step in name:
            part = part[step]
    return part


def _repeatable(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    given = [_resolved(document, parameter) for parameter in operation.get("parameters", [])]
    return any(parameter["name"] == "Idempotency-Key" for parameter in given)


@pytest.mark.slow
def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_it_describes_every_call_of_every_resource(document: dict[str, Any], app: Flask) -> None:
    described = {name for name, _ in _operations(document)}
    served = {
        f"{method} {re.sub('<[a-z]+:', '{', rule.rule).replace('>', '}')}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served
    parts = sum(len(resource.parts) for resource in RESOURCES.values())
    merges = 2 * sum(resource.can_be_merged for resource in RESOURCES.values())
    assert len(served) == 14 * len(RESOURCES) + parts + merges + 10


def test_every_operation_has_a_unique_id_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in _operations(document)]
    assert len(set(names)) == len(names)
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert described == {*RESOURCES, "comparisons", "review", "changes", "suggest", "check"}
    for name, operation in _operations(document):
        assert re.fullmatch("[A-Z].*[.]", operation["summary"]), name
        (tag,) = operation["tags"]
        assert tag in described
        assert name.split(" ")[1].startswith(f"/v1/{tag}")
        assert re.fullmatch(rf"{tag}[.][a-z]+(_[a-z]+)*", operation["operationId"]), name


def test_only_writes_require_a_key(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        reads = name.startswith("GET") or name.endswith(("/query", "/verify", "/check"))
        assert ("security" in operation) != reads, name


def test_every_post_that_writes_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        writes = name.startswith("POST") and "security" in operation
        assert _repeatable(document, operation) == writes, name
        if writes:
            assert {"409", "422"} <= set(operation["responses"]), name
            (answer,) = (r for s, r in operation["responses"].items() if s.startswith("2"))
            assert "Idempotency-Replayed" in answer["headers"], name


def test_errors_are_declared_as_problem_documents(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        declared = operation["responses"]
        assert {"400", "503"} <= set(declared), name
        assert "401" in declared, name
        takes = "requestBody" in operation and not name.endswith("/query")
        assert ("422" in declared) == (takes or _repeatable(document, operation)), name
        if "{id}" in name:
            assert "404" in declared, name
        for status, response in declared.items():
            if int(status) >= 400:
                # One component for each status, and one schema for all of them.
                assert response == {"$ref": f"#/components/responses/Problem{status}"}, name
            else:
                assert "Problem" not in _models(document, _resolved(document, response)), name
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = document["components"]["responses"]
    assert {int(name.removeprefix("Problem")) for name in responses} <= set(range(400, 600))
    for name, response in responses.items():
        assert response["content"] == problem, name
        assert response["description"], name


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/claims?unknown=1", 400),
        ("POST", "/v1/claims", 401),
        ("GET", f"/v1/claims/{UUID(int=0)}", 404),
        ("GET", "/v1", 404),
        ("PUT", "/v1/claims", 405),
        ("POST", "/v1/claims/query", 415),
    ],
)
def test_errors_match_the_problem_schema(
    reader: Client, document: dict[str, Any], method: str, path: str, status: int
) -> None:
    answer = reader.send(method, path)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    jsonschema.validate(answer.json, problem, cls=jsonschema.Draft202012Validator)
    assert answer.json["status"] == status


@pytest.mark.parametrize("suffix", ["", "/restore", "/history/{version}/restore"])
def test_conditions_are_declared(document: dict[str, Any], suffix: str) -> None:
    for resource in RESOURCES.values():
        item = document["paths"][f"/v1/{resource.name}/{{id}}{suffix}"]
        for method in ("post",) if suffix else ("patch", "delete"):
            operation = item[method]
            assert {"412", "428"} <= set(operation["responses"])
            given = [_resolved(document, p) for p in operation["parameters"]]
            (condition,) = (p for p in given if p["name"] == "If-Match")
            assert condition["required"]


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_every_filter_is_named_and_typed(document: dict[str, Any], resource: Readable) -> None:
    for call in ("", "/aggregate", "/export"):
        path = f"/v1/{resource.name}{call}"
        operation = document["paths"][path]["get"]
        given = {p["name"]: p for p in (_resolved(document, r) for r in operation["parameters"])}
        assert set(resource.filters) < set(given)
        for name in resource.filters:
            assert given[name]["in"] == "query"
            assert given[name]["schema"]
            assert given[name]["description"]


def _parts(part, path="#"):
    yield path, part
    for name, inner in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(inner, dict | list):
            yield from _parts(inner, f"{path}/{name}")


def test_every_object_and_vocabulary_has_a_named_schema(document: dict[str, Any]) -> None:
    named = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    for path, part in _parts(document):
        if isinstance(part, dict) and ("enum" in part or "properties" in part):
            assert path in named, path
    for name, operation in _operations(document):
        # With several, a generated client would have to choose one; it makes none of plain text.
        bodies = operation.get("requestBody", {}).get("content", {}).keys() - {"text/plain"}
        assert len(bodies) <= 1, name
    for name, part in document["components"]["schemas"].items():
        varying = any(term.startswith("-") for term in part.get("enum", ()))
        assert ("x-enum-varnames" in part) == varying == name.endswith("Sort"), name
        names = part.get("x-enum-varnames", [])
        assert len(set(names)) == len(names) == len(part["enum"] if varying else [])


def test_only_fields_that_can_be_left_out_are_optional_in_answers(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    optional = {model_of(listed): set(listed.embeds) for listed in LISTED}
    sometimes = {"document", "shown_in"}
    optional |= {f"{model_of(each)}Change": sometimes for each in RESOURCES.values()}
    optional |= {f"Written{model_of(RESOURCES[n])}": {"consequences"} for n in CONSEQUENTIAL}
    for listed in LISTED:
        selected = schemas[f"Selected{model_of(listed)}"]
        assert set(selected["properties"]) - {"name_language"} == set(listed.document)
        optional[f"Selected{model_of(listed)}"] = set(listed.document)
    reached = set()
    for _, operation in _operations(document):
        for response in operation["responses"].values():
            for _, part in _parts(_resolved(document, response)):
                reached |= _models(document, part)
    groups = {name for name in reached if name.endswith("Group")}
    assert reached > optional.keys() | groups
    for name in reached - groups - {"PageMeta", "Problem", "ProblemError"}:
        part = schemas[name]
        if "properties" in part:
            # The language of a name is for those who ask for languages.
            left_out = optional.get(name, set()) | {"name_language"}
            assert set(part.get("required", [])) == set(part["properties"]) - left_out, name
        else:
            assert part.keys() & {"enum", "additionalProperties"}, name


def test_the_feed_is_told_apart_by_resource(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    items = schemas["ChangePage"]["properties"]["data"]["items"]
    mapping = items["discriminator"]["mapping"]
    assert items["discriminator"]["propertyName"] == "resource"
    assert [{"$ref": reference} for reference in mapping.values()] == items["oneOf"]
    assert list(mapping) == list(RESOURCES)
    for resource in RESOURCES.values():
        shown = _resolved(document, {"$ref": mapping[resource.name]})["properties"]
        assert shown["resource"]["const"] == resource.name
        of_resource = {"$ref": f"#/components/schemas/{model_of(resource)}"}
        assert shown["document"]["anyOf"] == [of_resource, {"type": "null"}]


def test_no_parameter_occurs_twice_in_an_operation(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method != "parameters":
                given = [_resolved(document, one) for one in (*shared, *operation["parameters"])]
                names = [one["name"] for one in given]
                assert len(names) == len(set(names)), (method, path)


def _models(document: dict[str, Any], part: dict[str, Any] | list[str]) -> set[str]:
    """The schemas that a part refers to, directly or indirectly."""
    found, left = set(), [part]
    while left:
        for _, inner in _parts(left.pop()):
            name = inner.get("$ref", "").split("/")[-1] if isinstance(inner, dict) else ""
            if name in document["components"]["schemas"] and name not in found:
                found.add(name)
                left.append(document["components"]["schemas"][name])
    return found


def test_the_viewer_loads_nothing_from_other_hosts(reader: Client) -> None:
    page = reader.get("/docs/")
    assert page.status_code == 200
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert not re.match(r"(https?:)?//", asset), asset
        with reader.get(urljoin("/docs/", asset)) as served:
            assert served.status_code == 200, asset
            assert served.data
    assert '"url": "/openapi.json"' in page.text
    assert not re.search("https?://(?!localhost/)", page.text)
    # By default the viewer asks a public service whether the document is valid.
    assert '"validatorUrl": null' in page.text


def test_documented_limits_are_enforced(reader: Client, document: dict[str, Any]) -> None:
    parameters = document["paths"]["/v1/claims"]["get"]["parameters"]
    given = {p["name"]: p for p in (_resolved(document, r) for r in parameters)}
    most = given["per_page"]["schema"]["maximum"]
    assert reader.get("/v1/claims", per_page=str(most)).status_code == 200
    assert reader.get("/v1/claims", per_page=str(most + 1)).status_code == 400
    longest = given["q"]["schema"]["maxLength"]
    assert reader.get("/v1/claims", q="x" * longest).status_code == 200
    assert reader.get("/v1/claims", q="x" * (longest + 1)).status_code == 400
    assert len(given) > MAX_FILTERS
