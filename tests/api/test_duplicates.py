"""Likely duplicates: the answer to a write of an entity lists entities with similar names."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from hksz_db.database import Session, run
from hksz_db.database.connecting import TRIGRAM_THRESHOLD
from hksz_db.queries.entities import LEAST_SIMILARITY
from hksz_db.queries.pages import part_statement
from tests.api.conftest import Answer, Client
from tests.conftest import QueryCounter

ZONE = "Qianhai zone"


def _create(editor: Client, *names: str, kind: str = "zone", language: str = "en") -> Answer:
    first, *rest = names
    named = [{"name": first, "language": language, "kind": "preferred"}]
    named += [{"name": name, "language": language, "kind": "alias"} for name in rest]
    made = editor.post("/v1/entities", {"kind": kind, "names": named})
    assert made.status_code == 201, made.text
    return made


def test_a_new_entity_is_answered_with_similar_ones(editor: Client, reader: Client) -> None:
    made = _create(editor, "qianhai cooperation ZONE")
    (zone,) = reader.get("/v1/entities", external_id="hksz:qianhai-zone").json["data"]
    assert made.json["similar"] == [
        {
            "entity": {name: zone[name] for name in ("id", "external_id", "name", "kind")},
            "name": "qianhai cooperation ZONE",
            "other_name": ZONE,
            "similarity": "0.52",
            "same_kind": True,
        }
    ]


def test_a_changed_name_is_answered_with_similar_entities(editor: Client) -> None:
    made = _create(editor, "Xylophone")
    assert made.json["similar"] == []
    names = [{"name": "Shenzen", "language": "en", "kind": "preferred"}]
    changed = editor.patch(made.headers["Location"], {"names": names})
    (like,) = changed.json["similar"]
    assert (like["entity"]["external_id"], like["same_kind"]) == ("hksz:shenzhen", False)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_likely_duplicates_have_a_path_of_their_own(
    editor: Client, reader: Client, query_counter: QueryCounter, method: str
) -> None:
    made = _create(editor, "Top Talent Pass")
    path = made.headers["Location"]
    assert "similar" not in reader.get(path).json
    assert reader.get(path, include="similar").json["similar"] == made.json["similar"]
    with query_counter() as counted:
        alone = reader.send(method, f"{path}/similar")
    assert len(counted.statements) == 1
    assert alone.status_code == 200
    known = reader.send(method, f"{path}/similar", headers={"If-None-Match": alone.headers["ETag"]})
    assert known.status_code == 304
    if method == "GET":
        assert alone.json == {"data": made.json["similar"]}
        assert [like["entity"]["external_id"] for like in alone.json["data"]] == ["hksz:ttps"]


def test_an_equal_abbreviation_is_reported(editor: Client) -> None:
    made = _create(editor, "Housing Kit Union", "hku", kind="organisation")
    (like,) = made.json["similar"]
    assert (like["name"], like["other_name"], like["similarity"]) == ("hku", "HKU", "1.00")
    assert like["entity"]["external_id"] == "hksz:university-of-hong-kong"


@pytest.mark.parametrize(
    ("mine", "theirs", "similarity"),
    [
        ("深圳", "深圳", "1.00"),
        ("前海深港現代服務業合作區", "前海深港現代服務業合作示範區", "0.65"),
        ("深圳", "香港", None),
        ("Café", "CAFÉ", "1.00"),
    ],
)
def test_names_in_every_script_are_compared(
    editor: Client, mine: str, theirs: str, similarity: str | None
) -> None:
    other = _create(editor, theirs, language="zh-Hant")
    likes = _create(editor, mine, language="zh-Hant").json["similar"]
    expected = [(other.json["id"], similarity)] if similarity else []
    assert [(like["entity"]["id"], like["similarity"]) for like in likes] == expected


def test_the_most_similar_pair_of_names_is_shown(editor: Client) -> None:
    other = _create(editor, "Alpha Quorum", "Beta Quorum Limited")
    (like,) = _create(editor, "Beta Quorum Ltd", "Zeta", "Quorum").json["similar"]
    assert like["entity"]["id"] == other.json["id"]
    assert (like["name"], like["other_name"]) == ("Beta Quorum Ltd", "Beta Quorum Limited")


def test_the_ten_most_similar_are_listed_and_equal_ones_by_id(editor: Client) -> None:
    others = [_create(editor, "Zyzzyva Institute").json["id"] for _ in range(10)]
    near = _create(editor, "Zyzzyva Institutes").json["id"]
    last = _create(editor, "Zyzzyva Institutes")
    likes = last.json["similar"]
    assert [like["entity"]["id"] for like in likes] == [near, *others[:9]]
    assert likes[0]["similarity"] == "1.00"
    assert len({like["similarity"] for like in likes[1:]}) == 1


def test_entities_below_the_threshold_are_not_similar(editor: Client) -> None:
    # 9 trigrams are shared, of 20 and of 21: 0.45 counts, 0.43 does not.
    near = _create(editor, "abcdefgh qrstuvwxyz").json["id"]
    _create(editor, "abcdefgh zyxwvutsrqp")
    (like,) = _create(editor, "abcdefgh").json["similar"]
    assert (like["entity"]["id"], like["similarity"]) == (near, "0.45")


def test_an_entity_is_not_similar_to_itself_or_to_deleted_ones(editor: Client) -> None:
    first = _create(editor, "Zyzzyva Institute", "Zyzzyva Instituto")
    assert first.json["similar"] == []
    second = _create(editor, "Zyzzyva Institute")
    assert len(second.json["similar"]) == 1
    editor.delete(second.headers["Location"])
    assert editor.get(f"{first.headers['Location']}/similar").json == {"data": []}
    gone = editor.get(f"{second.headers['Location']}/similar")
    assert gone.status_code == 410


def test_likely_duplicates_of_an_unknown_entity_are_404(reader: Client) -> None:
    assert reader.get(f"/v1/entities/{uuid4()}/similar").status_code == 404
    (row,) = reader.get("/v1/entities", per_page="1").json["data"]
    assert reader.get(f"/v1/entities/{row['id']}/similar", limit="1").status_code == 400


def test_likely_duplicates_are_found_by_the_trigram_index(session: Session) -> None:
    session.execute(
        text(
            "WITH made AS (INSERT INTO entities (kind, name, name_language)"
            " SELECT 'person', md5(n::text), 'en' FROM generate_series(1, 10000) AS n"
            " RETURNING id, name)"
            " INSERT INTO entity_names (entity_id, name, language, kind)"
            " SELECT id, name, 'en', 'preferred' FROM made"
        )
    )
    # As autovacuum does: the planner counts entries that are not in the main index yet.
    run(session, "SELECT gin_clean_pending_list('entity_names_name_trgm_idx')")
    session.execute(text("ANALYZE entities, entity_names"))
    ((id,),) = run(session, "SELECT id FROM entities ORDER BY id LIMIT 1")
    statement = part_statement("entities", "similar")
    found = run(session, f"EXPLAIN {statement.sql}", *statement.arguments({"id": UUID(str(id))}))
    plan = "\n".join(line for (line,) in found)
    assert "entity_names_name_trgm_idx" in plan
    assert "Seq Scan on entity_names" not in plan


@pytest.mark.parametrize("languages", [("en", "EN"), ("zh-Hant", "zh-hant")])
def test_one_name_is_preferred_in_a_language_regardless_of_case(
    editor: Client, languages: tuple[str, str]
) -> None:
    names = [
        {"name": f"Name {number}", "language": language, "kind": "preferred"}
        for number, language in enumerate(languages)
    ]
    refused = editor.post("/v1/entities", {"kind": "place", "names": names})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/names"]


def test_the_english_name_is_shown_regardless_of_case(editor: Client) -> None:
    names = [
        {"name": "深圳灣", "language": "zh-Hant", "kind": "preferred"},
        {"name": "Shenzhen Bay", "language": "EN", "kind": "preferred"},
    ]
    made = editor.post("/v1/entities", {"kind": "place", "names": names})
    assert made.json["name"] == "Shenzhen Bay"
    assert [name["language"] for name in made.json["names"]] == ["zh-Hant", "en"]


def test_the_index_of_names_finds_little_more_than_is_listed(session: Session) -> None:
    ((threshold,),) = run(session, "SELECT current_setting('pg_trgm.similarity_threshold')")
    assert threshold == TRIGRAM_THRESHOLD
    assert 0 < float(LEAST_SIMILARITY) - float(threshold) < 0.02
