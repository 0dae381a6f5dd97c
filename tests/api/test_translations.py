"""The statement of a claim in several languages."""

from typing import Any

import pytest

from tests.api.conftest import Answer, Client
from tests.conftest import QueryCounter

STATEMENT = "Fifty firms will move."
CHINESE = {"language": "zh-Hant", "text": "五十家企業將會遷移。", "translated_by": "human"}
PORTUGUESE = {"language": "pt", "text": "Cinquenta empresas vão mudar.", "translated_by": "machine"}


def add(client: Client, **body: Any) -> Answer:
    claim = {"statement": STATEMENT, "claimant_external_id": "hksz:hkpc", **body}
    return client.post("/v1/claims", claim)


@pytest.fixture
def path(editor: Client) -> str:
    """A claim with two translations."""
    answer = add(editor, statements=[CHINESE, PORTUGUESE])
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def test_a_claim_has_its_original_and_its_translations(reader: Client, path: str) -> None:
    claim = reader.get(path).json
    assert (claim["statement"], claim["language"]) == (STATEMENT, "en")
    assert claim["statements"] == [PORTUGUESE, CHINESE]


def test_lists_and_exports_show_translations_on_request(reader: Client, path: str) -> None:
    id = path.rpartition("/")[2]
    (plain,) = reader.get("/v1/claims", id=id).json["data"]
    assert "statements" not in plain
    (asked,) = reader.get("/v1/claims", id=id, include="statements").json["data"]
    assert asked["statements"] == [PORTUGUESE, CHINESE]
    table = reader.get("/v1/claims/export", id=id, format="csv", select="statements").text
    assert table.splitlines() == [
        "statements_language,statements_text,statements_translated_by",
        f"pt; zh-Hant,{PORTUGUESE['text']}; {CHINESE['text']},machine; human",
    ]


def test_a_patch_replaces_all_translations(editor: Client, path: str) -> None:
    changed = editor.patch(path, {"statements": [PORTUGUESE]})
    assert (changed.json["statements"], changed.json["version"]) == ([PORTUGUESE], 2)
    assert editor.patch(path, {"statements": [PORTUGUESE]}).json["version"] == 2
    better = {**PORTUGUESE, "translated_by": "human"}
    assert editor.patch(path, {"statements": [better]}).json["statements"] == [better]
    assert editor.patch(path, {"topics": ["firms"]}).json["statements"] == [better]
    assert editor.patch(path, {"statements": []}).json["statements"] == []
    changes = [entry["changed"] for entry in editor.get(f"{path}/history").json["data"]]
    assert changes == [["statements"], ["topics"], ["statements"], ["statements"], []]
    assert editor.get(f"{path}/history/1").json["document"]["statements"] == [PORTUGUESE, CHINESE]
    restored = editor.send("POST", f"{path}/history/1/restore", headers={"If-Match": "*"})
    assert restored.json["statements"] == [PORTUGUESE, CHINESE]


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ({**CHINESE, "text": " "}, "/0/text"),
        ({**CHINESE, "translated_by": "nobody"}, "/0/translated_by"),
        ({**CHINESE, "language": "chinese!"}, "/0/language"),
        ({**CHINESE, "language": "EN"}, "/0/language"),
        ({"language": "de", "text": "Fünfzig."}, "/0/translated_by"),
        ({**PORTUGUESE, "language": "zh-hant"}, ""),
    ],
)
def test_what_is_no_translation_is_refused(
    editor: Client, path: str, statement: dict[str, str], place: str
) -> None:
    body = {"statements": [statement, CHINESE]}
    for refused in (add(editor, **body), editor.patch(path, body)):
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json["errors"]] == [f"#/statements{place}"]
    assert editor.get(path).json["version"] == 1


def test_the_language_of_the_original_can_change_with_the_translations(
    editor: Client, path: str
) -> None:
    english = {"language": "en", "text": STATEMENT, "translated_by": "human"}
    body = {"statement": CHINESE["text"], "language": "zh-Hant", "statements": [english]}
    changed = editor.patch(path, body).json
    assert {name: changed[name] for name in body} == body


@pytest.mark.parametrize("language", ["pt", "PT", "zh-hant"])
def test_a_claim_cannot_get_the_language_of_its_translation(
    editor: Client, path: str, language: str
) -> None:
    refused = editor.patch(path, {"language": language})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/language"]
    assert editor.patch(path, {"language": "en", "topics": ["a"]}).json["language"] == "en"
    assert editor.patch(path, {"language": "pt", "statements": [CHINESE]}).json["language"] == "pt"
    assert editor.patch(path, {"language": "fr"}).json["statements"] == [CHINESE]


def test_a_batch_cannot_give_a_claim_the_language_of_its_translation(editor: Client) -> None:
    item = {
        "external_id": "ex:translated",
        "statement": STATEMENT,
        "claimant_external_id": "hksz:hkpc",
    }
    assert add(editor, **item, statements=[CHINESE]).status_code == 201
    body = {"items": [{**item, "language": "zh-Hant"}]}
    answer = editor.post("/v1/claims/bulk?mode=upsert", body)
    (result,) = answer.json["data"]
    assert [error["pointer"] for error in result["errors"]] == ["#/items/0/language"]


@pytest.mark.parametrize(("language", "number"), [(None, 6), ("en", 6), ("fr", 7)])
def test_only_another_language_takes_one_more_statement(
    editor: Client, path: str, query_counter: QueryCounter, language: str | None, number: int
) -> None:
    given = {} if language is None else {"language": language}
    with query_counter() as counted:
        changed = editor.patch(path, {"modality": "planned", **given})
    assert changed.status_code == 200, changed.text
    assert len(counted.statements) == number
