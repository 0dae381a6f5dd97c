"""The OpenAPI document: valid, whole, and readable without the internet."""

import re
from urllib.parse import urljoin

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hksz_db.api.catalogue import CATALOGUE
from hksz_db.api.questions import MAX_FILTERS


@pytest.fixture
def document(reader):
    answer = reader.get("/openapi.json")
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    return answer.json


def _operations(document):
    for path, item in document["paths"].items():
        for method in item.keys() & {"get", "post", "patch", "delete", "put"}:
            yield f"{method.upper()} {path}", item[method]


def _resolved(document, part):
    while "$ref" in part:
        name = part["$ref"].removeprefix("#/").split("/")
        part = document
        for step in name:
            part = part[step]
    return part


def test_it_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_it_describes_every_call_of_every_resource(document, app):
    described = {name for name, _ in _operations(document)}
    served = {
        f"{method} {rule.rule.replace('<uuid:id>', '{id}')}"
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == served
    parts = sum(len(resource.parts) for resource in CATALOGUE)
    assert len(served) == 8 * len(CATALOGUE) + parts + 8


def test_every_operation_has_a_name_of_its_own(document):
    names = [operation["operationId"] for _, operation in _operations(document)]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] for _, operation in _operations(document))


def test_writes_ask_for_a_key_and_reads_do_not(document):
    for name, operation in _operations(document):
        reads = name.startswith("GET") or name.endswith(("/query", "/verify"))
        assert ("security" in operation) != reads, name


def test_errors_are_declared_as_problem_documents(document):
    for name, operation in _operations(document):
        declared = operation["responses"]
        assert {"400", "503"} <= set(declared), name
        assert "401" in declared, name
        stores = "requestBody" in operation and not name.endswith("/query")
        assert ("422" in declared) == stores, name
        if "{id}" in name:
            assert "404" in declared, name
        for status, response in declared.items():
            if int(status) >= 400:
                content = _resolved(document, response)["content"]
                assert list(content) == ["application/problem+json"], (name, status)


@pytest.mark.parametrize("suffix", ["", "/restore"])
def test_conditions_are_declared(document, suffix):
    for resource in CATALOGUE:
        item = document["paths"][f"/v1/{resource.name}/{{id}}{suffix}"]
        for method in ("post",) if suffix else ("patch", "delete"):
            operation = item[method]
            assert {"412", "428"} <= set(operation["responses"])
            given = [_resolved(document, p) for p in operation["parameters"]]
            (condition,) = (p for p in given if p["name"] == "If-Match")
            assert condition["required"]


@pytest.mark.parametrize("resource", CATALOGUE, ids=lambda resource: resource.name)
def test_every_filter_is_named_and_typed(document, resource):
    for path in (f"/v1/{resource.name}", f"/v1/{resource.name}/aggregate"):
        operation = document["paths"][path]["get"]
        given = {p["name"]: p for p in (_resolved(document, r) for r in operation["parameters"])}
        assert set(resource.filters) < set(given)
        for name in resource.filters:
            assert given[name]["in"] == "query"
            assert given[name]["schema"]
            assert given[name]["description"]


def test_the_page_to_read_it_needs_nothing_from_elsewhere(reader):
    page = reader.get("/docs/")
    assert page.status_code == 200
    assert reader.get("/docs").status_code in {301, 308}
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert assets
    for asset in assets:
        assert not re.match(r"(https?:)?//", asset), asset
        with reader.get(urljoin("/docs/", asset)) as served:
            assert served.status_code == 200, asset
            assert served.data
    assert '"url": "/openapi.json"' in page.text
    assert not re.search("https?://(?!localhost/)", page.text)
    # The viewer would ask a service of its makers whether the document is valid.
    assert '"validatorUrl": null' in page.text


def test_limits_that_are_documented_are_kept(reader, document):
    parameters = document["paths"]["/v1/claims"]["get"]["parameters"]
    given = {p["name"]: p for p in (_resolved(document, r) for r in parameters)}
    most = given["per_page"]["schema"]["maximum"]
    assert reader.get("/v1/claims", per_page=str(most)).status_code == 200
    assert reader.get("/v1/claims", per_page=str(most + 1)).status_code == 400
    longest = given["q"]["schema"]["maxLength"]
    assert reader.get("/v1/claims", q="x" * longest).status_code == 200
    assert reader.get("/v1/claims", q="x" * (longest + 1)).status_code == 400
    assert len(given) > MAX_FILTERS
