"""``q`` in Chinese, over statements, titles and the names of those that claims are about."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opencc import OpenCC

from hksz_db.database import Session, run
from hksz_db.domain.search_terms import search_terms, searched_words
from hksz_db.queries.pages import matches_statement
from hksz_db.queries.questions import read_list
from tests.api.conftest import Client

QIANHAI = "前海合作区设立于二零一零年\uff0c面积为120平方公里。"
PARK = "香港科學園位於沙田\uff0c園區於2023年9月擴建。"
HETAO = "河套深港科技創新合作區包括福田 16 個項目。"
STATEMENTS = {"zh-Hans": QIANHAI, "zh-Hant": f"{PARK}{HETAO}頭髮很長\uff0c裏面的皇后發展餘數。"}
CONVERTED = ("t2s", "s2hk", "s2tw", "s2t")


@pytest.fixture
def claims(editor: Client) -> None:
    """Claims in both scripts, and with punctuation between words."""
    for name, statement, language in (
        ("ex:qianhai", QIANHAI, "zh-Hans"),
        ("ex:park", PARK, "zh-Hant-HK"),
        ("ex:hetao", HETAO, "zh-Hant"),
        ("ex:slash", "The office opened in Hong Kong/Shenzhen.", "en"),
        ("ex:dot", "José·Rizal lived here.", "en"),
        ("ex:wide", "\uff28\uff2b\uff30\uff23\uff12\uff10\uff12\uff13 報告", "zh-Hant"),
    ):
        _claim(editor, name, statement, language)


def _claim(editor: Client, name: str, statement: str, language: str = "en", **more: object) -> str:
    body = {
        "external_id": name,
        "statement": statement,
        "language": language,
        "claimant_as_stated": "somebody",
        **more,
    }
    answer = editor.post("/v1/claims", body)
    assert answer.status_code == 201, answer.json
    return str(answer.headers["Location"])


def _entity(editor: Client, name: str, *names: tuple[str, str, str]) -> str:
    listed = [{"name": each, "language": language, "kind": kind} for each, language, kind in names]
    body = {"external_id": name, "kind": "organisation", "names": listed}
    answer = editor.post("/v1/entities", body)
    assert answer.status_code == 201, answer.json
    return str(answer.headers["Location"])


def _found(reader: Client, q: str, resource: str = "claims", **more: str) -> set[str]:
    rows = reader.get(f"/v1/{resource}", q=q, per_page="100", **more).json["data"]
    return {row["external_id"] for row in rows}


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("前海", {"ex:qianhai"}),
        ("合作区", {"ex:qianhai", "ex:hetao"}),
        ("合作區", {"ex:qianhai", "ex:hetao"}),
        ("面积", {"ex:qianhai"}),
        ("面積", {"ex:qianhai"}),
        ("香港科學園", {"ex:park"}),
        ("香港科学园", {"ex:park"}),
        ("科港", set()),
        ("福田 16", {"ex:hetao"}),
        ("2023年9月", {"ex:park"}),
        ("2023年8月", set()),
        ("-前海 合作區", {"ex:hetao"}),
        ("前海 OR 科學園", {"ex:qianhai", "ex:park"}),
        ("前海|科學園", {"ex:qianhai", "ex:park"}),
        ("前海&面積", {"ex:qianhai"}),
        ("福田、河套", {"ex:hetao"}),
        ("福田-河套", {"ex:hetao"}),
        ("“前海合作”", {"ex:qianhai"}),
        ('"前海 合作"', {"ex:qianhai"}),
        ('"合作 前海"', set()),
        ("office Shenzhen", {"ex:slash"}),
        ("Kong/Shenzhen", {"ex:slash"}),
        ('"Hong Kong Shenzhen" office', {"ex:slash"}),
        ("rizal", {"ex:dot"}),
        ("José·Rizal", {"ex:dot"}),
        ("HKPC2023", {"ex:wide"}),
        ("\uff48\uff4b\uff50\uff43\uff12\uff10\uff12\uff13", {"ex:wide"}),
    ],
)
@pytest.mark.usefixtures("claims")
def test_words_are_found_in_both_scripts(reader: Client, q: str, names: set[str]) -> None:
    found = {name for name in _found(reader, q) if name.startswith("ex:")}
    assert found == names


def test_words_of_other_languages_are_not_stemmed(reader: Client, editor: Client) -> None:
    _claim(editor, "ex:en", "Zeppelins approved the timetables.", "en-GB")
    _claim(editor, "ex:pt", "Zeppelins approved the timetables.", "pt")
    assert _found(reader, "zeppelin approve") == {"ex:en"}
    assert _found(reader, "zeppelins approved") == {"ex:en", "ex:pt"}
    # A form that is excluded is excluded in every language.
    assert _found(reader, "timetables -approved") == set()


def test_words_that_english_leaves_out_are_found_alone(reader: Client, editor: Client) -> None:
    _claim(editor, "ex:it", "IT 產業", "zh-Hant")
    assert _found(reader, "it") == {"ex:it"}
    assert "ex:it" in _found(reader, "it 產業")


def test_claims_are_found_by_the_names_of_those_that_they_are_about(
    reader: Client, editor: Client
) -> None:
    council = _entity(
        editor,
        "ex:council",
        ("Zeppelin Promotion Council", "en", "preferred"),
        ("ZPC", "en", "abbreviation"),
        ("香港飛艇局", "zh-Hant", "preferred"),
    )
    linked = [{"entity_external_id": "ex:council", "role": "subject"}]
    _claim(editor, "ex:linked", "It gave funding.", entities=linked)
    _claim(editor, "ex:said", "It was fine.", claimant_external_id="ex:council")
    both = {"ex:linked", "ex:said"}
    for q in ("ZPC", "飞艇局", "飛艇局", '"promotion council"', "zeppelin"):
        assert _found(reader, q) == both, q
    assert _found(reader, "ZPC funding") == {"ex:linked"}
    assert _found(reader, "ZPC -funding") == {"ex:said"}
    # No phrase reaches from one name into another, or into the statement.
    assert _found(reader, '"council ZPC"') == set()
    assert _found(reader, '"funding zeppelin"') == set()

    editor.patch(council, {"names": [{"name": "Airships", "language": "en", "kind": "preferred"}]})
    assert _found(reader, "ZPC") == set()
    assert _found(reader, "airships") == both


def test_the_words_of_a_claim_follow_its_links(reader: Client, editor: Client) -> None:
    _entity(editor, "ex:one", ("Zeppelinone", "en", "preferred"))
    two = _entity(editor, "ex:two", ("Zeppelintwo", "en", "preferred"))
    path = _claim(editor, "ex:claim", "It was fine.", claimant_external_id="ex:one")
    assert _found(reader, "zeppelinone") == {"ex:claim"}
    link = {"entity_external_id": "ex:two", "role": "object"}
    editor.patch(path, {"entities": [link], "claimant_external_id": "hksz:hkpc"})
    assert _found(reader, "zeppelintwo fine") == {"ex:claim"}
    assert _found(reader, "zeppelinone") == set()
    merged = {"into_external_id": "ex:one"}
    assert editor.post(f"{two}/merge", merged, **{"If-Match": "*"}).status_code == 200
    assert _found(reader, "zeppelinone zeppelintwo") == {"ex:claim"}
    editor.post(f"{two}/unmerge", **{"If-Match": "*"})
    assert _found(reader, "zeppelinone") == set()
    assert _found(reader, "zeppelintwo") == {"ex:claim"}
    editor.patch(path, {"entities": []})
    assert _found(reader, "zeppelintwo") == set()


def test_every_statement_of_a_claim_is_searched(reader: Client, editor: Client) -> None:
    translated = {"language": "zh-Hant", "text": "飛艇獲批", "translated_by": "human"}
    path = _claim(editor, "ex:claim", "It was approved.", statements=[translated])
    assert _found(reader, "飞艇") == {"ex:claim"}
    editor.patch(path, {"statements": [{**translated, "text": "氣球獲批"}]})
    assert _found(reader, "飞艇") == set()
    assert _found(reader, "气球 approve") == {"ex:claim"}


def test_links_that_are_written_by_sql_count(
    reader: Client, editor: Client, session: Session
) -> None:
    _entity(editor, "ex:one", ("Zeppelinone", "en", "preferred"))
    _claim(editor, "ex:claim", "It was fine.")
    run(
        session,
        "INSERT INTO claim_entities (claim_id, entity_id, role)"
        " SELECT claims.id, entities.id, 'object' FROM claims, entities"
        " WHERE claims.external_id = 'ex:claim' AND entities.external_id = 'ex:one'",
    )
    assert _found(reader, "zeppelinone") == {"ex:claim"}
    run(session, "UPDATE entities SET deleted_at = now() WHERE external_id = 'ex:one'")
    assert _found(reader, "zeppelinone") == set()


def test_titles_and_names_are_found_in_both_scripts(reader: Client, editor: Client) -> None:
    body = {"external_id": "ex:source", "csl_type": "report", "title": "前海合作区报告"}
    assert editor.post("/v1/sources", {**body, "language": "zh-Hans"}).status_code == 201
    assert _found(reader, "報告 前海", "sources") == {"ex:source"}
    _entity(editor, "ex:park", ("香港飛艇園", "zh-Hant", "preferred"), ("The Zep", "en", "alias"))
    for q in ("飞艇园", "飛艇園", '"the zep"'):
        assert _found(reader, q, "entities") == {"ex:park"}, q
    assert _found(reader, "飛港", "entities") == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name__contains", "飞艇园"),
        ("name__contains", "飛艇園"),
        ("name__startswith", "香港飞艇"),
        ("name__contains", "香港飞艇园的里面发展后勤会议中心"),
    ],
)
def test_a_part_of_a_name_is_found_in_both_scripts(
    reader: Client, editor: Client, name: str, value: str
) -> None:
    _entity(editor, "ex:park", ("香港飛艇園的裏面發展後勤會議中心", "zh-Hant", "preferred"))
    rows = reader.get("/v1/entities", **{name: value}).json["data"]
    assert [row["external_id"] for row in rows] == ["ex:park"]
    other = reader.get("/v1/entities", **{name: "飛港"}).json["data"]
    assert other == []


def _matches(session: Session, text: str, language: str, words: str) -> bool:
    sql = "SELECT search_vector($1, $2) @@ search_query($3, true)"
    return bool(run(session, sql, text, language, search_terms(words))[0][0])


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("The Shenzhen-Hong Kong cluster", "Shenzhen–Hong Kong"),  # noqa: RUF001
        ("The Shenzhen–Hong Kong cluster", "Shenzhen-Hong Kong"),  # noqa: RUF001
        ("A Hong-Kong company", '"Hong Kong"'),
        ("5-10 years of COVID-19", "10 years"),
        ("5-10 years of COVID-19", '"covid 19"'),
        ("It grew +5% to ~500.", "5% 500"),
        ("It has 47,000 members.", "47000"),
        ("It has 47000 members.", '"47,000 members"'),
        ("2,023年", "2023年"),
        ("An effi\u00adcient\u200b office", "efficient office"),
        ("State-of-the-art laboratories", "state-of-the-art laboratory"),
    ],
)
def test_hyphens_signs_and_thousands_make_no_difference(
    session: Session, text: str, q: str
) -> None:
    assert _matches(session, text, "en", q)
    assert _matches(session, text, "en", text)
    assert not _matches(session, "Art and 10 offices in Kong", "en", q)


def test_a_query_and_a_text_are_separated_into_the_same_words(session: Session) -> None:
    characters = [chr(code) for code in range(1, 0x3FFFF) if not 0xD800 <= code < 0xE000]
    # PostgreSQL may know characters of a later Unicode.
    tried = [f"a{each}b" for each in characters if unicodedata.category(each) != "Cn"]
    found = run(session, "SELECT text, search_text(text) FROM unnest($1::text[]) AS text", tried)
    assert len(found) > 150_000
    assert [text for text, words in found if words.split() != searched_words(text)] == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from("'’\"|&!()-:*<> \\aS1,.%前海NOTR"), max_size=12))  # noqa: RUF001
def test_every_search_can_be_read(session: Session, q: str) -> None:
    assert run(session, "SELECT search_query($1, true)::text", search_terms(q))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(STATEMENTS)),
    st.integers(0),
    st.integers(2, 8),
    st.sampled_from(CONVERTED),
)
def test_each_part_of_a_statement_finds_it_in_either_script(
    session: Session, language: str, start: int, length: int, conversion: str
) -> None:
    statement = STATEMENTS[language]
    start %= len(statement) - length
    for text in (statement, OpenCC(conversion).convert(statement)):
        assert len(text) == len(statement)
        # A number is a word, of which a part is not searched.
        part = text[start : start + length].strip(" 0123456789")
        if any(character.isalnum() for character in part):
            assert _matches(session, statement, language, part)


def test_a_search_is_looked_up_in_its_index(session: Session) -> None:
    question = read_list("claims", [("q", '"香港 科学园" approved OR 前海')])
    statement = matches_statement(question.shape("claims", None).matching)
    run(session, "SET LOCAL enable_seqscan = off")
    # In a table this small, an index of all live rows costs as little.
    run(session, "DROP INDEX claims_terms_idx")
    plan = run(session, f"EXPLAIN {statement.sql}", *statement.arguments(question.values()))
    assert any("claims_search_idx" in line for (line,) in plan), plan
