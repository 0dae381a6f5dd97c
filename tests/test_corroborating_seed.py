"""The second seed: seven sources about the article, and their stances on its claims."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from hksz_db.database import Database, run
from hksz_db.preparing import seed_folders
from hksz_db.services.seeding import InvalidSeed, load
from hksz_db.services.writing import writing
from tests.conftest import MakeDatabase

(FOLDER,) = (folder for folder in seed_folders() if folder.name == "corroborating")
ARTICLE = "hksz:shenzhen-daily-article"
TTPS_REPLY = "hksz:ttps-reply-2024"
TTPS_NEWS = "hksz:news-gov-ttps-2024"
STATE_COUNCIL = "hksz:state-council-reply-2010"
XINHUA = "hksz:xinhua-qianhai-2024"
LOOP_RELEASE = "hksz:loop-press-release-2017"
LOOP_NEWS = "hksz:news-gov-loop-2017"
SCMP = "hksz:scmp-science-park-2023"

# For each source its title, whether the title is supplied, its date and its URL.
SOURCES = {
    TTPS_REPLY: (
        "Top Talent Pass Scheme",
        False,
        "2024-01-24",
        "https://www.info.gov.hk/gia/general/202401/24/P2024012400291.htm",
    ),
    TTPS_NEWS: (
        "Talent schemes attract 90k in 2023",
        False,
        "2024-01-24",
        "https://www.news.gov.hk/eng/2024/01/20240124/20240124_124952_125.html",
    ),
    STATE_COUNCIL: (
        "Official reply [2010] No. 86 on the development planning of the Qianhai zone",
        True,
        "2010",
        "https://qhsk.china-gdftz.gov.cn/en/POLICY/Comprehensive/201506/t20150623_8491547.htm",
    ),
    XINHUA: (
        "Qianhai leads the cooperation of Shenzhen and Hong Kong",
        False,
        "2024-06-27",
        None,
    ),
    LOOP_RELEASE: (
        "Press release on the memorandum for the Lok Ma Chau Loop",
        True,
        "2017-01-03",
        "https://www.info.gov.hk/gia/general/201701/03/P2017010300609.htm",
    ),
    LOOP_NEWS: (
        "Collaborative venture",
        False,
        "2017-01-03",
        "https://www.news.gov.hk/en/categories/admin/html/2017/01/20170103_165616.shtml",
    ),
    SCMP: ("Hong Kong Science Park opens branch in Shenzhen…", False, "2023-09-07", None),
}

# For each claim its metric, subject, comparator, amount, unit, period and modality.
FIGURES = {
    "ttps-approved-to-november-2023": (
        "ttps-approved ttps eq 47681 1 2022-12-28/2023-11-30 actual"
    ),
    "ttps-arrived-to-november-2023": (
        "ttps-applicants-arrived ttps eq 30810 1 2022-12-28/2023-11-30 actual"
    ),
    "ttps-received-to-december-2023": (
        "ttps-received ttps approx 65000 1 2022-12-28/2023-12-31 actual"
    ),
    "ttps-refused-to-december-2023": (
        "ttps-refused ttps approx 3000 1 2022-12-28/2023-12-31 actual"
    ),
    "talent-arrivals-2023": "talent-arrivals talent-schemes approx 90000 1 2023 actual",
    "ttps-arrivals-2023": "talent-arrivals ttps approx 36000 1 2023 actual",
    "qianhai-area-2010": "area qianhai-zone approx 15 km2 2010 actual",
    "qianhai-area-2021": "area qianhai-zone eq 120.56 km2 2021 actual",
    "loop-area": "area lok-ma-chau-loop eq 87 har 2017-01-03 actual",
    "science-park-branch-area": "area science-park-futian eq 31000 m2 2023-09-07 actual",
    "science-park-branch-companies": (
        "companies-on-board science-park-futian eq 16 1 2023-09-07 actual"
    ),
    "science-park-branch-companies-aim": (
        "companies-on-board science-park-futian gt 150 1 unknown planned"
    ),
    "hetao-hong-kong-side-area": "area lok-ma-chau-loop eq 87 har 2023-09-07 actual",
    "hetao-shenzhen-side-area": "area hetao-shenzhen-side eq 302 har 2023-09-07 actual",
}

# The stances of the sources on each claim.
STANCES = {
    "ttps-approved-2023": {ARTICLE: "asserts", TTPS_REPLY: "supports", TTPS_NEWS: "mentions"},
    "qianhai-zone-established": {
        ARTICLE: "asserts",
        STATE_COUNCIL: "mentions",
        XINHUA: "supports",
    },
    "hetao-planning-began": {
        ARTICLE: "asserts",
        LOOP_RELEASE: "supports",
        LOOP_NEWS: "supports",
    },
    "science-park-in-futian": {ARTICLE: "asserts", SCMP: "supports"},
    "science-park-partner-shenzhen": {ARTICLE: "asserts", SCMP: "mentions"},
    "loop-memorandum-signed": {LOOP_RELEASE: "asserts", LOOP_NEWS: "asserts"},
    "loop-area": {LOOP_RELEASE: "asserts", LOOP_NEWS: "asserts", SCMP: "supports"},
    "hetao-hong-kong-side-area": {
        SCMP: "asserts",
        LOOP_RELEASE: "supports",
        LOOP_NEWS: "supports",
    },
}

# The number of sources that support a claim, and of their origins.
ORIGINS = {
    "ttps-approved-2023": (2, 2),
    "qianhai-zone-established": (2, 2),
    "hetao-planning-began": (3, 2),
    "science-park-in-futian": (2, 2),
    "science-park-partner-shenzhen": (1, 1),
    "loop-memorandum-signed": (2, 1),
    "loop-area": (3, 2),
    "hetao-hong-kong-side-area": (3, 2),
}


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with the seeds, loaded and committed."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the second seed under the same name, to be edited."""
    return Path(shutil.copytree(FOLDER, tmp_path / FOLDER.name))


def _read(name: str) -> list[dict]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def _edit(folder: Path, entry: str, **fields: Any) -> None:
    path = folder / "evidence.json"
    items = json.loads(path.read_text(encoding="utf-8"))
    (item,) = (item for item in items if item["external_id"] == entry)
    item |= fields
    path.write_text(json.dumps(items), encoding="utf-8")


def _claims() -> list[str]:
    return [item["external_id"] for item in _read("claims.json")]


def _passages() -> list[dict]:
    within = [passage for claim in _read("claims.json") for passage in claim["evidence"]]
    return [*_read("evidence.json"), *within]


def _stances(session: Session, claim: str) -> dict[str, str]:
    found = run(
        session,
        "SELECT sources.external_id, stance FROM evidence JOIN sources ON sources.id = source_id"
        " JOIN claims ON claims.id = claim_id WHERE claims.external_id = $1",
        f"hksz:{claim}",
    )
    stances = dict(found)
    assert len(stances) == len(found)
    return stances


def test_the_seed_has_the_seven_listed_sources(session: Session) -> None:
    found = run(
        session,
        "SELECT external_id, title, title_supplied, issued_edtf, url FROM sources"
        " WHERE external_id <> $1",
        ARTICLE,
    )
    assert {name: tuple(rest) for name, *rest in found} == SOURCES


def test_retold_sources_declare_their_relation(session: Session) -> None:
    found = run(
        session,
        "SELECT one.external_id, kind, other.external_id FROM source_relations"
        " JOIN sources AS one ON one.id = from_id JOIN sources AS other ON other.id = to_id",
    )
    assert set(found) == {
        (TTPS_NEWS, "rewrite_of", TTPS_REPLY),
        (LOOP_NEWS, "rewrite_of", LOOP_RELEASE),
    }


def test_every_source_has_a_contributor(session: Session) -> None:
    found = run(
        session,
        "SELECT sources.external_id, role, entities.external_id FROM source_contributors"
        " JOIN sources ON sources.id = source_id JOIN entities ON entities.id = entity_id"
        " WHERE sources.external_id <> $1",
        ARTICLE,
    )
    government = {TTPS_REPLY, TTPS_NEWS, LOOP_RELEASE, LOOP_NEWS}
    assert set(found) == {
        *((source, "publisher", "hksz:hksar-government") for source in government),
        (STATE_COUNCIL, "author", "hksz:state-council"),
        (XINHUA, "author", "hksz:xinhua"),
        (XINHUA, "publisher", "hksz:asianet"),
        (SCMP, "publisher", "hksz:scmp"),
    }


def test_every_figure_has_its_measure_and_its_period(session: Session) -> None:
    found = run(
        session,
        "SELECT claims.external_id, concat_ws(' ', metrics.key,"
        " substr(entities.external_id, length('hksz:') + 1), comparator, amount, unit_code,"
        " COALESCE(figures.period_edtf, 'unknown'), figures.modality)"
        " FROM figures JOIN claims ON claims.id = claim_id JOIN metrics ON metrics.id = metric_id"
        " JOIN entities ON entities.id = subject_id WHERE claims.external_id = ANY ($1)",
        _claims(),
    )
    assert len(found) == len(FIGURES)
    assert dict(found) == {f"hksz:{claim}": figure for claim, figure in FIGURES.items()}


@pytest.mark.parametrize(
    ("claim", "bounds"),
    [
        ("loop-area", "(860000,880000)"),
        ("hetao-hong-kong-side-area", "(860000,880000)"),
        ("hetao-shenzhen-side-area", "(3010000,3030000)"),
        ("qianhai-area-2010", "[13000000,17000000]"),
        ("qianhai-area-2021", "(120550000.00,120570000.00)"),
        ("science-park-branch-area", "(30000,32000)"),
    ],
)
def test_areas_are_comparable_in_square_metres(session: Session, claim: str, bounds: str) -> None:
    sql = "SELECT value_range = $2::text::numrange FROM figures WHERE external_id = $1"
    assert run(session, sql, f"hksz:{claim}-figure", bounds) == [(True,)]


def test_the_two_counts_of_approvals_overlap_without_containing_each_other(
    session: Session,
) -> None:
    found = run(
        session,
        "SELECT one.period && other.period, one.period <@ other.period,"
        " other.period <@ one.period FROM figures AS one, figures AS other"
        " WHERE one.external_id = 'hksz:ttps-approved-2023-figure'"
        " AND other.external_id = 'hksz:ttps-approved-to-november-2023-figure'"
        " AND (one.metric_id, one.subject_id) = (other.metric_id, other.subject_id)",
    )
    assert found == [(True, False, False)]


@pytest.mark.parametrize("claim", STANCES)
def test_each_source_has_its_expected_stance(session: Session, claim: str) -> None:
    assert _stances(session, claim) == STANCES[claim]


def test_every_other_claim_rests_on_one_source(session: Session) -> None:
    for name in _claims():
        claim = name.removeprefix("hksz:")
        if claim not in STANCES:
            assert list(_stances(session, claim).values()) == ["asserts"], claim


@pytest.mark.parametrize("claim", ORIGINS)
def test_a_retold_source_adds_no_origin(session: Session, claim: str) -> None:
    stances = _stances(session, claim)
    bearing = {name for name, stance in stances.items() if stance in ("asserts", "supports")}
    retold = {TTPS_NEWS: TTPS_REPLY, LOOP_NEWS: LOOP_RELEASE}
    origins = {retold.get(name, name) for name in bearing}
    assert (len(bearing), len(origins)) == ORIGINS[claim]
    assert "disputes" not in stances.values()


def test_every_stance_is_explained_and_names_a_listed_source() -> None:
    passages = _passages()
    assert {passage["source_external_id"] for passage in passages} == set(SOURCES)
    for passage in passages:
        assert passage["note"]
        assert passage["directness"]
        assert passage["interest"]


def test_unavailable_texts_have_no_captures_or_locators(session: Session) -> None:
    assert run(
        session,
        "SELECT count(*), count(start_char), count(capture_id) FROM evidence"
        " JOIN sources ON sources.id = source_id WHERE sources.external_id = ANY ($1)",
        list(SOURCES),
    ) == [(len(_passages()), 0, 0)]
    assert run(
        session,
        "SELECT DISTINCT sources.external_id FROM source_captures"
        " JOIN sources ON sources.id = source_id",
    ) == [(ARTICLE,)]


def test_every_claimant_is_a_contributor_or_is_reported_by_the_source(session: Session) -> None:
    assert (
        run(
            session,
            "SELECT claims.external_id FROM claims WHERE external_id = ANY ($1) AND NOT EXISTS"
            " (SELECT FROM evidence JOIN source_contributors USING (source_id)"
            " WHERE claim_id = claims.id AND stance = 'asserts'"
            " AND entity_id = COALESCE(reported_by_id, claimant_id))",
            _claims(),
        )
        == []
    )


def test_aims_are_planned_and_reports_are_actual(session: Session) -> None:
    found = run(
        session,
        "SELECT external_id FROM claims WHERE external_id = ANY ($1) AND modality <> 'actual'",
        _claims(),
    )
    assert found == [("hksz:science-park-branch-companies-aim",)]


def test_corrected_evidence_updates_itself_and_the_claim_of_the_other_seed(
    database: Database, copy: Path
) -> None:
    name = "hksz:ttps-approved-2023-evidence-press-release"
    _edit(copy, name, note="Read again.")
    sql = (
        "SELECT claims.version, evidence.version, note FROM evidence JOIN claims"
        " ON claims.id = claim_id WHERE evidence.external_id = $1"
    )
    with database.transaction() as session:
        ((claim, evidence, _),) = run(session, sql, name)
    with writing(database) as session:
        assert load(session, copy).changed == 1
        assert run(session, sql, name) == [(claim + 1, evidence + 1, "Read again.")]
        assert load(session, copy).changed == 0


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"claim_external_id": "hksz:no"}, "hksz:no"),
        ({"claim_external_id": None}, "claim_external_id"),
        ({"source_external_id": "hksz:no"}, "hksz:no"),
        ({"stance": "proves"}, "stance"),
    ],
)
def test_evidence_that_cannot_be_loaded_is_named(
    database: Database, copy: Path, fields: dict[str, Any], reason: str
) -> None:
    _edit(copy, "hksz:ttps-approved-2023-evidence-news-gov", external_id="hksz:new", **fields)
    with pytest.raises(InvalidSeed) as refused, writing(database) as session:
        load(session, copy)
    assert "hksz:new in corroborating/evidence.json" in str(refused.value)
    assert reason in str(refused.value)
