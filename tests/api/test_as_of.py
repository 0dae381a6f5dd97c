"""``as_of=`` gives the answer of an earlier time, byte for byte."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from hksz_db.database import Database, run
from hksz_db.services.writing import writing
from tests.api.conftest import Client
from tests.conftest import MakeDatabase

Answer = tuple[int, Any]
Questions = list[tuple[str, dict[str, str]]]

LISTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("claims", {"per_page": "100"}),
    ("claims", {"sort": "-updated_at", "per_page": "40", "include": "corroboration,sources"}),
    ("claims", {"sort": "-corroboration__origins", "select": "id,corroboration"}),
    ("claims", {"corroboration__origins__gte": "2", "count": "exact", "include": ""}),
    # Words that are in no name: new names apply to the past, too.
    ("claims", {"q": "came OR approved", "per_page": "100", "sort": "id"}),
    ("claims", {"q": "thousand", "sort": "-time,id"}),
    ("claims", {"time__within": "2010", "entities__name__contains": "Qianhai"}),
    ("claims", {"evidence__source__title__contains": "talent", "sort": "time,id"}),
    ("claims", {"include": "statements,entities", "lang": "zh-Hant", "per_page": "100"}),
    ("claims", {"place__under_external_id": "hksz:shenzhen", "include": "similar"}),
    ("claims", {"evidence__isnull": "true", "per_page": "100"}),
    ("claims", {"entities__isnull": "true", "count": "exact"}),
    ("claims", {"figures__metric": "ttps-approved", "figures__value__gte": "40000"}),
    ("sources", {"sort": "-title", "per_page": "100"}),
    ("entities", {"sort": "name", "per_page": "100"}),
    ("entities", {"select": "name", "lang": "zh-Hans", "per_page": "100"}),
    ("entities", {"q": "park"}),
    ("figures", {"per_page": "100", "value__gte": "40000", "dimension": "count"}),
    ("evidence", {"per_page": "100", "stance__ne": "asserts"}),
    ("metrics", {}),
    ("units", {}),
    ("comparisons", {"per_page": "100"}),
    ("comparisons", {"verdict": "contradicts", "count": "exact"}),
    ("claims/aggregate", {"group_by": "corroboration__verdict,status"}),
    ("sources/aggregate", {"group_by": "csl_type"}),
)
PARTS = {
    "claims": ("", "/corroboration", "/contested_by", "/similar", "/evidence"),
    "entities": ("", "/similar"),
    "figures": ("", "/comparisons"),
    "sources": ("",),
    "evidence": ("",),
}
MORE = 8


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with every seed, which has comparable figures and all kinds of corroboration."""
    with make_database(all_seeds) as url:
        yield url


@dataclass
class RandomEdits:
    """Random changes over HTTP and by SQL."""

    editor: Any
    database: Database
    chance: random.Random
    touched: list[str] = field(default_factory=list)

    def pick(self, resource: str) -> str:
        """The path of a row, live or deleted."""
        rows = self.sql(f"SELECT id FROM {resource} ORDER BY id")
        self.touched.append(f"/v1/{resource}/{self.chance.choice(rows)[0]}")
        return self.touched[-1]

    def sql(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Execute a statement in the database."""
        with writing(self.database) as session:
            return run(session, query, *arguments)


def _reword(edits: RandomEdits) -> None:
    path = edits.pick("claims")
    edits.editor.patch(path, {"statement": f"Statement {edits.chance.random()} on talent"})


def _translate(edits: RandomEdits) -> None:
    translation = {"language": "zh-Hant", "text": "譯文", "translated_by": "machine"}
    edits.editor.patch(edits.pick("claims"), {"statements": [translation]})


def _redate(edits: RandomEdits) -> None:
    year = str(edits.chance.randint(2005, 2024))
    edits.editor.patch(edits.pick("sources"), {"issued_edtf": year})


def _retitle(edits: RandomEdits) -> None:
    edits.editor.patch(edits.pick("sources"), {"title": f"Title {edits.chance.random()}"})


def _rename(edits: RandomEdits) -> None:
    name = {"name": f"Park {edits.chance.random()}", "language": "en", "kind": "preferred"}
    edits.editor.patch(edits.pick("entities"), {"names": [name]})


def _measure(edits: RandomEdits) -> None:
    amount = str(edits.chance.randint(1, 90_000))
    edits.editor.patch(edits.pick("figures"), {"amount": amount, "comparator": "eq"})


def _corroborate(edits: RandomEdits) -> None:
    source = edits.pick("sources").rpartition("/")[2]
    stance = edits.chance.choice(("supports", "disputes", "mentions"))
    edits.editor.post(
        f"{edits.pick('claims')}/evidence", {"source_id": source, "stance": stance, "page": "1"}
    )


def _relate(edits: RandomEdits) -> None:
    target = edits.pick("sources").rpartition("/")[2]
    kind = edits.chance.choice(("copy_of", "rewrite_of", "cites"))
    edits.editor.patch(edits.pick("sources"), {"relations": [{"kind": kind, "to_id": target}]})


def _retract(edits: RandomEdits) -> None:
    moment = edits.chance.choice((None, "2024-01-01T00:00:00Z"))
    edits.editor.patch(edits.pick("sources"), {"retracted_at": moment})


def _delete(edits: RandomEdits) -> None:
    resources = ("claims", "evidence", "figures", "sources")
    _until_done(lambda: edits.editor.delete(edits.pick(edits.chance.choice(resources))))


def _restore(edits: RandomEdits) -> None:
    resource = edits.chance.choice(("claims", "evidence", "figures", "sources"))
    edits.editor.restore(edits.pick(resource))


def _merge(edits: RandomEdits) -> None:
    def merge() -> Any:
        into, path = edits.pick("entities").rpartition("/")[2], f"{edits.pick('entities')}/merge"
        return edits.editor.post(path, {"into_id": into}, **{"If-Match": "*"})

    _until_done(merge)


def _unmerge(edits: RandomEdits) -> None:
    merged = edits.sql("SELECT id FROM entities WHERE redirect_to IS NOT NULL ORDER BY id")
    for (id,) in merged[:1]:
        edits.editor.post(f"/v1/entities/{id}/unmerge", **{"If-Match": "*"})


def _until_done(attempt: Callable[[], Any]) -> None:
    """Repeat a change that is often refused because other rows refer to the row."""
    for _ in range(100):
        if attempt().status_code < 300:
            return


def _add(edits: RandomEdits) -> None:
    edits.editor.post(
        "/v1/claims",
        {
            "statement": f"{edits.chance.randint(1, 9)} thousand talents came to Qianhai.",
            "claimant_external_id": "hksz:hksar-government",
            "topics": ["talent"],
        },
    )


def _update_by_sql(edits: RandomEdits) -> None:
    passage, topic = (
        edits.chance.choice(edits.sql(f"SELECT id FROM {table} ORDER BY id"))[0]
        for table in ("evidence", "claim_topics")
    )
    status = edits.chance.choice(("rejected", "accepted"))
    edits.sql("UPDATE evidence SET status = $1 WHERE id = $2", status, passage)
    edits.sql("DELETE FROM claim_topics WHERE id = $1", topic)


CHANGES: tuple[Callable[[RandomEdits], None], ...] = (
    _reword,
    _translate,
    _redate,
    _retitle,
    _rename,
    _measure,
    _corroborate,
    _corroborate,
    _relate,
    _retract,
    _delete,
    _restore,
    _merge,
    _unmerge,
    _add,
    _update_by_sql,
)


def questions(edits: RandomEdits, number: int) -> Questions:
    """Requests for every other list, some rows with their parts, and the last rows changed.

    The ``number`` of the change decides which lists.
    """
    touched: Questions = [(path, {}) for path in dict.fromkeys(edits.touched[-10:])]
    rows: Questions = [
        (f"{edits.pick(resource)}{part}", {}) for resource, parts in PARTS.items() for part in parts
    ]
    lists = LISTS[number % 2 :: 2]
    return [*((f"/v1/{path}", query) for path, query in lists), *rows, *touched]


def answer(reader: Any, path: str, query: dict[str, str], **more: str) -> Answer:
    """Status and body without the cursor, which contains the requested time."""
    response = reader.get(path, **query, **more)
    body = response.json if response.is_json else response.get_data(as_text=True)
    if response.status_code == 200 and "meta" in body:
        body["meta"].pop("next_cursor", None)
        return 200, body
    if response.status_code == 200:
        return 200, response.get_data()
    # A problem document has an id of its own.
    return response.status_code, response.headers.get("ETag")


@pytest.mark.slow
def test_each_as_of_gives_the_answer_of_that_time(
    editor: Client, reader: Client, database: Database
) -> None:
    edits = RandomEdits(editor, database, random.Random(3))
    recorded: list[tuple[str, str, dict[str, str], Answer]] = []
    # Each change at least once.
    changes = [*edits.chance.sample(CHANGES, len(CHANGES)), *edits.chance.choices(CHANGES, k=MORE)]
    for number, change in enumerate(changes):
        change(edits)
        ((moment,),) = edits.sql("SELECT clock_timestamp()")
        for path, query in questions(edits, number):
            recorded.append((moment.isoformat(), path, query, answer(reader, path, query)))
    edits.chance.shuffle(recorded)
    statuses = set()
    for moment, path, query, before in recorded:
        assert answer(reader, path, query, as_of=moment) == before, (moment, path, query)
        statuses.add(before[0])
    assert {200, 308, 410} <= statuses


def test_as_of_gives_the_names_of_that_time(
    editor: Client, reader: Client, database: Database
) -> None:
    path = (
        f"/v1/entities/{reader.get('/v1/entities', external_id='hksz:hkpc').json['data'][0]['id']}"
    )
    before = reader.get(path, lang="zh-Hant")
    assert before.json["name_language"] == "zh-Hant"
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    names = [{"name": "Another name", "language": "en", "kind": "preferred"}]
    assert editor.patch(path, {"names": names}).status_code == 200
    assert reader.get(path, lang="zh-Hant").json["name"] == "Another name"
    then = reader.get(path, lang="zh-Hant", as_of=moment.isoformat())
    assert (then.data, then.headers["ETag"]) == (before.data, before.headers["ETag"])


def test_names_of_today_find_claims_as_of_an_earlier_time(
    editor: Client, reader: Client, database: Database
) -> None:
    def named(name: str) -> dict[str, object]:
        return {"names": [{"name": name, "language": "en", "kind": "preferred"}]}

    council = editor.post("/v1/entities", {"kind": "organisation", **named("Zeppelinone")})
    claim = {"statement": "It was approved.", "language": "en", "claimant_id": council.json["id"]}
    path = editor.post("/v1/claims", claim).headers["Location"]
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")

    def found(q: str) -> int:
        return len(reader.get("/v1/claims", q=q, as_of=moment.isoformat()).json["data"])

    editor.patch(council.headers["Location"], named("Zeppelintwo"))
    assert (found("zeppelinone"), found("zeppelintwo")) == (0, 1)
    editor.patch(path, {"statement": "It was refused."})
    editor.patch(council.headers["Location"], named("Zeppelinthree"))
    # The version of that time was replaced when this was the name.
    assert (found("zeppelintwo approved"), found("zeppelintwo refused")) == (1, 0)
    assert found("zeppelinthree") == 0


def test_as_of_before_a_correction_gives_the_old_figure_and_corroboration(
    editor: Client, reader: Client, database: Database
) -> None:
    name = "hksz:more-scholars-in-hong-kong"
    claim = reader.get("/v1/claims", external_id=name).json["data"][0]
    path = f"/v1/claims/{claim['id']}"
    before = reader.get(path)
    assert before.json["corroboration"]["for"]["origins"] == 2
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    source = reader.get("/v1/sources", external_id="hksz:hku-annual-report-2023").json["data"][0]
    editor.patch(f"/v1/sources/{source['id']}", {"retracted_at": "2024-02-01T00:00:00Z"})
    editor.patch(path, {"statement": "Fewer academics have come to Hong Kong."})
    after = reader.get(path)
    assert after.json["corroboration"]["verdict"] == "single_origin"
    then = reader.get(path, as_of=moment.isoformat())
    assert then.data == before.data
    assert then.headers["ETag"] == before.headers["ETag"]
    part = reader.get(f"{path}/corroboration", as_of=moment.isoformat())
    assert part.json == before.json["corroboration"]
    query = {"corroboration__origins__gte": "2", "external_id": name}
    assert reader.get("/v1/claims", **query).json["data"] == []
    old = reader.get("/v1/claims", as_of=moment.isoformat(), **query).json["data"]
    assert [claim["id"] for claim in old] == [claim["id"]]


def test_a_list_of_the_past_is_paged(editor: Client, reader: Client, database: Database) -> None:
    opinions = {"modality": "opinion"}
    listed = reader.get("/v1/claims", per_page="100", **opinions).json
    every = [claim["id"] for claim in listed["data"]]
    assert listed["meta"]["next_cursor"] is None
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    for id in every[::2]:
        editor.delete(f"/v1/claims/{id}")
    found, query = [], {"as_of": moment.isoformat(), "per_page": "7", "select": "id", **opinions}
    while True:
        page = reader.get("/v1/claims", **query).json
        found += [claim["id"] for claim in page["data"]]
        if page["meta"]["next_cursor"] is None:
            break
        query["cursor"] = page["meta"]["next_cursor"]
    assert found == every
    # A cursor belongs to its as_of.
    refused = reader.get(
        "/v1/claims", per_page="7", select="id", cursor=query["cursor"], **opinions
    )
    assert refused.status_code == 400


@pytest.mark.parametrize("parts", ["evidence", "entities"])
def test_rows_that_lacked_parts_are_listed_as_of_that_time(
    editor: Client, reader: Client, database: Database, parts: str
) -> None:
    part = {
        "evidence": {"source_external_id": "hksz:hku-annual-report-2023", "stance": "supports"},
        "entities": {"entity_external_id": "hksz:shenzhen", "role": "subject"},
    }[parts]
    bare, bare_for_long, deleted, full = (
        editor.post(
            "/v1/claims",
            {
                "statement": f"Claim {number} of {parts}.",
                "claimant_external_id": "hksz:hksar-government",
                **({parts: [part]} if number == 3 else {}),
            },
        ).json
        for number in range(4)
    )
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    query = {f"{parts}__isnull": "true", "select": "id", "per_page": "100"}
    before = reader.get("/v1/claims", **query).json["data"]
    if parts == "evidence":
        editor.post(f"/v1/claims/{bare['id']}/evidence", part)
        editor.delete(f"/v1/evidence/{full['evidence'][0]['id']}")
    else:
        editor.patch(f"/v1/claims/{bare['id']}", {"entities": [part]})
        editor.patch(f"/v1/claims/{full['id']}", {"entities": []})
    editor.delete(f"/v1/claims/{deleted['id']}")
    now = {claim["id"] for claim in reader.get("/v1/claims", **query).json["data"]}
    assert now & {claim["id"] for claim in (bare, bare_for_long, deleted, full)} == {
        bare_for_long["id"],
        full["id"],
    }
    assert reader.get("/v1/claims", as_of=moment.isoformat(), **query).json["data"] == before


def test_a_query_tree_accepts_as_of(editor: Client, reader: Client, database: Database) -> None:
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    editor.post("/v1/units", {"code": "MOP", "label": "pataca"})
    body = {"filter": {"code": "MOP"}}
    assert len(reader.post("/v1/units/query", body).json["data"]) == 1
    body["as_of"] = moment.isoformat()
    assert reader.post("/v1/units/query", body).json["data"] == []


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("yesterday", "time with its offset"),
        ("2024-01-24T08:00:00", "time with its offset"),
        ("2024-01-24", "time with its offset"),
        ("", "time with its offset"),
        ("9999-12-31T00:00:00Z", "until now"),
        ("2001-01-01T00:00:00Z", "until now"),
    ],
)
def test_an_invalid_as_of_is_refused(reader: Client, moment: str, said: str) -> None:
    for path in ("/v1/claims", "/v1/claims/aggregate?group_by=status"):
        name, _, value = path.partition("?")[2].partition("=")
        query = {name: value} if name else {}
        response = reader.get(path.partition("?")[0], as_of=moment, **query)
        assert response.status_code == 400
        assert said in response.get_data(as_text=True)


def test_a_write_refuses_as_of(editor: Client) -> None:
    moment = datetime.now(UTC).isoformat()
    body = {"code": "MOP", "label": "pataca"}
    response = editor.send("POST", "/v1/units", query_string={"as_of": moment}, json=body)
    assert response.status_code == 400
    assert response.json["errors"][0]["parameter"] == "as_of"


def test_a_merged_entity_is_separate_before_the_merge(
    editor: Client, reader: Client, database: Database
) -> None:
    twin, into = (
        editor.post(
            "/v1/entities",
            {
                "kind": "organisation",
                "names": [{"name": name, "language": "en", "kind": "preferred"}],
            },
        )
        for name in ("Twin", "Original")
    )
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    path = twin.headers["Location"]
    editor.post(f"{path}/merge", {"into_id": into.json["id"]}, **{"If-Match": "*"})
    assert reader.get(path).status_code == 308
    assert reader.get(path, as_of=moment.isoformat()).json["name"] == "Twin"
    later = reader.get(path, as_of=datetime.now(UTC).isoformat())
    assert later.status_code == 308
    assert "as_of=" in later.headers["Location"]
