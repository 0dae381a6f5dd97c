"""Who else says so, independently: verdicts on the voices behind the evidence, over HTTP."""

import pytest


@pytest.fixture
def entity(editor):
    """Adds an entity, with its relations to others, and returns its id."""

    def add(name, kind="organisation", **relations):
        body = {
            "kind": kind,
            "names": [{"name": name, "language": "en", "kind": "preferred"}],
            "relations": [{"kind": kind, "object_id": id} for kind, id in relations.items()],
        }
        response = editor.post("/v1/entities", body)
        assert response.status_code == 201, response.text
        return response.json["id"]

    return add


@pytest.fixture
def source(editor):
    """Adds a source with its publisher and relations, and returns its id."""

    def add(title, publisher=None, *, issued=None, **relations):
        body = {
            "csl_type": "report",
            "title": title,
            "issued_edtf": issued,
            "contributors": [{"entity_id": publisher, "role": "publisher"}] if publisher else [],
            "relations": [{"kind": kind, "to_id": id} for kind, id in relations.items()],
        }
        response = editor.post("/v1/sources", body)
        assert response.status_code == 201, response.text
        return response.json["id"]

    return add


@pytest.fixture
def claim(editor):
    """Adds a claim with evidence, each a source or a source and fields; returns its path."""

    def add(claimant, *evidence, **fields):
        passages = [each if isinstance(each, tuple) else (each, {}) for each in evidence]
        body = {
            "statement": "So many came.",
            "claimant_id": claimant,
            "status": "accepted",
            "evidence": [
                {"source_id": id, "stance": "asserts", "status": "accepted", **given}
                for id, given in passages
            ],
        }
        response = editor.post("/v1/claims", {**body, **fields})
        assert response.status_code == 201, response.text
        return response.headers["Location"]

    return add


@pytest.fixture
def verdict(reader):
    """The verdict on a claim, and why evidence does not count, in the order of the evidence."""

    def ask(path):
        answer = reader.get(f"{path}/corroboration").json
        evidence = sorted(answer["evidence"], key=lambda each: each["evidence_id"])
        return answer["verdict"], [each["reason"] for each in evidence]

    return ask


@pytest.fixture
def bureau(entity):
    return entity("The bureau")


@pytest.fixture
def press(entity):
    return entity("The press")


def test_the_release_of_the_claimant_and_an_article_that_reports_it(
    bureau, press, source, claim, verdict
):
    release = source("A release", bureau)
    article = (source("An article", press), {"attributed_to_id": bureau})
    path = claim(bureau, release, article)
    assert verdict(path) == ("single_origin", [None, "same_voice"])


def test_two_pages_whose_makers_are_unknown(bureau, source, claim, verdict):
    pages = [source(title) for title in ("A page", "Another page")]
    assert verdict(claim(bureau, *pages)) == ("single_origin", [None, "same_voice"])


def test_two_pages_of_one_publisher(bureau, press, source, claim, verdict):
    path = claim(bureau, source("A page", press), source("Another page", press))
    assert verdict(path) == ("single_origin", [None, "same_voice"])


def test_an_article_and_a_blog_that_only_cites_it(bureau, press, entity, source, claim, verdict):
    article = source("An article", press)
    path = claim(bureau, article, source("A post", entity("A blog"), cites=article))
    assert verdict(path) == ("single_origin", [None, "cites_counted"])


def test_two_papers_on_one_data_set(bureau, entity, source, claim, verdict):
    data = source("A data set")
    papers = [source("A paper", entity("A lab"), cites=data)]
    papers += [source("Another paper", entity("Another lab"), based_on=data)]
    assert verdict(claim(bureau, *papers)) == ("single_origin", [None, "cites_counted"])


def test_the_article_of_the_claimant_and_the_release_of_a_party(
    bureau, press, source, claim, verdict
):
    release = (source("A release", press), {"interest": "self"})
    path = claim(bureau, source("An article", bureau), release)
    assert verdict(path) == ("confirmed_by_party", [None, None])


def test_the_article_of_the_claimant_and_the_release_of_its_subject(
    bureau, press, source, claim, verdict
):
    path = claim(
        bureau,
        source("An article", bureau),
        source("A release", press),
        entities=[{"entity_id": press, "role": "subject"}],
    )
    assert verdict(path) == ("confirmed_by_party", [None, None])


def test_the_article_of_the_claimant_and_a_paper_with_its_own_reporting(
    bureau, press, source, claim, verdict
):
    path = claim(bureau, source("An article", bureau), source("A paper", press))
    assert verdict(path) == ("corroborated", [None, None])


def test_a_source_from_before_the_event(bureau, press, entity, source, claim, verdict):
    path = claim(
        bureau,
        source("An article", press, issued="2024"),
        source("An old report", entity("A lab"), issued="1999"),
        time_edtf="2023-05",
    )
    assert verdict(path) == ("single_origin", [None, "before_event"])


def test_a_statement_from_before_the_event(bureau, press, entity, source, claim, verdict):
    announced = (source("A report", entity("A lab"), issued="2024"), {"said_edtf": "2022"})
    path = claim(bureau, source("An article", press), announced, time_edtf="2023-05")
    assert verdict(path) == ("single_origin", [None, "before_event"])


@pytest.mark.parametrize(("stance", "side"), [("supports", "for"), ("disputes", "against")])
def test_submitted_evidence_is_pending(
    bureau, press, entity, source, claim, verdict, writer, reader, stance, side
):
    path = claim(bureau, source("An article", press))
    body = {"source_id": source("A report", entity("A lab")), "stance": stance}
    submitted = writer.post(f"{path}/evidence", body)
    assert submitted.status_code == 201
    assert verdict(path) == ("single_origin", [None, "pending"])
    answer = reader.get(f"{path}/corroboration").json
    assert answer[side]["pending"] == 1
    assert answer["against"]["origins"] == 0


def test_a_shared_opinion(bureau, entity, source, claim, verdict, editor):
    columns = [source("A column", entity("A columnist", "person")) for _ in range(2)]
    path = claim(bureau, *columns, modality="opinion")
    assert verdict(path) == ("shared", [None, None])
    assert editor.patch(path, {"modality": "actual"}).status_code == 200
    assert verdict(path) == ("corroborated", [None, None])


def test_the_report_of_the_reporter_speaks_for_the_claimant(
    bureau, press, entity, source, claim, verdict, editor
):
    path = claim(
        bureau,
        source("An article", press),
        source("A paper", entity("A lab")),
        source("A release", bureau),
        reported_by_id=press,
    )
    assert verdict(path) == ("corroborated", [None, None, "same_voice"])
    assert editor.patch(path, {"reported_by_id": None}).status_code == 200
    assert verdict(path) == ("corroborated", [None, None, None])


def test_papers_of_one_owner_are_one_voice(bureau, entity, source, claim, verdict, editor, reader):
    group = entity("A group")
    papers = [entity("A paper", owned_by=group), entity("Another paper")]
    path = claim(bureau, *(source("An article", paper) for paper in papers))
    assert verdict(path)[0] == "corroborated"
    owned = {"relations": [{"kind": "part_of", "object_id": group}]}
    assert editor.patch(f"/v1/entities/{papers[1]}", owned).status_code == 200
    assert verdict(path) == ("single_origin", [None, "same_voice"])
    (first, _) = reader.get(f"{path}/corroboration").json["evidence"]
    assert {speaker["id"] for speaker in first["voice"]} == {group, papers[0]}
    assert first["standing"] == "independent"


def test_the_employer_of_a_claimant_shares_its_voice(bureau, entity, source, claim, verdict):
    spokesman = entity("A spokesman", "person", works_for=bureau)
    path = claim(spokesman, source("A release", bureau))
    assert verdict(path) == ("single_origin", [None])


def test_second_hand_passages_count_once(bureau, press, entity, source, claim, verdict):
    passages = [
        (source("A report", publisher), {"directness": "secondary"})
        for publisher in (press, entity("A lab"))
    ]
    assert verdict(claim(bureau, *passages)) == ("single_origin", [None, "secondary"])


def test_an_origin_on_both_sides_counts_on_neither(bureau, press, source, claim, verdict):
    report = source("A report", press)
    path = claim(bureau, report, (report, {"stance": "disputes"}))
    assert verdict(path) == ("unsupported", ["both_sides", "both_sides"])


def test_every_piece_of_evidence_is_listed(bureau, press, source, claim, reader, editor):
    retracted = source("A report", press)
    path = claim(
        bureau,
        retracted,
        (source("A rumour"), {"status": "rejected"}),
        (source("A chronicle"), {"stance": "mentions"}),
    )
    when = {"retracted_at": "2024-05-01T00:00:00Z"}
    assert editor.patch(f"/v1/sources/{retracted}", when).status_code == 200
    answer = reader.get(f"{path}/corroboration").json
    assert [(each["stance"], each["reason"]) for each in answer["evidence"]] == [
        ("for", "retracted"),
        ("for", "rejected"),
        (None, "mentions"),
    ]
    counts = dict.fromkeys(("sources", "origins", "own", "independent", "parties", "pending"), 0)
    assert answer["for"] == answer["against"] == counts
    assert answer["recounting"] is False


@pytest.mark.parametrize("count", ["own", "independent", "parties", "pending", "sources"])
def test_claims_are_filtered_and_sorted_by_each_count(
    bureau, press, entity, source, claim, reader, count
):
    path = claim(
        bureau,
        source("A release", bureau),
        source("A report", press),
        (source("A release of a party", entity("A firm")), {"interest": "self"}),
        (source("A rumour"), {"status": "submitted"}),
    )
    id = path.rpartition("/")[2]
    name = f"corroboration__{count}"
    expected = "3" if count == "sources" else "1"
    for query, found in ((expected, True), ("0", False)):
        rows = reader.get("/v1/claims", **{name: query, "id": id}).json["data"]
        assert bool(rows) is found
    assert reader.get("/v1/claims", **{f"{name}_against__gte": "1", "id": id}).json["data"] == []
    listed = reader.get("/v1/claims", sort=f"-{name}", include="corroboration", per_page="5").json
    counts = [row["corroboration"]["for"][count] for row in listed["data"]]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] >= int(expected)


def test_who_is_reported_and_when_it_was_said_is_shown(bureau, source, claim, editor, reader):
    report = source("A report", issued="2024-03-05")
    path = claim(bureau, (report, {"attributed_to_id": bureau, "said_edtf": "2024-02"}))
    (passage,) = reader.get(path).json["evidence"]
    assert passage["attributed_to"]["name"] == "The bureau"
    assert (passage["said"]["earliest"], passage["said"]["latest"]) == ("2024-02-01", "2024-02-29")
    week = {"anchor_id": report, "duration": "-P1M"}
    changed = editor.patch(f"/v1/evidence/{passage['id']}", {"said_relative": week})
    assert changed.json["said"]["edtf"] == "2024-02"
    redated = editor.patch(f"/v1/sources/{report}", {"issued_edtf": "2024-05-05"})
    assert redated.status_code == 200
    (passage,) = reader.get(path).json["evidence"]
    assert passage["said"]["edtf"] == "2024-04"
    found = reader.get("/v1/evidence", attributed_to_id=bureau, said__within="2024-04")
    assert [row["id"] for row in found.json["data"]] == [passage["id"]]


FIGURE = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "47,681",
    "period_edtf": "2023",
}


@pytest.fixture
def hints(reader):
    """The hints about the evidence on a claim: the days, and the titles of the sources."""

    def ask(path):
        found = reader.get(f"{path}/corroboration").json["hints"]
        return [(hint["days"], [each["title"] for each in hint["evidence"]]) for hint in found]

    return ask


@pytest.fixture
def lab(entity):
    return entity("A lab")


@pytest.fixture
def report(press, source):
    return source("A report", press, issued="2024-03-01")


HINT = [(3, ["A report", "A paper"])]


def test_two_voices_with_one_figure_within_a_week_may_have_copied(
    bureau, report, lab, source, claim, verdict, reader
):
    paper = source("A paper", lab, issued="2024-03-04")
    path = claim(bureau, paper, report, figures=[FIGURE])
    answer = reader.get(f"{path}/corroboration").json
    passages = {each["source_id"]: each["evidence_id"] for each in answer["evidence"]}
    assert answer["hints"] == [
        {
            "kind": "possible_copy",
            "days": 3,
            "evidence": [
                {"evidence_id": passages[report], "source_id": report, "title": "A report"},
                {"evidence_id": passages[paper], "source_id": paper, "title": "A paper"},
            ],
        }
    ]
    assert verdict(path) == ("corroborated", [None, None])


@pytest.mark.parametrize(
    ("issued", "days"),
    [
        ("2024-03-01", 0),
        ("2024-02-27", 3),
        ("2024-03-08", 7),
        ("2024-03-09", None),
        ("2024-03-04/2024-03-08", 7),
        ("2024-03-04/2024-03-09", None),
        ("2024-03", None),
        ("../2024-03-01", None),
        ("2024-03-01/..", None),
        (None, None),
    ],
)
def test_a_hint_needs_dates_that_are_certainly_within_a_week(
    bureau, report, lab, source, claim, hints, issued, days
):
    paper = source("A paper", lab, issued=issued)
    found = hints(claim(bureau, report, paper, figures=[FIGURE]))
    assert [days for days, _ in found] == ([] if days is None else [days])


@pytest.mark.parametrize("kind", ["copy_of", "cites", "replies_to", "corrects"])
def test_a_source_with_a_declared_relation_is_no_possible_copy(
    bureau, report, lab, source, claim, hints, editor, kind
):
    paper = source("A paper", lab, issued="2024-03-04", **{kind: report})
    path = claim(bureau, report, paper, figures=[FIGURE])
    assert hints(path) == []
    assert editor.patch(f"/v1/sources/{paper}", {"relations": []}).status_code == 200
    assert hints(path) == HINT


def test_a_relation_may_be_declared_by_a_chain(bureau, report, lab, source, claim, hints):
    notice = source("A notice", corrects=report)
    paper = source("A paper", lab, issued="2024-03-04", part_of=notice)
    assert hints(claim(bureau, report, paper, figures=[FIGURE])) == []


def test_sources_that_both_reply_to_a_third_are_related(bureau, press, lab, source, claim, hints):
    third = source("A speech")
    replies = [
        source("A reply", voice, issued="2024-03-04", replies_to=third) for voice in (press, lab)
    ]
    assert hints(claim(bureau, *replies, figures=[FIGURE])) == []


def test_a_passage_that_is_derived_from_another_is_no_possible_copy(
    bureau, report, lab, source, claim, hints, editor, reader
):
    paper = source("A paper", lab, issued="2024-03-04")
    path = claim(bureau, report, paper, figures=[FIGURE])
    assert hints(path) == HINT
    first, second = (f"/v1/evidence/{each['id']}" for each in reader.get(path).json["evidence"])
    derived = {"derived_from_id": first.rpartition("/")[2]}
    assert editor.patch(second, derived).status_code == 200
    assert hints(path) == []


def test_passages_of_one_voice_are_no_copies(bureau, press, report, lab, source, claim, hints):
    page = source("A page", press, issued="2024-03-04")
    reported = (source("A paper", lab, issued="2024-03-04"), {"attributed_to_id": press})
    assert hints(claim(bureau, report, page, reported, figures=[FIGURE])) == []


@pytest.mark.parametrize(
    "given", [{"status": "rejected"}, {"status": "submitted"}, {"stance": "disputes"}]
)
def test_only_evidence_that_can_count_for_the_claim_is_hinted_at(
    bureau, report, lab, source, claim, hints, given
):
    paper = (source("A paper", lab, issued="2024-03-04"), given)
    second = source("A second paper", lab, issued="2024-03-05")
    found = hints(claim(bureau, report, paper, second, figures=[FIGURE]))
    assert found == [(4, ["A report", "A second paper"])]


def test_a_claim_without_figures_has_no_hints(
    bureau, report, lab, source, claim, hints, editor, reader
):
    paper = source("A paper", lab, issued="2024-03-04")
    path = claim(bureau, report, paper, figures=[FIGURE])
    assert hints(path) == HINT
    (figure,) = reader.get(path).json["figures"]
    assert editor.delete(f"/v1/figures/{figure['id']}").status_code == 204
    assert hints(path) == []


def test_the_closest_ten_hints_are_given(bureau, entity, source, claim, hints):
    papers = [
        source(f"Paper {n}", entity(f"Lab {n}"), issued=f"2024-03-0{n + 1}") for n in range(6)
    ]
    found = hints(claim(bureau, *papers, figures=[FIGURE]))
    assert [days for days, _ in found] == [1] * 5 + [2] * 4 + [3]
