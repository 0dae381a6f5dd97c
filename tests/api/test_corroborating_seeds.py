"""The second and the third seed: other sources, their stances, and how their figures compare."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hksz_db.database import Database, Session, run
from hksz_db.preparing import seed_folders
from hksz_db.services.seeding import InvalidSeed, load
from hksz_db.services.writing import writing
from tests.api.conftest import Client
from tests.conftest import MakeDatabase

ARTICLE_SEED, *FOLDERS = seed_folders()
ARTICLE = "shenzhen-daily-article"
XINHUA_2021 = "xinhua-qianhai-plan-2021"
SIDES = ("figure", "other")

# Why a source is not a new origin, or adds nothing beside another.
RELATIONS = {
    ("news-gov-ttps-2024", "rewrite_of", "ttps-reply-2024"),
    ("news-gov-loop-2017", "rewrite_of", "loop-press-release-2017"),
    ("peoples-daily-qianhai-plan-2021", "copy_of", XINHUA_2021),
    ("tdm-qianhai-plan-2021", "syndicated_from", XINHUA_2021),
    ("xinhua-german-qianhai-plan-2021", "translation_of", XINHUA_2021),
    ("scio-briefing-mirror-2023", "copy_of", "scio-briefing-2023"),
    ("scmp-science-park-2023", "based_on", "branch-bulletin-2023"),
    ("sing-tao-branch-2023", "based_on", "branch-bulletin-2023"),
}

# The stances of the sources on the claims of the article.
STANCES = {
    "ttps-approved-2023": {
        "ttps-reply-2024": "supports",
        "sing-tao-ttps-2023": "supports",
        "news-gov-ttps-2024": "mentions",
        "xinhua-talent-2023": "mentions",
        "scmp-ttps-week-2023": "mentions",
    },
    "qianhai-zone-established": {
        "xinhua-qianhai-2024": "supports",
        "state-council-reply-2010": "mentions",
        "qianhai-plan-2010": "mentions",
        XINHUA_2021: "mentions",
    },
    "qianhai-zone-encourages-tech-founders": {"china-daily-e-hub-2018": "supports"},
    "hetao-planning-began": {
        "scio-briefing-mirror-2023": "supports",
        "loop-study-page": "disputes",
        "news-gov-loop-2008": "disputes",
        "loop-memorandum-2017": "disputes",
        "loop-press-release-2017": "mentions",
        "news-gov-loop-2017": "mentions",
        "news-gov-hetao-2023": "mentions",
    },
    "science-park-in-futian": {
        "scmp-science-park-2023": "supports",
        "sing-tao-branch-2023": "supports",
        "bay-area-hetao": "supports",
    },
    "science-park-partner-shenzhen": {
        "sing-tao-branch-2023": "supports",
        "scmp-science-park-2023": "mentions",
        "bay-area-hetao": "mentions",
    },
    "more-scholars-in-hong-kong": {
        "hku-annual-report-2023": "supports",
        "university-world-news-2023": "mentions",
    },
    "hong-kong-research-core": {"app-rd-spending-2023": "mentions"},
    "shenzhen-technology-powerhouse": {"innovation-index-2023": "mentions"},
    "zhang-liying-post": {"macao-release-2023": "mentions"},
}

# The claims that do not have a single origin.
CLAIM_VERDICTS = {
    "hetao-planning-began": "disputed",
    "science-park-in-futian": "corroborated",
    "science-park-partner-shenzhen": "confirmed_by_party",
    "science-park-branch-opened": "confirmed_by_party",
    "ttps-approved-2023": "confirmed_by_party",
    "more-scholars-in-hong-kong": "confirmed_by_party",
    "qianhai-area-2010": "confirmed_by_party",
}

# Why sources that take a side add nothing to another that does.
UNCOUNTED = {
    "ttps-approved-2023": {"sing-tao-ttps-2023": "same_voice"},
    "qianhai-zone-established": {"xinhua-qianhai-2024": "secondary"},
    "hetao-planning-began": {
        "loop-study-page": "same_voice",
        "loop-memorandum-2017": "same_voice",
    },
    "science-park-in-futian": {"sing-tao-branch-2023": "cites_counted"},
    "science-park-branch-area": {"sing-tao-branch-2023": "cites_counted"},
    "loop-area": {
        "news-gov-loop-2017": "same_voice",
        "news-gov-hetao-2023": "same_voice",
        "scmp-science-park-2023": "same_voice",
    },
}

# Pairs of figures and the verdicts on them that say more than that both can be true.
VERDICTS = {
    ("about 15 square kilometres", "15 square kilometers"): "agrees",
    ("about 15 square kilometres", "14.92 square km"): "agrees",
    ("15 square kilometers", "14.92 square km"): "agrees",
    ("87 hectares, 2017-01-03", "87 hectares, 2023-08-29"): "agrees",
    ("87 hectares, 2017-01-03", "87 hectares, 2023-09-07"): "agrees",
    ("87 hectares, 2023-08-29", "87 hectares, 2023-09-07"): "agrees",
    ("302 hectares", "about 300 hectares"): "agrees",
    ("at least 35,000", "around 90,000"): "met",
    ("at least 35,000", "over 81,000"): "met",
    ("at least 35,000", "more than 70,000"): "met",
    # The zone was enlarged in 2021, which the figures alone do not say.
    ("about 15 square kilometres", "120.56 square kilometres"): "tension",
    ("15 square kilometers", "120.56 square kilometres"): "tension",
    ("14.92 square km", "120.56 square kilometres"): "tension",
}
# Pairs that can both be true, among others.
COMPATIBLE = [
    ("over 47,000", "47 681"),
    ("over 47,000", "more than 43,000"),
    ("47 681", "about 26 000"),
    ("30 810", "36,000"),
    ("60,497", "around 65,000"),
    ("some 61 000", "more than 110,000"),
    ("over 81,000", "around 90,000"),
]

# Why figures are not compared: the figures of other claims with the same metric and subject.
NOT_COMPARED = {
    "talent-arrivals-2023-figure": {"other_breakdown": 1},
    "ttps-arrivals-2023-part": {"other_breakdown": 4},
    "talent-approved-to-june-2023-figure": {"other_breakdown": 2},
    "qianhai-plan-2021-after": {"no_period": 4},
    "science-park-branch-companies-figure": {"no_period": 1},
    "qianhai-hong-kong-companies-2024-figure": {"other_time": 1},
    "academics-from-hong-kong-2023-figure": {"other_breakdown": 2, "other_time": 1},
    "ttps-approved-2023-figure": {},
}


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with the seeds, loaded and committed."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the second seed under the same name, to be edited."""
    return Path(shutil.copytree(FOLDERS[0], tmp_path / FOLDERS[0].name))


def _entries(name: str) -> list[dict]:
    """The entries of both seeds."""
    return [
        entry
        for folder in FOLDERS
        for entry in json.loads((folder / name).read_text(encoding="utf-8"))
    ]


def _edit(folder: Path, entry: str, **fields: Any) -> None:
    path = folder / "evidence.json"
    items = json.loads(path.read_text(encoding="utf-8"))
    (item,) = (item for item in items if item["external_id"] == entry)
    item |= fields
    path.write_text(json.dumps(items), encoding="utf-8")


def _claims() -> list[str]:
    return [item["external_id"] for item in _entries("claims.json")]


def _passages() -> list[dict]:
    within = [passage for claim in _entries("claims.json") for passage in claim["evidence"]]
    return [*_entries("evidence.json"), *within]


def _short(external_id: str) -> str:
    return external_id.removeprefix("hksz:")


def test_every_relation_of_a_source_is_declared(session: Session) -> None:
    found = run(
        session,
        "SELECT one.external_id, kind, other.external_id FROM source_relations"
        " JOIN sources AS one ON one.id = from_id JOIN sources AS other ON other.id = to_id",
    )
    assert {(_short(one), kind, _short(other)) for one, kind, other in found} == RELATIONS


def test_every_source_has_a_contributor(session: Session) -> None:
    assert (
        run(
            session,
            "SELECT external_id FROM sources WHERE NOT EXISTS"
            " (SELECT FROM source_contributors WHERE source_id = sources.id)",
        )
        == []
    )


def test_every_source_is_evidence_or_what_another_rests_on(session: Session) -> None:
    unused = run(
        session,
        "SELECT external_id FROM sources WHERE NOT EXISTS"
        " (SELECT FROM evidence WHERE source_id = sources.id) ORDER BY 1",
    )
    assert unused == [("hksz:branch-bulletin-2023",), ("hksz:scio-briefing-2023",)]


def test_sources_take_the_expected_stance_on_the_article(session: Session) -> None:
    found = run(
        session,
        "SELECT claims.external_id, sources.external_id, stance FROM evidence"
        " JOIN sources ON sources.id = source_id JOIN claims ON claims.id = claim_id"
        " WHERE sources.external_id <> $1 AND claims.external_id <> ALL ($2)",
        f"hksz:{ARTICLE}",
        _claims(),
    )
    stances: dict[str, dict[str, str]] = {}
    for claim, source, stance in found:
        assert stances.setdefault(_short(claim), {}).setdefault(_short(source), stance) == stance
    assert stances == STANCES


def test_every_stance_is_explained() -> None:
    passages = [*_passages()]
    assert passages
    for passage in passages:
        assert passage["note"]
        assert passage["directness"]
        assert passage["interest"]


def test_unavailable_texts_have_no_captures_or_locators(session: Session) -> None:
    assert run(
        session,
        "SELECT count(*), count(start_char), count(capture_id) FROM evidence"
        " JOIN sources ON sources.id = source_id WHERE sources.external_id <> $1",
        f"hksz:{ARTICLE}",
    ) == [(len(_passages()), 0, 0)]
    assert run(
        session,
        "SELECT DISTINCT sources.external_id FROM source_captures"
        " JOIN sources ON sources.id = source_id",
    ) == [(f"hksz:{ARTICLE}",)]


def test_every_claim_is_asserted_by_a_source_of_its_claimant_or_of_its_reporter(
    session: Session,
) -> None:
    unsaid = run(
        session,
        "SELECT external_id FROM claims WHERE external_id = ANY ($1) AND NOT EXISTS"
        " (SELECT FROM evidence JOIN source_contributors USING (source_id)"
        " WHERE claim_id = claims.id AND stance = 'asserts'"
        " AND entity_id = COALESCE(reported_by_id, claimant_id)) ORDER BY 1",
        _claims(),
    )
    # The briefing was read in a mirror.
    assert [_short(name) for (name,) in unsaid] == [
        "hetao-framework-agreement-2017",
        "scio-of-state-council",
    ]


def test_every_metric_is_described_and_the_area_of_land_holds_for_years(session: Session) -> None:
    assert run(session, "SELECT key FROM metrics WHERE description IS NULL") == []
    assert run(
        session, "SELECT key, holds_for FROM metrics WHERE holds_for IS NOT NULL ORDER BY key"
    ) == [("area", "P20Y"), ("floor-area", "P20Y")]


def _comparisons(reader: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = reader.get("/v1/comparisons", per_page=100, **cursor).json
        found += page["data"]
        if not page["meta"]["next_cursor"]:
            return found
        cursor = {"cursor": page["meta"]["next_cursor"]}


def _stated(figure: dict[str, Any]) -> str:
    words = str(figure["as_stated"])
    return f"{words}, {figure['period']['edtf']}" if words == "87 hectares" else words


def test_figures_compare_as_a_fact_checker_would_compare_them(reader: Client) -> None:
    found = [
        (frozenset(_stated(pair[side]) for side in SIDES), pair["verdict"])
        for pair in _comparisons(reader)
    ]
    notable = {pair: verdict for pair, verdict in found if verdict != "compatible"}
    assert notable == {frozenset(pair): verdict for pair, verdict in VERDICTS.items()}
    compatible = {pair for pair, verdict in found if verdict == "compatible"}
    assert compatible >= set(map(frozenset, COMPATIBLE))


def _worded(figure: dict[str, Any]) -> str:
    parts = [f"{key}: {category}" for key, category in (figure["breakdown"] or {}).items()]
    return f"{figure['as_stated']} ({', '.join([figure['period']['edtf'], *parts])})"


def test_the_readme_lists_every_comparison_with_a_reason(reader: Client) -> None:
    text = (ARTICLE_SEED.parent / "README.md").read_text(encoding="utf-8")
    row = r"^\| `([\w-]+)` \| ([^|]+); ([^|]+) \| `(\w+)` \| \w[^|]+ \|$"
    listed = sorted(
        (metric, *sorted(pair), verdict)
        for metric, *pair, verdict in re.findall(row, text, re.MULTILINE)
    )
    found = sorted(
        (pair["metric"]["key"], *sorted(_worded(pair[side]) for side in SIDES), pair["verdict"])
        for pair in _comparisons(reader)
    )
    assert listed == found


@pytest.mark.parametrize("figure", NOT_COMPARED)
def test_figures_that_are_not_compared_say_why(reader: Client, figure: str) -> None:
    (row,) = reader.get("/v1/figures", external_id=f"hksz:{figure}").json["data"]
    meta = reader.get(f"/v1/figures/{row['id']}/comparisons").json["meta"]
    reasons = {each["reason"]: each["count"] for each in meta["not_compared"]}
    assert reasons == NOT_COMPARED[figure]


def test_plans_are_planned_and_reports_are_actual(session: Session) -> None:
    found = run(
        session,
        "SELECT external_id, modality FROM claims WHERE external_id = ANY ($1)"
        " AND modality <> 'actual' ORDER BY 1",
        _claims(),
    )
    assert [(_short(name), modality) for name, modality in found] == [
        ("loop-study-to-start-2008", "planned"),
        ("science-park-branch-companies-aim", "planned"),
        ("talent-target", "planned"),
    ]


def _verdicts(session: Session) -> dict[str, str]:
    found = run(
        session,
        "SELECT external_id, verdict FROM claims JOIN corroborations ON claim_id = claims.id",
    )
    return {_short(name): verdict for name, verdict in found}


def test_claims_have_the_verdicts_that_a_fact_checker_would_give(session: Session) -> None:
    verdicts = _verdicts(session)
    notable = {name: verdict for name, verdict in verdicts.items() if verdict != "single_origin"}
    assert notable == CLAIM_VERDICTS


@pytest.mark.parametrize("claim", UNCOUNTED)
def test_sources_that_add_nothing_say_why(reader: Client, claim: str) -> None:
    (row,) = reader.get("/v1/claims", external_id=f"hksz:{claim}").json["data"]
    evidence = reader.get(f"/v1/claims/{row['id']}/corroboration").json["evidence"]
    reasons = {_short(each["external_id"]): each["reason"] for each in evidence if each["stance"]}
    assert {name: reason for name, reason in reasons.items() if reason} == UNCOUNTED[claim]


def test_the_readme_lists_the_verdict_on_every_claim_with_a_reason(session: Session) -> None:
    text = (ARTICLE_SEED.parent / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w-]+)` \| `(\w+)` \| \w[^|]+ \|$", text, re.MULTILINE)
    assert len(rows) == len(dict(rows))
    assert dict(rows) == _verdicts(session)


def test_no_source_supports_and_disputes_a_claim() -> None:
    sides = Counter(
        (passage.get("claim_external_id"), passage["source_external_id"])
        for passage in _entries("evidence.json")
    )
    assert max(sides.values()) == 1


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
