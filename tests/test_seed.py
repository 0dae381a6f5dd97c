"""The seeds: the content of the first, and loading again, which writes only differences."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from hksz_db.database import Database, Session, run
from hksz_db.preparing import seed_folders
from hksz_db.services import lifecycle
from hksz_db.services.batches import update
from hksz_db.services.seeding import InvalidSeed, Loaded, load
from hksz_db.services.writing import writing
from tests.conftest import MakeDatabase

VERSIONS = """
    SELECT external_id, version, updated_at FROM claims
    UNION ALL SELECT external_id, version, updated_at FROM entities
    UNION ALL SELECT external_id, version, updated_at FROM sources
    UNION ALL SELECT external_id, version, updated_at FROM figures
    UNION ALL SELECT external_id, version, updated_at FROM evidence
    UNION ALL SELECT external_id, version, updated_at FROM metrics
    UNION ALL SELECT external_id, version, updated_at FROM units
"""

# What the seeds say, without ids and versions.
CONTENT = (
    "SELECT external_id, issued_edtf, url FROM sources ORDER BY 1",
    "SELECT external_id, description, kind FROM entities ORDER BY 1",
    """
    SELECT external_id, each.name, language, each.kind
    FROM entity_names AS each JOIN entities ON entities.id = entity_id ORDER BY 1, 2, 3
    """,
    "SELECT external_id, description, holds_for FROM metrics ORDER BY 1",
    "SELECT external_id, statement, time_edtf FROM claims ORDER BY 1",
    "SELECT external_id, value_range, period_edtf FROM figures ORDER BY 1",
    "SELECT external_id, stance, directness, interest, note FROM evidence ORDER BY 1",
    """
    SELECT claims.external_id, entities.external_id, role FROM claim_entities
    JOIN claims ON claims.id = claim_id JOIN entities ON entities.id = entity_id ORDER BY 1, 2, 3
    """,
    """
    SELECT one.external_id, entity_relations.kind, other.external_id, qualifier, during_edtf
    FROM entity_relations JOIN entities AS one ON one.id = subject_id
    JOIN entities AS other ON other.id = object_id ORDER BY 1, 2, 3, 4
    """,
)


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with the seeds, loaded and committed."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the first seed under the same name, to be edited."""
    (folder, *_) = seed_folders()
    return Path(shutil.copytree(folder, tmp_path / folder.name))


def _read(folder: Path, name: str) -> list[dict]:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def _edit(folder: Path, name: str, entry: str, **fields: Any) -> None:
    items = _read(folder, name)
    (item,) = (item for item in items if item["external_id"] == entry)
    item |= fields
    _write(folder, name, items)


def _write(folder: Path, name: str, items: object) -> None:
    (folder / name).write_text(json.dumps(items), encoding="utf-8")


def _load(database: Database, folder: Path) -> Loaded:
    with writing(database) as session:
        return load(session, folder)


def _state(database: Database) -> dict[str, tuple[int, datetime]]:
    with database.transaction() as session:
        found = run(session, VERSIONS)
    return {name: (version, updated_at) for name, version, updated_at in found}


def _claim(session: Session, name: str = "hksz:ttps-approved-2023") -> tuple[UUID, str, int]:
    sql = "SELECT id, statement, version FROM claims WHERE external_id = $1"
    return run(session, sql, name)[0]


def test_the_seed_has_enough_rows(session: Session) -> None:
    counts = dict(
        run(
            session,
            "SELECT 'claims', count(*) FROM claims UNION ALL SELECT 'entities', count(*)"
            " FROM entities UNION ALL SELECT 'relations', count(*) FROM entity_relations",
        )
    )
    assert counts["claims"] >= 28
    assert counts["entities"] >= 25
    assert counts["relations"] > 0


def test_the_times_of_the_article_follow_from_its_date(database: Database) -> None:
    assert _times(database, "hksz:qianhai-zone-established") == ("2011~", "-P13Y", "2024", "P0Y")
    assert _times(database, "hksz:science-park-in-futian")[0] == "2023"
    assert _times(database, "hksz:hkpc-briefing-thursday")[0] == "2024-01-25"


def test_every_file_that_is_shipped_is_loaded(session: Session) -> None:
    shipped = [path for folder in seed_folders() for path in folder.glob("*.json")]
    entries = sum(len(_read(path.parent, path.name)) for path in shipped)
    assert run(session, "SELECT count(*) FROM seed_items") == [(entries,)]
    files = run(session, "SELECT DISTINCT file FROM seed_items")
    assert {name for (name,) in files} == {f"{path.parent.name}/{path.name}" for path in shipped}


def test_no_two_seeds_have_the_same_entry() -> None:
    """They would overwrite each other."""
    entries = Counter(
        (path.name, item["external_id"])
        for folder in seed_folders()
        for path in folder.glob("*.json")
        for item in _read(folder, path.name)
    )
    assert {entry for entry, times in entries.items() if times > 1} == set()


def test_every_claim_of_the_article_has_evidence_with_a_locator_in_a_capture(
    session: Session,
) -> None:
    (article, *_) = seed_folders()
    located = run(
        session,
        "SELECT claims.external_id FROM claims JOIN evidence ON claim_id = claims.id"
        " WHERE num_nulls(capture_id, start_char, end_char, exact_sha256, prefix_sha256,"
        " suffix_sha256, loose_start_char) = 0",
    )
    claimed = {item["external_id"] for item in _read(article, "claims.json")}
    assert claimed <= {name for (name,) in located}
    assert (
        run(
            session,
            "SELECT evidence.external_id FROM evidence JOIN source_captures USING (source_id)"
            " WHERE capture_id IS NULL OR start_char IS NULL OR end_char IS NULL"
            " OR exact_sha256 IS NULL OR prefix_sha256 IS NULL OR suffix_sha256 IS NULL",
        )
        == []
    )
    assert (
        run(
            session,
            "SELECT evidence.external_id FROM evidence JOIN source_captures ON capture_id ="
            " source_captures.id WHERE end_char > char_length",
        )
        == []
    )


def test_every_claim_has_evidence(session: Session) -> None:
    assert (
        run(
            session,
            "SELECT claims.external_id FROM claims LEFT JOIN evidence ON claim_id = claims.id"
            " WHERE evidence.id IS NULL",
        )
        == []
    )


def test_every_relation_of_an_entity_names_its_claim(session: Session) -> None:
    assert run(session, "SELECT 1 FROM entity_relations WHERE claim_id IS NULL") == []


def test_every_relation_of_an_entity_has_the_time_of_its_claim(session: Session) -> None:
    assert (
        run(
            session,
            "SELECT claims.external_id, during_edtf, time_edtf FROM entity_relations JOIN claims"
            " ON claims.id = claim_id WHERE during_edtf IS DISTINCT FROM time_edtf"
            " AND during_edtf IS NOT NULL",
        )
        == []
    )


def test_every_chinese_name_is_printed_by_a_source(session: Session) -> None:
    printed = run(
        session,
        "SELECT entity_id, statement FROM claim_entities JOIN claims ON claims.id = claim_id"
        " WHERE role = 'subject' AND claims.external_id LIKE 'hksz:name-%'",
    )
    names = run(
        session, "SELECT entity_id, name FROM entity_names WHERE language LIKE 'zh%' ORDER BY name"
    )
    assert len(names) > 10
    for entity, name in names:
        assert any(entity == subject and name in statement for subject, statement in printed), name


def test_the_author_is_a_contributor(session: Session) -> None:
    credited = run(
        session,
        "SELECT entities.name, role, credited_name, credited_as FROM source_contributors"
        " JOIN entities ON entities.id = entity_id JOIN sources ON sources.id = source_id"
        " WHERE sources.external_id = 'hksz:shenzhen-daily-article' ORDER BY ordinal",
    )
    assert credited[0][:3] == ("Tan Yifan", "author", "Tan Yifan")
    assert "Shenzhen Daily" in credited[0][3]
    assert ("Shenzhen Daily", "publisher") in [credit[:2] for credit in credited]


def test_the_seeds_contain_no_address() -> None:
    paths = [path for folder in seed_folders() for path in folder.glob("*")]
    assert paths
    for path in paths:
        assert "@" not in path.read_text(encoding="utf-8"), path


def test_loading_it_again_changes_nothing(database: Database) -> None:
    before = _state(database)
    for folder in seed_folders():
        entries = sum(len(_read(folder, path.name)) for path in folder.glob("*.json"))
        assert entries > 50
        assert _load(database, folder) == Loaded(0, entries)
    assert _state(database) == before


def _rows(url: str) -> list[list[tuple[Any, ...]]]:
    database = Database(lambda: url)
    try:
        with database.transaction() as session:
            return [run(session, sql) for sql in CONTENT]
    finally:
        database.close()


@pytest.mark.slow
def test_a_database_with_an_earlier_edition_gets_the_corrections(
    make_database: MakeDatabase, database_url: str, copy: Path
) -> None:
    _, corroborating, *_ = seed_folders()
    second = Path(shutil.copytree(corroborating, copy.parent / corroborating.name))
    _edit(copy, "sources.json", "hksz:shenzhen-daily-article", issued_edtf="2024?", url=None)
    english = [{"name": "HKPC", "language": "en", "kind": "preferred"}]
    _edit(copy, "entities.json", "hksz:hkpc", description="A council.", names=english)
    _edit(copy, "metrics.json", "hksz:metric-ttps-approved", description=None)
    claims = _read(copy, "claims.json")
    _write(copy, "claims.json", [{**claim, "entities": [], "relations": []} for claim in claims])
    relations = _read(second, "relations.json")
    moved = [item for item in relations if item["external_id"] == "hksz:ttps"]
    parts = [{**moved[0], "relations": moved[0]["relations"][:1]}]
    _write(copy, "relations.json", _read(copy, "relations.json") + parts)
    _write(second, "relations.json", [item for item in relations if item not in moved])
    passage = "hksz:hetao-planning-began-evidence-press-release"
    _edit(second, "evidence.json", passage, stance="supports")
    with make_database() as url:
        database = Database(lambda: url)
        for folder in (copy, second):
            _load(database, folder)
        database.close()
        assert _rows(url) != _rows(database_url)
        database = Database(lambda: url)
        for folder in seed_folders():
            _load(database, folder)
        database.close()
        assert _rows(url) == _rows(database_url)


def test_equivalent_entries_change_nothing(database: Database, copy: Path) -> None:
    before = _state(database)
    for path in copy.glob("*.json"):
        items = [dict(reversed(item.items())) for item in _read(copy, path.name)]
        _write(copy, path.name, items)
    assert _load(database, copy).changed == 0
    assert _state(database) == before


@pytest.mark.parametrize(
    ("name", "external_id", "fields", "touched"),
    [
        ("units.json", "hksz:unit-year", {"label": "years"}, ["hksz:unit-year"]),
        (
            "metrics.json",
            "hksz:metric-ttps-approved",
            {"label": "Approved"},
            ["hksz:metric-ttps-approved"],
        ),
        ("entities.json", "hksz:ttps", {"description": "A scheme."}, ["hksz:ttps"]),
        (
            "sources.json",
            "hksz:shenzhen-daily-article",
            {"title": "An opinion piece"},
            ["hksz:shenzhen-daily-article"],
        ),
        (
            "claims.json",
            "hksz:ttps-approved-2023",
            {"topics": ["talent"]},
            ["hksz:ttps-approved-2023"],
        ),
        ("relations.json", "hksz:tan-yifan", {"relations": []}, ["hksz:tan-yifan"]),
    ],
)
def test_a_corrected_entry_updates_its_row_and_no_other(
    database: Database,
    copy: Path,
    name: str,
    external_id: str,
    fields: dict[str, Any],
    touched: list[str],
) -> None:
    before = _state(database)
    _edit(copy, name, external_id, **fields)
    assert _load(database, copy).changed == 1
    after = _state(database)
    assert [row for row in after if after[row] != before[row]] == touched
    assert after[external_id][0] == before[external_id][0] + 1
    assert _load(database, copy).changed == 0


def test_a_corrected_date_of_the_article_updates_dates_relative_to_it(
    database: Database, copy: Path
) -> None:
    before = _state(database)
    _edit(copy, "sources.json", "hksz:shenzhen-daily-article", issued_edtf="2025-02-03")
    assert _load(database, copy).changed == 1
    after = _state(database)
    changed = {row for row in after if after[row] != before[row]}
    assert all(after[row][0] == before[row][0] + 1 for row in changed)
    assert changed == {
        "hksz:shenzhen-daily-article",
        "hksz:paradigm-shift",
        "hksz:hong-kong-seeks-mainland",
        "hksz:hong-kong-draws-on-shenzhen",
        "hksz:qianhai-zone-established",
        "hksz:qianhai-zone-established-years",
        "hksz:shenzhen-proactive-with-hong-kong",
        "hksz:science-park-in-futian",
        "hksz:science-park-partner-shenzhen",
        "hksz:hkpc-briefing-thursday",
        "hksz:hkpc-seven-bases",
        "hksz:hkpc-seven-bases-evidence",
    }
    years = ("2012~", "-P13Y", "2025", "P0Y")
    assert _times(database, "hksz:qianhai-zone-established") == years
    assert _times(database, "hksz:science-park-in-futian")[0] == "2024"
    assert _times(database, "hksz:hkpc-briefing-thursday")[0] == "2025-01-30"


@pytest.mark.parametrize(
    ("part", "index", "fields"),
    [("figures", 0, {"amount": "47001"}), ("evidence", 0, {"note": "Read again."})],
)
def test_a_corrected_part_updates_itself_and_its_claim(
    database: Database, copy: Path, part: str, index: int, fields: dict[str, str]
) -> None:
    before = _state(database)
    name = "hksz:ttps-approved-2023"
    (claim,) = (item for item in _read(copy, "claims.json") if item["external_id"] == name)
    claim[part][index] |= fields
    _edit(copy, "claims.json", name, **claim)
    _load(database, copy)
    after = _state(database)
    changed = {row for row in after if after[row] != before[row]}
    assert changed == {name, claim[part][index]["external_id"]}
    assert all(after[row][0] == before[row][0] + 1 for row in changed)


def test_a_new_entry_and_a_new_part_are_added(database: Database, copy: Path) -> None:
    figure = {
        "external_id": "hksz:another-figure",
        "metric_external_id": "hksz:metric-ttps-approved",
        "subject_external_id": "hksz:ttps",
        "as_stated": "one",
        "comparator": "eq",
        "amount": "1",
        "unit_code": "1",
    }
    _edit(copy, "claims.json", "hksz:hkpc-to-help-smes", figures=[figure])
    unit = {"external_id": "hksz:unit-dollar", "code": "USD", "label": "dollar"}
    _write(copy, "units.json", [*_read(copy, "units.json"), unit])
    assert _load(database, copy).changed == 2
    assert {"hksz:another-figure", "hksz:unit-dollar"} <= set(_state(database))


def _times(database: Database, name: str) -> tuple[Any, ...]:
    with database.transaction() as session:
        return run(
            session,
            "SELECT time_edtf, time_duration, period_edtf, period_duration FROM claims"
            " LEFT JOIN figures ON claim_id = claims.id WHERE claims.external_id = $1",
            name,
        )[0]


def test_an_entry_that_becomes_relative_changes_the_row_that_was_loaded(
    database: Database, copy: Path
) -> None:
    """From absolute to relative dates, and back."""
    name, now = "hksz:qianhai-zone-established", _read(copy, "claims.json")
    (claim,) = (item for item in now if item["external_id"] == name)
    relative = ("2011~", "-P13Y", "2024", "P0Y")
    assert _times(database, name) == relative
    figure = {k: v for k, v in claim["figures"][0].items() if k != "period_relative"}
    absolute = {k: v for k, v in claim.items() if k != "time_relative"}
    absolute |= {"time_edtf": "2010~", "figures": [{**figure, "period_edtf": "2024?"}]}
    _write(copy, "claims.json", [absolute])
    assert _load(database, copy).changed == 1
    assert _times(database, name) == ("2010~", None, "2024?", None)
    _write(copy, "claims.json", [claim])
    assert _load(database, copy).changed == 1
    assert _times(database, name) == relative


def test_rows_of_removed_entries_stay(database: Database, copy: Path) -> None:
    before = _state(database)
    _write(copy, "claims.json", _read(copy, "claims.json")[:1])
    assert _load(database, copy).changed == 0
    assert _state(database) == before


def test_an_edit_survives_while_its_entry_is_unchanged(database: Database, copy: Path) -> None:
    with writing(database) as session:
        id, *_ = _claim(session)
        update(session, "claims", id, None, {"statement": "Edited."})
    assert _load(database, copy).changed == 0
    with writing(database) as session:
        assert _claim(session)[1] == "Edited."
    _edit(copy, "claims.json", "hksz:ttps-approved-2023", statement="Corrected.")
    _load(database, copy)
    with writing(database) as session:
        assert _claim(session)[1] == "Corrected."


def test_deleted_rows_stay_deleted(database: Database, copy: Path) -> None:
    with writing(database) as session:
        id, *_ = _claim(session)
        lifecycle.delete(session, "claims", id, None)
    _load(database, copy)
    _edit(copy, "claims.json", "hksz:ttps-approved-2023", statement="Corrected.")
    _load(database, copy)
    with writing(database) as session:
        deleted = run(session, "SELECT deleted_at IS NOT NULL FROM claims WHERE id = $1", id)
    assert deleted == [(True,)]


@pytest.mark.parametrize(
    ("name", "external_id", "fields", "reason"),
    [
        ("claims.json", "hksz:author-post", {"statement": ""}, "statement"),
        ("claims.json", "hksz:author-post", {"statment": "x"}, "statment"),
        ("claims.json", "hksz:author-post", {"claimant_external_id": "hksz:no"}, "hksz:no"),
        ("claims.json", "hksz:author-post", {"time_edtf": "soon"}, "time_edtf"),
        ("claims.json", "hksz:author-post", {"evidence": [{"stance": "asserts"}]}, "external_id"),
        ("entities.json", "hksz:ttps", {"kind": "idea"}, "kind"),
        ("sources.json", "hksz:shenzhen-daily-article", {"captures": []}, "would be removed"),
        ("metrics.json", "hksz:metric-ttps-approved", {"key": "mainland-bases-added"}, "key"),
        ("claims.json", "hksz:author-post", {"evidence": "x"}, "evidence"),
        ("relations.json", "hksz:tan-yifan", {"relations": [{"kind": "part_of"}]}, "object_id"),
        ("units.json", "hksz:unit-year", {"label": None}, "label"),
    ],
)
def test_an_invalid_entry_is_named_and_nothing_is_loaded(
    database: Database, copy: Path, name: str, external_id: str, fields: dict[str, Any], reason: str
) -> None:
    before = _state(database)
    _edit(copy, "units.json", "hksz:unit-one", label="changed as well")
    _edit(copy, name, external_id, **fields)
    with pytest.raises(InvalidSeed) as refused:
        _load(database, copy)
    assert external_id in str(refused.value)
    assert name in str(refused.value)
    assert reason in str(refused.value)
    assert _state(database) == before


@pytest.mark.parametrize(
    "text", ["", "{", "{}", "5", "null", "[1]", "[{}]", '[{"external_id": 5}]', "\ufeff[]"]
)
def test_a_file_that_is_not_a_list_of_entries_is_named(
    database: Database, copy: Path, text: str
) -> None:
    (copy / "units.json").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSeed, match="units"):
        _load(database, copy)


def test_an_invalid_new_entry_is_named(database: Database, copy: Path) -> None:
    _write(copy, "units.json", [{"external_id": "hksz:bad", "code": "no such unit", "label": "x"}])
    with pytest.raises(InvalidSeed, match="hksz:bad"):
        _load(database, copy)


def test_an_empty_folder_loads_nothing(database: Database, tmp_path: Path) -> None:
    assert _load(database, tmp_path) == Loaded(0, 0)
