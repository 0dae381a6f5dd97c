"""The language of names: ``lang`` and ``Accept-Language``."""

from collections.abc import Callable
from typing import Any

import pytest

from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Answer, Client

ENGLISH, TRADITIONAL, SIMPLIFIED = "Example Council", "示例促進局", "示例促进局"
Make = Callable[..., str]


def named(**names: str) -> list[dict[str, str]]:
    """Preferred names by language, with underscores for hyphens."""
    return [
        {"name": name, "language": language.replace("_", "-"), "kind": "preferred"}
        for language, name in names.items()
    ]


@pytest.fixture
def make(editor: Client) -> Make:
    """``make(en="A council")``: the id of a new organisation with the names."""

    def make(*more: dict[str, str], **names: str) -> str:
        body = {"kind": "organisation", "names": [*named(**names), *more]}
        answer = editor.post("/v1/entities", body)
        assert answer.status_code == 201, answer.text
        return answer.json["id"]

    return make


@pytest.fixture
def council(make: Make) -> str:
    """The id of an organisation with names in three languages."""
    return make(en=ENGLISH, zh_Hant=TRADITIONAL, zh_Hans=SIMPLIFIED)


@pytest.fixture
def claim(editor: Client, council: str) -> str:
    """The path of a claim that shows the organisation in every place that a claim has."""
    source = editor.post(
        "/v1/sources",
        {
            "csl_type": "report",
            "title": "A report",
            "contributors": [{"entity_id": council, "role": "publisher"}],
        },
    )
    figure = {
        "metric_external_id": "hksz:metric-ttps-approved",
        "subject_id": council,
        "as_stated": "forty",
        "comparator": "eq",
        "amount": "40",
        "unit_code": "1",
        "period_edtf": "2023",
    }
    passage = {
        "source_id": source.json["id"],
        "stance": "supports",
        "attributed_to_id": council,
        "status": "accepted",
    }
    answer = editor.post(
        "/v1/claims",
        {
            "statement": "Forty firms moved.",
            "claimant_id": council,
            "reported_by_id": council,
            "entities": [{"entity_id": council, "role": "subject"}],
            "figures": [figure, {**figure, "amount": "41", "as_stated": "41"}],
            "evidence": [passage],
            "status": "accepted",
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def accept(client: Client, path: str, header: str, method: str = "GET", **more: Any) -> Answer:
    return client.send(method, path, headers={"Accept-Language": header}, **more)


def shown(answer: Answer) -> tuple[str, str | None]:
    assert answer.status_code == 200, answer.text
    return answer.json["name"], answer.json.get("name_language")


@pytest.mark.parametrize(
    ("lang", "name", "language"),
    [
        ("zh-Hant-HK", TRADITIONAL, "zh-Hant"),
        ("zh-hant", TRADITIONAL, "zh-Hant"),
        ("zh-HK", TRADITIONAL, "zh-Hant"),
        ("zh-Hans", SIMPLIFIED, "zh-Hans"),
        ("zh", SIMPLIFIED, "zh-Hans"),
        ("en-GB", ENGLISH, "en"),
        ("fr", ENGLISH, "en"),
    ],
)
def test_lang_and_the_header_choose_the_name(
    reader: Client, council: str, lang: str, name: str, language: str
) -> None:
    path = f"/v1/entities/{council}"
    for answer in (reader.get(path, lang=lang), accept(reader, path, lang)):
        assert shown(answer) == (name, language)
        assert answer.headers["Content-Language"] == language
        assert "Accept-Language" in answer.headers["Vary"]
    # Beside the name.
    fields = [*reader.get(path, lang=lang).json]
    assert fields[fields.index("name") + 1] == "name_language"


@pytest.mark.parametrize(
    ("names", "lang", "name", "language"),
    [
        ({"en": ENGLISH, "zh_Hans": SIMPLIFIED}, "zh-Hant-HK", SIMPLIFIED, "zh-Hans"),
        ({"en": ENGLISH, "zh_Hant": TRADITIONAL}, "zh-Hans-CN", TRADITIONAL, "zh-Hant"),
        ({"en": ENGLISH}, "zh-Hant", ENGLISH, "en"),
        ({"de": "Beispielrat", "zh_Hant": TRADITIONAL}, "fr", "Beispielrat", "de"),
        ({"zh_HK": TRADITIONAL, "en": ENGLISH}, "zh-Hant", TRADITIONAL, "zh-HK"),
    ],
)
def test_a_missing_language_leads_to_the_next(
    reader: Client, make: Make, names: dict[str, str], lang: str, name: str, language: str
) -> None:
    answer = reader.get(f"/v1/entities/{make(**names)}", lang=lang)
    assert shown(answer) == (name, language)
    assert answer.headers["Content-Language"] == language


def test_an_alias_is_shown_where_no_name_is_preferred(reader: Client, make: Make) -> None:
    short = {"name": "示促", "language": "zh-Hant", "kind": "abbreviation"}
    alias = {"name": TRADITIONAL, "language": "zh-Hant", "kind": "alias"}
    path = f"/v1/entities/{make(short, alias, en=ENGLISH)}"
    assert shown(reader.get(path, lang="zh-Hant")) == (TRADITIONAL, "zh-Hant")
    path = f"/v1/entities/{make(short, en=ENGLISH)}"
    assert shown(reader.get(path, lang="zh-Hant")) == (ENGLISH, "en")


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh-Hans;q=0.5, zh-Hant;q=0.9", "zh-Hant"),
        ("fr, zh-Hans;q=0.1", "zh-Hans"),
        ("fr;q=0.9, *;q=0.5, zh-Hant;q=0.1", "zh-Hant"),
        ("zh-Hant;q=0, en", "en"),
        ("zh;q=0, zh-Hant", "zh-Hant"),
        ("not a tag, zh-Hant", "zh-Hant"),
        (";;q=,zh-Hant", "zh-Hant"),
        (", ".join([*(f"en-x-a{n}" for n in range(30)), "zh-Hant"]), "en"),
    ],
)
def test_the_header_is_read_by_its_weights(
    reader: Client, council: str, header: str, language: str
) -> None:
    answer = accept(reader, f"/v1/entities/{council}", header)
    assert shown(answer)[1] == language


@pytest.mark.parametrize("header", ["", "*", "*;q=0.1", "zh-Hant;q=0", "!", "en_!", "zh-HK-Hant"])
def test_a_header_that_wants_no_language_changes_nothing(
    reader: Client, claim: str, header: str
) -> None:
    plain, answer = reader.get(claim), accept(reader, claim, header)
    assert (answer.data, answer.headers["ETag"]) == (plain.data, plain.headers["ETag"])
    assert "Content-Language" not in answer.headers
    assert plain.headers["Vary"] == answer.headers["Vary"]
    assert "Accept-Language" in plain.headers["Vary"]


def test_lang_counts_more_than_the_header(reader: Client, council: str) -> None:
    answer = accept(reader, f"/v1/entities/{council}", "zh-Hans", query_string={"lang": "zh-Hant"})
    assert shown(answer) == (TRADITIONAL, "zh-Hant")


@pytest.mark.parametrize(
    "lang", ["", "*", "zh_Hant", "english", "zh-HK-Hant", "zh-Hant,en", "x" * 99]
)
@pytest.mark.parametrize("path", ["entities", "claims", "comparisons", "review", "claims/{id}"])
def test_a_bad_lang_is_refused(reader: Client, claim: str, path: str, lang: str) -> None:
    at = "/v1/" + path.replace("{id}", claim.rpartition("/")[2])
    answer = reader.get(at, lang=lang)
    assert answer.status_code == 400
    (error,) = answer.json["errors"]
    assert (error["parameter"], error["code"]) == ("lang", "invalid")
    refused = reader.post("/v1/entities/query", {"lang": lang})
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/lang"]


@pytest.mark.parametrize("path", ["export", "aggregate?group_by=kind"])
def test_calls_without_names_have_no_lang(reader: Client, path: str) -> None:
    joined = "&" if "?" in path else "?"
    answer = reader.get(f"/v1/entities/{path}{joined}lang=en")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["parameter"] == "lang"


def names_of(document: Any, id: str) -> list[tuple[str, str | None]]:
    """Every name of an entity in a document, with its language."""
    if isinstance(document, list):
        return [pair for item in document for pair in names_of(item, id)]
    if not isinstance(document, dict):
        return []
    own = [(document["name"], document.get("name_language"))] if document.get("id") == id else []
    return own + [pair for value in document.values() for pair in names_of(value, id)]


def test_every_name_in_a_claim_is_in_the_language(reader: Client, claim: str, council: str) -> None:
    everything = ",".join(RESOURCES["claims"].embeds)
    plain = names_of(reader.get(claim, include=everything).json, council)
    assert {*plain} == {(ENGLISH, None)}
    # Claimant, reporter, subject, two figures, the passage, a publisher, a voice and a comparison.
    assert len(plain) >= 9
    chosen = names_of(reader.get(claim, include=everything, lang="zh-Hant").json, council)
    assert chosen == [(TRADITIONAL, "zh-Hant")] * len(plain)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/claims?include=sources,corroboration,comparisons&claimant_id={id}",
        "/v1/figures?subject_id={id}",
        "/v1/evidence?source_id={source}",
        "/v1/sources?contributors__entity_id={id}",
        "/v1/entities?id={id}",
        "/v1/comparisons?subject_id={id}",
        "{claim}/evidence",
        "{claim}/corroboration",
        "{figure}/comparisons",
    ],
)
def test_every_list_and_part_shows_names_in_the_language(
    reader: Client, claim: str, council: str, path: str
) -> None:
    document = reader.get(claim).json
    figure, source = (document[name][0]["id"] for name in ("figures", "sources"))
    at = path.format(id=council, claim=claim, figure=f"/v1/figures/{figure}", source=source)
    plain, chosen = reader.get(at), accept(reader, at, "zh-Hant")
    found = names_of(plain.json, council)
    assert {*found} == {(ENGLISH, None)}, plain.text
    assert names_of(chosen.json, council) == [(TRADITIONAL, "zh-Hant")] * len(found)
    assert chosen.headers["Content-Language"] == "zh-Hant"
    assert plain.headers["Vary"] == chosen.headers["Vary"]
    assert "Accept-Language" in plain.headers["Vary"]
    assert plain.headers["ETag"] != chosen.headers["ETag"]


def test_a_query_takes_lang_in_its_body(reader: Client, council: str) -> None:
    body = {"filter": {"id": council}, "select": ["name"], "lang": "zh-Hant"}
    answer = reader.post("/v1/entities/query", body)
    assert answer.json["data"] == [{"name": TRADITIONAL, "name_language": "zh-Hant"}]
    del body["lang"]
    answer = reader.post("/v1/entities/query", body, **{"Accept-Language": "zh-Hans"})
    assert answer.json["data"] == [{"name": SIMPLIFIED, "name_language": "zh-Hans"}]


@pytest.mark.parametrize("select", ["name", "name,kind", "id,name", "kind", "names", "id"])
def test_only_chosen_fields_are_shown(reader: Client, council: str, select: str) -> None:
    (listed,) = reader.get("/v1/entities", id=council, select=select, lang="zh-Hant").json["data"]
    read = reader.get(f"/v1/entities/{council}", select=select, lang="zh-Hant").json
    names = select.split(",")
    assert listed == read
    assert listed.keys() == {*names, *(["name_language"] if "name" in names else [])}
    if "name" in names:
        assert (listed["name"], listed["name_language"]) == (TRADITIONAL, "zh-Hant")


def test_likely_duplicates_are_named_in_the_language(
    reader: Client, make: Make, council: str
) -> None:
    make(en=f"{ENGLISH} Limited", zh_Hant="示例有限公司")
    (found,) = reader.get(f"/v1/entities/{council}/similar", lang="zh-Hant").json["data"]
    assert found["entity"]["name"] == "示例有限公司"
    # The pair of names that are alike stays as it is.
    assert (found["name"], found["other_name"]) == (ENGLISH, f"{ENGLISH} Limited")


def test_the_queue_of_reviews_shows_names_in_the_language(
    editor: Client, reader: Client, claim: str, council: str
) -> None:
    copy = editor.get(claim).json
    figure = {"as_stated": "90", "amount": "90", "comparator": "eq", "unit_code": "1"}
    answer = editor.post(
        "/v1/claims",
        {
            "statement": "Ninety firms moved.",
            "claimant_id": council,
            "figures": [
                {
                    **figure,
                    "metric_id": copy["figures"][0]["metric"]["id"],
                    "subject_id": council,
                    "period_edtf": "2023",
                }
            ],
        },
    )
    assert answer.status_code == 201, answer.text
    plain = names_of(reader.get("/v1/review").json, council)
    assert plain
    chosen = names_of(reader.get("/v1/review", lang="zh-Hant").json, council)
    assert chosen == [(TRADITIONAL, "zh-Hant")] * len(plain)


def test_each_language_has_its_own_entity_tag(reader: Client, claim: str) -> None:
    answers = [reader.get(claim), *(reader.get(claim, lang=tag) for tag in ("zh-HK", "zh", "en"))]
    tags = [answer.headers["ETag"] for answer in answers]
    assert len(set(tags)) == 4
    for lang, tag in zip((None, "zh-HK", "zh", "en"), tags, strict=True):
        query = {"lang": lang} if lang else {}
        for method in ("GET", "HEAD"):
            for known, status in ((tag, 304), (", ".join(set(tags) - {tag}), 200)):
                headers = {"If-None-Match": known}
                answer = reader.send(method, claim, headers=headers, query_string=query)
                assert answer.status_code == status
                assert answer.headers["ETag"] == tag
                assert "Accept-Language" in answer.headers["Vary"]
                names_languages = status == 200 and lang is not None
                assert ("Content-Language" in answer.headers) == names_languages


@pytest.mark.parametrize("lang", ["zh-Hant", "fr"])
def test_a_write_takes_the_tag_of_any_language(editor: Client, claim: str, lang: str) -> None:
    tag = editor.get(claim, lang=lang).headers["ETag"]
    changed = editor.patch(claim, {"topics": ["firms"]}, etag=tag)
    assert changed.status_code == 200
    # It counts the changes of the row: a second change needs a new one.
    assert editor.patch(claim, {"topics": ["moves"]}, etag=tag).status_code == 412


def test_head_has_the_headers_of_get(reader: Client, claim: str) -> None:
    for path in (claim, "/v1/entities"):
        read, head = (accept(reader, path, "zh-Hant", method) for method in ("GET", "HEAD"))
        assert head.data == b""
        for name in ("ETag", "Content-Language", "Vary", "Content-Length"):
            assert head.headers[name] == read.headers[name], name


def test_a_document_without_names_has_no_language(reader: Client) -> None:
    for path in ("/v1/units", "/v1/entities?q=nosuchname"):
        assert "Content-Language" not in accept(reader, path, "zh-Hant").headers


def test_answers_in_several_languages_say_so(reader: Client, make: Make, council: str) -> None:
    ids = f"{council},{make(en='Another')}"
    answer = reader.get("/v1/entities", id__in=ids, lang="zh-Hant")
    assert answer.headers["Content-Language"] == "en, zh-Hant"


def test_a_merged_entity_leads_to_its_names_in_the_language(
    editor: Client, make: Make, council: str
) -> None:
    merged = make(en="The same council", pt="O conselho")
    path = f"/v1/entities/{merged}"
    body = {"into_id": council}
    assert editor.post(f"{path}/merge", body, **{"If-Match": "*"}).status_code == 200
    moved = editor.get(path, lang="pt")
    assert moved.status_code == 308
    assert moved.headers["Location"] == f"/v1/entities/{council}?lang=pt"
    # The name of the merged entity became an alias of the one that remains.
    assert shown(editor.get(moved.headers["Location"])) == ("O conselho", "pt")
    assert shown(editor.get(f"/v1/entities/{council}", lang="zh-Hant")) == (
        TRADITIONAL,
        "zh-Hant",
    )


@pytest.mark.usefixtures("council")
def test_a_cursor_is_of_every_language(reader: Client) -> None:
    first = reader.get("/v1/entities", per_page="1", lang="zh-Hant")
    assert "lang=zh-Hant" in first.headers["Link"]
    cursor = first.json["meta"]["next_cursor"]
    second = reader.get("/v1/entities", per_page="1", cursor=cursor)
    assert second.status_code == 200
    assert "name_language" not in second.json["data"][0]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/entities/export",
        "/v1/claims/export?format=csv",
        "/v1/changes?document=true&per_page=10",
        "/v1/entities/{id}/history",
        "/v1/entities/{id}/history/1",
    ],
)
@pytest.mark.usefixtures("claim")
def test_exports_feeds_and_histories_depend_on_no_language(
    reader: Client, council: str, path: str
) -> None:
    at = path.format(id=council)
    plain, answer = reader.get(at), accept(reader, at, "zh-Hant")
    assert plain.status_code == 200, plain.text
    assert answer.data == plain.data
    assert "Vary" not in plain.headers
    assert "Content-Language" not in answer.headers


def test_answers_to_writes_depend_on_no_language(editor: Client, council: str) -> None:
    path = f"/v1/entities/{council}"
    headers = {"Accept-Language": "zh-Hant", "If-Match": "*"}
    answer = editor.send("PATCH", path, json={"description": "A council."}, headers=headers)
    assert shown(answer) == (ENGLISH, None)
    assert "Vary" not in answer.headers


def test_the_document_of_a_language_can_be_sent_back(editor: Client, council: str) -> None:
    """``name_language`` is no field of a body: names are changed in ``names``."""
    path = f"/v1/entities/{council}"
    document = editor.get(path, lang="zh-Hant").json
    assert editor.patch(path, {"names": document["names"]}).json["version"] == 1
    refused = editor.patch(path, {"name_language": "en"})
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/name_language"]
