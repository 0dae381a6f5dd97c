"""Bodies: a maximum size, strict JSON, exact numbers and valid text; nothing is guessed."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import fields

from hksz_db.services.registry import WRITERS
from tests.api.conftest import Answer, Client
from tests.samples import Sample

SOURCE = {"csl_type": "report", "title": "A report"}


def _send(
    client: Client,
    data: str | bytes,
    content_type: str = "application/json",
    path: str = "/v1/sources",
    **options: Any,
) -> Answer:
    return client.send("POST", path, data=data, content_type=content_type, **options)


def _chunked(client: Client, data: bytes) -> Answer:
    """Send the body in chunks, without a length."""
    return client.send(
        "POST",
        "/v1/sources",
        input_stream=io.BytesIO(data),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )


def test_a_chunked_body_is_read(editor: Client) -> None:
    made = _chunked(editor, json.dumps(SOURCE).encode())
    assert made.status_code == 201
    assert made.json["title"] == "A report"


@pytest.mark.parametrize("send", [_send, _chunked])
def test_a_body_has_a_maximum_size(editor: Client, send: Callable[..., Any]) -> None:
    limit = 2**20
    document = json.dumps(SOURCE).encode()
    assert send(editor, document.ljust(limit)).status_code == 201
    assert send(editor, document.ljust(limit + 1)).status_code == 413
    assert send(editor, document.ljust(3 * limit)).status_code == 413


def test_a_body_is_refused_by_its_declared_length(editor: Client) -> None:
    refused = editor.send(
        "POST",
        "/v1/sources",
        input_stream=io.BytesIO(b"{}"),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": str(2**40)},
    )
    assert refused.status_code == 413


def test_a_truncated_body_is_malformed(editor: Client) -> None:
    refused = editor.send(
        "POST",
        "/v1/sources",
        input_stream=io.BytesIO(json.dumps(SOURCE).encode()),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "100"},
    )
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "multipart/form-data",
        "",
    ],
)
def test_another_media_type_is_refused(editor: Client, media_type: str) -> None:
    for path in ("/v1/sources", "/v1/claims/query"):
        assert _send(editor, json.dumps(SOURCE), media_type, path).status_code == 415
    assert _send(editor, "{}", "application/merge-patch+json").status_code == 415


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_the_media_type_may_have_parameters(editor: Client, media_type: str) -> None:
    assert _send(editor, json.dumps(SOURCE), media_type).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"title": }',
        b"{'title': 'x'}",
        b'{"title": "x",}',
        b'{"title": "x"} {}',
        b'{"title": "x"} // comment',
        b'{"title": NaN}',
        b'{"title": Infinity}',
        b'{"title": -Infinity}',
        b'{"title": 01}',
        b'{"title": .5}',
        b'{"title": +1}',
        b'{"title": 0x10}',
        b'{"title": "\x07"}',
        b'{"title": "\\x41"}',
        b'{"title": "\xff"}',
        b'{"title": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"[]",
        b'"text"',
        b"1",
        b"null",
        b"true",
        b'{"title": "x", "title": "x"}',
        b'{"contributors": [{"role": "author", "role": "editor"}]}',
        b'{"a": ' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'{"title": 1' + b"0" * 5000 + b"}",
        b'{"title": 1e' + b"9" * 30 + b"}",
        b'{"title": -1e-' + b"9" * 30 + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_body_must_be_a_strict_json_object(editor: Client, body: bytes) -> None:
    refused = _send(editor, body)
    assert refused.status_code == 400
    assert refused.content_type == "application/problem+json"


def test_a_body_of_many_names_is_parsed_in_linear_time(editor: Client) -> None:
    names = {f"k{number}": 1 for number in range(50_000)}
    twice = json.dumps(names)[:-1] + ', "k49999": 2}'
    assert _send(editor, twice).status_code == 400
    refused = _send(editor, json.dumps(names))
    assert refused.status_code == 422
    assert len(refused.data) < 1_000_000


def test_a_body_may_be_as_deep_as_its_limit(editor: Client) -> None:
    deepest = b'{"x": ' * 31 + b"{}" + b"}" * 31
    refused = _send(editor, deepest)
    assert refused.status_code == 422
    assert _send(editor, b'{"x": ' + deepest + b"}").status_code == 400


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "\x00", "a\nb", "tab\t", "\x1b[0m", "\x7f", "\x85", "\ud800", "a\udc00b"],
)
def test_control_characters_and_surrogates_are_refused_with_their_pointer(
    editor: Client, text: str
) -> None:
    for body, pointer in (
        ({**SOURCE, "title": text}, "#/title"),
        ({**SOURCE, "rights": text}, "#/rights"),
        (
            {
                **SOURCE,
                "contributors": [
                    {"entity_external_id": "hksz:hkpc", "role": "author", "credited_as": text}
                ],
            },
            "#/contributors/0/credited_as",
        ),
    ):
        refused = editor.post("/v1/sources", body)
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


@pytest.mark.parametrize("name", ["unknown", "a/b~c", "\x00", "\ud800", "", "id", "version"])
def test_an_unknown_field_is_refused_with_its_pointer(editor: Client, name: str) -> None:
    escaped = name.encode("utf-8", "backslashreplace").decode()
    escaped = escaped.replace("~", "~0").replace("/", "~1")
    item = {"entity_external_id": "hksz:hkpc", "role": "author", name: 1}
    for body, pointer in (
        ({**SOURCE, name: 1}, f"#/{escaped}"),
        ({**SOURCE, "contributors": [item]}, f"#/contributors/0/{escaped}"),
    ):
        refused = editor.post("/v1/sources", body)
        assert refused.status_code == 422
        (error,) = refused.json["errors"]
        assert (error["pointer"], error["code"]) == (pointer, "unknown_field")


def test_text_is_stored_in_its_normal_form(editor: Client) -> None:
    made = editor.post("/v1/sources", {**SOURCE, "title": "Cafe\u0301 \U0001f600 \u9999\u6e2f"})
    assert made.json["title"] == "Caf\u00e9 \U0001f600 \u9999\u6e2f"


@pytest.mark.parametrize("text", ["", " ", "\u3000", "\u00a0\u2003"])
def test_text_may_not_be_blank(editor: Client, text: str) -> None:
    refused = editor.post("/v1/sources", {**SOURCE, "title": text})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/title"


def test_the_length_of_text_is_limited_in_characters(editor: Client) -> None:
    assert editor.post("/v1/sources", {**SOURCE, "title": "\U0001f600" * 1000}).status_code == 201
    refused = editor.post("/v1/sources", {**SOURCE, "title": "x" * 1001})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/title"


def _figure(client: Client, samples: dict[str, Sample], **fields: Any) -> Answer:
    sample = samples["figures"]
    body = {**sample.body, "external_id": None, **fields}
    return _send(client, json.dumps(body), path=sample.path)


@pytest.mark.parametrize(
    "number", ["1E+999999", "1e400", "1e-400", "1e-21", "0." + "1" * 5000, "9" * 900, "9" * 31]
)
def test_huge_numbers_are_refused_with_their_pointer(
    editor: Client, samples: dict[str, Sample], number: str
) -> None:
    body = json.dumps(samples["figures"].body).replace('"60"', number)
    refused = _send(editor, body, path="/v1/figures")
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/amount"]


@pytest.mark.parametrize(
    "amount",
    [True, [], {}, "", " 1", "1 ", "1e5", "NaN", "Infinity", "-", "1,000", "٣", "0x1", "1_0", "+1"],
)
def test_an_invalid_decimal_is_refused_with_its_pointer(
    editor: Client, samples: dict[str, Sample], amount: Any
) -> None:
    refused = _figure(editor, samples, amount=amount)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/amount"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('"0.10"', "0.10"),
        ("0.10", "0.10"),
        ("1e3", "1000"),
        ("1.55e1", "15.5"),
        ("15.0", "15"),
        ('"15.0"', "15.0"),
        ("60", "60"),
        ('"060"', "60"),
        ("0.1000000000000000055511", None),
        ("12345678901234567.12345678901234567", "12345678901234567.12345678901234567"),
    ],
)
def test_decimals_are_exact(
    editor: Client, samples: dict[str, Sample], given: str, kept: str | None
) -> None:
    body = json.dumps(samples["figures"].body).replace('"60"', given)
    made = _send(editor, body, path="/v1/figures")
    assert made.status_code == (201 if kept else 422)
    assert made.json.get("amount") == kept


@pytest.mark.parametrize("value", [True, 1.9, 1.0, "5", -1, 2**31, 1e3])
def test_a_number_that_is_not_an_integer_is_refused(editor: Client, value: Any) -> None:
    capture = {"text_sha256": "a" * 64, "char_length": value}
    refused = editor.post("/v1/sources", {**SOURCE, "captures": [capture]})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/captures/0/char_length"


@pytest.mark.parametrize("value", [0, 1, "true", "yes", None, []])
def test_other_values_for_booleans_are_refused(editor: Client, value: Any) -> None:
    refused = editor.post("/v1/sources", {**SOURCE, "title_supplied": value})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/title_supplied"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 5),
        ("title", None),
        ("csl_type", "novel"),
        ("csl_type", ["report"]),
        ("url", "ftp://example.org"),
        ("url", "javascript:alert(1)"),
        ("url", "https://user:secret@example.org/"),
        ("url", "https:///path"),
        ("url", "https://[::1"),
        ("url", "https://example.org/a b"),
        ("url", "//example.org"),
        ("doi", "https://doi.org/10.1000/182"),
        ("language", "not a language"),
        ("issued_edtf", "last year"),
        ("issued_edtf", "2023-02-30"),
        ("issued_edtf", "0000"),
        ("issued_edtf", "Y-17E7"),
        ("issued_edtf", 2023),
        ("retracted_at", "2024-01-01"),
        ("retracted_at", "2024-01-01T00:00:00"),
        ("retracted_at", "2024-13-01T00:00:00Z"),
        ("external_id", "no-namespace"),
        ("external_id", "ex:" + "x" * 200),
        ("external_id", "ex:a\n"),
        ("contributors", {}),
        ("contributors", [None]),
        ("contributors", ["x"]),
        ("contributors", [False]),
        ("relations", [5]),
        ("relations", [[]]),
        ("contributors", "x"),
        ("captures", [{"char_length": 1, "text_sha256": "A" * 64}]),
        ("captures", [{"char_length": 0, "text_sha256": "a" * 64}]),
        ("relations", [{"kind": "inspired_by", "to_external_id": "a:b"}]),
    ],
)
def test_a_value_that_breaks_a_rule_is_refused_with_its_pointer(
    editor: Client, field: str, value: Any
) -> None:
    refused = editor.post("/v1/sources", {**SOURCE, field: value})
    assert refused.status_code == 422
    assert all(e["pointer"].startswith(f"#/{field}") for e in refused.json["errors"])


_TIME = "Must be a time with its offset from UTC, such as 2026-11-22T21:00:00Z."


@pytest.mark.parametrize(
    ("field", "value", "code", "detail"),
    [
        ("title", 5, "invalid", "Must be a text."),
        ("title", None, "null", "Must not be null."),
        ("title_supplied", "yes", "invalid", "Must be true or false."),
        ("retracted_at", "yesterday", "invalid", _TIME),
        ("retracted_at", "2024-01-01T00:00:00", "invalid", _TIME),
        ("retracted_at", 2024, "invalid", _TIME),
        ("contributors", {}, "invalid", "Must be a list."),
        ("contributors", [5], "invalid", "Must be an object."),
        (
            "captures",
            [{"text_sha256": "a" * 64, "char_length": "1"}],
            "invalid",
            "Must be a whole number.",
        ),
        ("captures", [{"text_sha256": "a" * 64}], "required", "This field is required."),
        ("unknown", 1, "unknown_field", "Unknown field."),
        (
            "relations",
            [{"kind": "cites", "to_id": "x"}],
            "invalid",
            "Must be a UUID, such as 01890a5d-ac96-774b-bcce-b302099a8057.",
        ),
    ],
)
def test_a_refusal_says_what_is_expected(editor, field, value, code, detail):
    refused = editor.post("/v1/sources", {**SOURCE, field: value})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["code"], error["detail"]) == (code, detail)


def input_fields(loaded):
    """The fields of a schema, and those of the lists and objects in them."""
    waiting = list(loaded.fields.values())
    while waiting:
        field = waiting.pop()
        yield field
        if isinstance(field, fields.List):
            waiting.append(field.inner)
        elif isinstance(field, fields.Nested):
            waiting += field.schema.fields.values()


@pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
def test_no_message_is_that_of_the_library(writer):
    for field in input_fields(writer.create_schema()):
        told = {field.error_messages.get(key, "") for key in ("invalid", "invalid_uuid", "type")}
        assert not [text for text in told if text.startswith(("Not a valid", "Invalid"))], field


def test_lists_have_an_end(editor):
    capture = [{"char_length": 1, "text_sha256": f"{n:064x}"} for n in range(101)]
    assert editor.post("/v1/sources", {**SOURCE, "captures": capture[:100]}).status_code == 201
    refused = editor.post("/v1/sources", {**SOURCE, "captures": capture})
    assert refused.status_code == 422


def test_all_faults_are_reported_together(editor: Client) -> None:
    wrong = {"title": "", "csl_type": "x", "unknown": 1, "captures": [{"char_length": 0}]}
    refused = editor.post("/v1/sources", wrong)
    assert {error["pointer"] for error in refused.json["errors"]} == {
        "#/title",
        "#/csl_type",
        "#/unknown",
        "#/captures/0/char_length",
        "#/captures/0/text_sha256",
    }


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"comparator": "between"}, "#/amount"),
        ({"comparator": "eq", "amount": None}, "#/amount"),
        ({"comparator": "eq", "lower_bound": "1"}, "#/lower_bound"),
        ({"comparator": "gt", "lower_bound": "1"}, "#/lower_bound"),
        ({"comparator": "lt", "upper_bound": "1"}, "#/upper_bound"),
        ({"lower_bound": "9", "upper_bound": "1"}, "#/upper_bound"),
        ({"comparator": "eq", "amount": "-1"}, "#/amount"),
        ({"comparator": "lt", "amount": "0"}, "#/amount"),
    ],
)
def test_an_inconsistent_figure_is_refused_with_its_pointer(
    editor: Client, samples: dict[str, Sample], fields: dict[str, Any], pointer: str
) -> None:
    refused = _figure(editor, samples, **fields)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    "code",
    ["xyz", "m/", "Cel", "mol", "10*99999999", "10^99999999", "H13562", "("],
)
def test_an_invalid_unit_is_refused_with_its_pointer(editor: Client, code: str) -> None:
    refused = editor.post("/v1/units", {"code": code, "label": "x"})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/code"]
