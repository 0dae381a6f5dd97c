"""``flask import``: files of other programs, imported repeatedly."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from hksz_db.database import Database, run
from hksz_db.exchange.exporting import export, read_export
from hksz_db.queries.pages import document_statement
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.merging import merge
from hksz_db.services.registry import WRITERS
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

FILES = Path(__file__).parents[1] / "exchange" / "files"
EXPORTS = ("zotero.json", "zotero.bib", "better_bibtex.bib", "zotero.ris")
ALL = "SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM entities)"
CLAIM = "hksz:ttps-approved-2023"
FIGURE = {
    "claim_external_id": CLAIM,
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "some sixty",
    "comparator": "approx",
    "amount": "60",
    "unit_code": "1",
}
UNITS = [
    {"external_id": "test:dollar", "code": "USD", "label": "dollar"},
    {"external_id": "test:pound", "code": "GBP", "label": ""},
    {"external_id": "test:yen", "code": "JPY", "label": "yen"},
]

Run = Callable[..., Result]
Write = Callable[[str, str | bytes], Path]


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with all seeds."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture(scope="module")
def bare_app() -> Flask:
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@pytest.fixture
def run_on(bare_app: Flask) -> Callable[[Database], Run]:
    """``run_on(database)`` is a function that runs the command with the database."""

    def bind(database):
        def invoke(*arguments):
            bare_app.extensions["hksz_database"] = database
            runner = bare_app.test_cli_runner()
            answer = runner.invoke(args=["import", *map(str, arguments)])
            # Any other exception would show a traceback.
            assert answer.exception is None or isinstance(answer.exception, SystemExit)
            return answer

        return invoke

    return bind


@pytest.fixture
def flask(run_on: Callable[[Database], Run], database: Database) -> Run:
    """``flask(*arguments)`` runs the command in the transaction of the test."""
    return run_on(database)


@pytest.fixture
def fresh(make_database: MakeDatabase) -> Iterator[Database]:
    """An empty database."""
    with make_database() as url:
        database = Database(lambda: url)
        yield database
        database.close()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(name, text)`` creates a file."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def ndjson(documents: list[Any]) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def rows(database: Database, sql: str, *values: str) -> list[Any]:
    with database.transaction() as session:
        return run(session, sql, *values)


def counts(answer: Result) -> dict[str, int]:
    (line,) = (line for line in answer.output.splitlines() if " entries: " in line)
    return {name: int(number) for number, name in re.findall(r"(\d+) ([a-z ]+)", line)}


def reversed_entries(path: Path) -> str:
    """The text of an export with its entries in reverse order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        return json.dumps(json.loads(text)[::-1])
    entries = re.split(r"(?m)^(?=@|TY  - )", text)
    return "".join(entries[::-1])


@pytest.mark.parametrize("name", EXPORTS)
def test_repeated_import_creates_no_copies(
    flask: Run, database: Database, write: Write, name: str
) -> None:
    before = rows(database, ALL)[0]
    first = flask(FILES / name)
    assert first.exit_code == 0
    assert counts(first)["entries"] == counts(first)["created"] == 10
    after = rows(database, ALL)[0]
    assert after == (before[0] + 10, before[1] + counts(first)["entities created"])
    for again in (FILES / name, write(name, reversed_entries(FILES / name))):
        second = flask(again)
        assert second.exit_code == 0
        assert counts(second)["unchanged"] == 10
        assert "entities created" not in second.output
        assert rows(database, ALL)[0] == after


@pytest.mark.parametrize("first", EXPORTS)
@pytest.mark.parametrize("second", EXPORTS)
def test_source_is_recognised_by_doi_in_every_format(
    flask: Run, database: Database, first: str, second: str
) -> None:
    flask(FILES / first, "--namespace", "first")
    before = rows(database, "SELECT id, version FROM sources WHERE doi IS NOT NULL ORDER BY id")
    answer = flask(FILES / second, "--namespace", "second")
    assert answer.exit_code == 0
    # Those without a DOI have a URL.
    assert (counts(answer)["ignored"], counts(answer)["created"]) == (7, 3)
    assert answer.output.count("ignored, exists as first:") == 7
    after = rows(database, "SELECT id, version FROM sources WHERE doi IS NOT NULL ORDER BY id")
    assert after == before


def test_exported_source_is_recognised(flask: Run, database: Database, write: Write) -> None:
    name = "hksz:shenzhen-daily-article"
    ((id,),) = rows(database, "SELECT id::text FROM sources WHERE external_id = $1", name)
    items = [{"id": name, "type": "webpage", "title": "Another title"}]
    for file in (
        write("a.json", json.dumps(items)),
        write("a.bib", f"@misc{{{name}, title = {{Another title}}}}"),
        write("a.ris", f"TY  - ELEC\nID  - {name}\nTI  - Another title\nER  - \n"),
    ):
        answer = flask(file)
        assert f"ignored, exists as {name}" in answer.output
        assert counts(answer)["created"] == 0
    nameless = {"id": id, "csl_type": "webpage", "title": "Another title"}
    answer = flask(write("a.ndjson", ndjson([nameless])), "--resource", "sources")
    assert f"line 1 (ndjson:{id}): ignored, exists as {name}" in answer.output


def test_dry_run_reports_and_writes_nothing(flask: Run, database: Database, write: Write) -> None:
    before = rows(database, ALL)[0]
    file = write("units.ndjson", ndjson(UNITS))
    dry = flask(file, "--resource", "units", "--dry-run")
    assert dry.exit_code == 1
    lines = [line.partition(" (")[2] for line in dry.output.splitlines()[:3]]
    assert lines == [
        "test:dollar): created",
        "test:pound): failed: label: May not be blank.",
        "test:yen): created",
    ]
    assert dry.output.endswith("Nothing was written.\n")
    assert rows(database, "SELECT 1 FROM units WHERE external_id LIKE 'test:%'") == []
    wet = flask(file, "--resource", "units")
    assert counts(wet) == counts(dry)
    assert "Nothing" not in wet.output
    sources = flask(FILES / "zotero.json", "--dry-run")
    assert sources.output.count("): created\n") == 10
    assert rows(database, ALL)[0] == before


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
def test_what_is_doubtful_is_reported(
    flask: Run, database: Database, write: Write, options: list[str]
) -> None:
    part = {name: value for name, value in FIGURE.items() if name != "claim_external_id"}
    claim = {"statement": "So many were approved.", "claimant_external_id": "hksz:hkpc"}
    claims = [
        {**claim, "external_id": "test:doubtful", "figures": [{**part, "amount": "70"}]},
        {**claim, "external_id": "test:clear", "figures": [part]},
    ]
    answer = flask(write("claims.ndjson", ndjson(claims)), "--resource", "claims", *options)
    assert answer.exit_code == 0
    detail = "The words state 'about 60', but the figure has 70."
    expected = f"claims.ndjson:line 1 (test:doubtful): warning: figures/0/amount: {detail}\n"
    assert answer.output.count(" warning: ") == answer.output.count(expected) == 1
    assert (counts(answer)["created"], counts(answer)["warnings"]) == (2, 1)
    written = rows(database, "SELECT 1 FROM claims WHERE external_id = 'test:doubtful'")
    assert len(written) == (not options)


def test_lines_after_a_failed_line_are_written(
    flask: Run, database: Database, write: Write
) -> None:
    answer = flask(write("units.ndjson", ndjson(UNITS)), "--resource", "units")
    assert answer.exit_code == 1
    assert counts(answer)["created"] == 2
    assert "units.ndjson:line 2 (test:pound): failed: label: May not be blank." in answer.output
    found = rows(database, "SELECT code FROM units WHERE external_id LIKE 'test:%' ORDER BY id")
    assert found == [("USD",), ("JPY",)]


def test_lines_without_a_resource_are_reported(flask: Run, write: Write) -> None:
    lines = ndjson([UNITS[0], {"resource": "units", **UNITS[2]}, {"resource": "x"}]) + "{"
    answer = flask(write("units.ndjson", lines))
    assert answer.exit_code == 1
    assert "line 1: failed: The line names no resource; give the resource" in answer.output
    assert "line 3: failed: Unknown resource; known: " in answer.output
    assert "line 4: failed: The line is not JSON" in answer.output
    assert (counts(answer)["created"], counts(answer)["failed"]) == (1, 3)


def test_atomic_is_all_or_nothing(flask: Run, database: Database, write: Write) -> None:
    file = write("units.ndjson", ndjson(UNITS))
    refused = flask(file, "--resource", "units", "--atomic")
    assert refused.exit_code == 1
    assert refused.output.endswith("Nothing was written.\n")
    assert rows(database, "SELECT 1 FROM units WHERE external_id LIKE 'test:%'") == []
    good = flask(write("good.ndjson", ndjson(UNITS[::2])), "--resource", "units", "--atomic")
    assert good.exit_code == 0
    assert len(rows(database, "SELECT 1 FROM units WHERE external_id LIKE 'test:%'")) == 2


@pytest.mark.parametrize(
    ("mode", "outcome", "label"),
    [
        ("upsert", "updated", "cents"),
        ("ignore", "ignored", "dollar"),
        ("create", "failed", "dollar"),
    ],
)
def test_mode_decides_about_existing_rows(
    flask: Run, database: Database, write: Write, mode: str, outcome: str, label: str
) -> None:
    flask(write("units.ndjson", ndjson(UNITS[:1])), "--resource", "units")
    changed = write("units.ndjson", ndjson([UNITS[0] | {"label": "cents"}]))
    answer = flask(changed, "--resource", "units", "--mode", mode)
    assert counts(answer)[outcome] == 1
    assert answer.exit_code == (outcome == "failed")
    sql = "SELECT label FROM units WHERE external_id = 'test:dollar'"
    assert rows(database, sql) == [(label,)]


def test_changed_entry_updates_its_source(flask: Run, database: Database, write: Write) -> None:
    flask(FILES / "zotero.json")
    items = json.loads((FILES / "zotero.json").read_text(encoding="utf-8"))
    items[1] |= {"title": "Another title", "issued": {"date-parts": [["2023", 9, 8]]}}
    del items[1]["URL"]
    answer = flask(write("later.json", json.dumps(items)))
    assert (counts(answer)["updated"], counts(answer)["unchanged"]) == (1, 9)
    found = rows(
        database,
        "SELECT title, issued_edtf, url FROM sources WHERE external_id = 'zotero:CD4FGH8J'",
    )
    # A missing field does not erase the value.
    url = "https://www.example.com/business/lab-space?id=7&page=1"
    assert found == [("Another title", "2023-09-08", url)]


def test_actor_is_the_file_by_default(flask: Run, database: Database, write: Write) -> None:
    passage = {
        "external_id": "test:passage",
        "claim_external_id": CLAIM,
        "source_external_id": "hksz:shenzhen-daily-article",
        "stance": "mentions",
        "page": "7",
    }
    file = write("pässages.ndjson", ndjson([passage]))
    flask(file, "--resource", "evidence")
    other = write("other.ndjson", ndjson([passage | {"external_id": "test:other", "page": "8"}]))
    flask(other, "--resource", "evidence", "--actor", "desk")
    sql = "SELECT added_by FROM evidence WHERE external_id LIKE 'test:%' ORDER BY id"
    assert rows(database, sql) == [("import:pässages.ndjson",), ("desk",)]


def test_new_entity_with_an_existing_name_is_reported(
    flask: Run, database: Database, write: Write
) -> None:
    ((name, other),) = rows(
        database, "SELECT name, external_id FROM entities WHERE external_id = 'hksz:hkpc'"
    )
    items = [
        {"id": str(n), "type": "report", "title": f"Report {n}", "author": [{"literal": name}]}
        for n in range(2)
    ]
    file = write("reports.json", json.dumps(items))
    answer = flask(file)
    assert answer.output.count(f"({name}) has the same name as {other}; merge them") == 1
    assert counts(answer)["entities created"] == 1
    assert "merge them" not in flask(file).output


def test_merged_contributor_stays_merged(flask: Run, database: Database) -> None:
    flask(FILES / "zotero.json")
    sql = "SELECT id FROM entities WHERE external_id LIKE 'zotero:person/ka-wai-yeung-%'"
    ((id,),) = rows(database, sql)
    with writing(database) as session:
        merge(session, "entities", id, None, {"into_external_id": "hksz:tan-yifan"})
    answer = flask(FILES / "zotero.json")
    assert counts(answer)["unchanged"] == 10
    assert "entities created" not in answer.output


def documents(database: Database) -> list[dict]:
    found = []
    for name in reversed(list(WRITERS)):
        readable = RESOURCES[name]
        statement = document_statement(name, (*readable.fields, *readable.read_embeds))
        for (id,) in rows(database, f"SELECT id FROM {name} ORDER BY id DESC"):
            ((*_, text),) = database.read(statement, {"id": id})
            found.append({"resource": name, **json.loads(text)})
    return found


def names(database: Database) -> dict[str, set[str]]:
    return {
        name: {row[0] for row in rows(database, f"SELECT external_id FROM {name}")}
        for name in RESOURCES
    }


@pytest.mark.slow
def test_mixed_export_in_reverse_order_of_references(
    flask: Run, run_on: Callable[[Database], Run], fresh: Database, database: Database, write: Write
) -> None:
    file = write("all.ndjson", ndjson(documents(database)))
    elsewhere = run_on(fresh)
    first = elsewhere(file)
    assert first.exit_code == 0, first.output[:2000]
    assert names(fresh) == names(database)
    links = (
        "SELECT kind FROM entity_relations UNION ALL SELECT kind FROM claim_relations ORDER BY 1"
    )
    assert rows(fresh, links) == rows(database, links)
    second = elsewhere(file)
    assert counts(second)["unchanged"] == counts(second)["entries"]
    assert second.exit_code == 0
    here = flask(file)
    assert counts(here)["unchanged"] == counts(here)["entries"]


def test_claims_that_refer_to_each_other_are_written(
    flask: Run, database: Database, write: Write
) -> None:
    claimant = {"claimant_external_id": "hksz:hkpc"}
    one: dict = {"external_id": "test:one", "statement": "It is so.", **claimant}
    two: dict = {"external_id": "test:two", "statement": "It is not so.", **claimant}
    three: dict = {"external_id": "test:three", "statement": "Neither.", **claimant}
    one["relations"] = [{"kind": "contradicts", "to_external_id": "test:two"}]
    two["relations"] = [{"kind": "contradicts", "to_external_id": "test:one"}]
    three["relations"] = [
        {"kind": "contradicts", "to_external_id": "test:one"},
        {"kind": "refines", "to_external_id": "test:nowhere"},
    ]
    answer = flask(write("claims.ndjson", ndjson([one, two, three])), "--resource", "claims")
    assert (counts(answer)["created"], counts(answer)["failed"]) == (2, 1)
    assert "relations/1/to_external_id: There is no claim test:nowhere." in answer.output
    found = rows(
        database,
        "SELECT a.external_id, b.external_id FROM claim_relations JOIN claims a ON a.id = from_id"
        " JOIN claims b ON b.id = to_id WHERE a.external_id LIKE 'test:%' ORDER BY 1",
    )
    assert found == [("test:one", "test:two"), ("test:two", "test:one")]
    assert rows(database, "SELECT 1 FROM claims WHERE external_id = 'test:three'") == []


def test_claim_with_evidence_derived_from_other_evidence(
    flask: Run, database: Database, write: Write
) -> None:
    def passage(name: str, page: str, **more):
        source = {"source_external_id": "hksz:shenzhen-daily-article"}
        return {"external_id": name, "stance": "asserts", "page": page, **source, **more}

    claim = {
        "external_id": "test:claim",
        "statement": "It is so.",
        "claimant_external_id": "hksz:hkpc",
        "evidence": [
            passage("test:first", "1"),
            passage("test:second", "2", derived_from_external_id="test:first"),
        ],
    }
    file = write("claims.ndjson", ndjson([claim]))
    answer = flask(file, "--resource", "claims")
    assert answer.exit_code == 0
    assert counts(answer)["created"] == 1
    found = rows(
        database,
        "SELECT b.external_id FROM evidence a JOIN evidence b ON b.id = a.derived_from_id"
        " WHERE a.external_id = 'test:second'",
    )
    assert found == [("test:first",)]
    assert counts(flask(file, "--resource", "claims"))["unchanged"] == 1


def test_parts_without_external_ids_are_recognised(
    flask: Run, database: Database, write: Write
) -> None:
    figure = {k: v for k, v in FIGURE.items() if k != "claim_external_id"}
    claim = {"statement": "Sixty.", "claimant_external_id": "hksz:hkpc", "figures": [figure]}
    file = write("claims.ndjson", ndjson([claim]))
    for outcome in ("created", "unchanged"):
        assert counts(flask(file, "--resource", "claims"))[outcome] == 1
    assert len(rows(database, "SELECT 1 FROM figures WHERE as_stated = 'some sixty'")) == 1


def test_table_with_names_of_fields(flask: Run, database: Database, write: Write) -> None:
    header = ",".join(FIGURE)
    file = write("figures.csv", "\ufeff" + header + "\r\n" + ",".join(FIGURE.values()) + "\r\n")
    first = flask(file, "--resource", "figures")
    assert first.exit_code == 0
    sql = "SELECT as_stated, amount, comparator FROM figures WHERE external_id LIKE 'csv:row-%'"
    assert [tuple(map(str, row)) for row in rows(database, sql)] == [("some sixty", "60", "approx")]
    assert counts(flask(file, "--resource", "figures"))["unchanged"] == 1


def test_table_with_the_words_of_figures(flask: Run, database: Database, write: Write) -> None:
    constants = [f"--set={name}={FIGURE[name]}" for name in FIGURE if "external_id" in name]
    words = 'external_id,as_stated\ntest:row-1,"at least 1,200"\ntest:row-2,many\n'
    file = write("figures.csv", words)
    answer = flask(file, "--resource=figures", *constants)
    assert (
        "figures.csv:line 3: failed: as_stated: A number was expected at 'many'." in answer.output
    )
    sql = "SELECT comparator, amount::text, unit_code FROM figures WHERE external_id LIKE $1"
    assert rows(database, sql, "test:row-%") == [("ge", "1200", "1")]
    again = flask(file, "--resource=figures", *constants)
    assert counts(again)["unchanged"] == 1


def test_table_with_mapped_columns(flask: Run, database: Database, write: Write) -> None:
    constants = [f"--set={name}={FIGURE[name]}" for name in FIGURE if "external_id" in name]
    table = (
        "No;As printed;Amount = (k);How;Remark\n"
        '1;"12 ""units""";12.50;eq;x\n2;\'-3;3;eq;y\n3;many;many;eq;z\n'
    )
    file = write("figures.csv", table)
    arguments = [
        file,
        "--resource=figures",
        "--namespace=desk",
        *constants,
        "--set=unit_code=1",
        "--map=As printed=as_stated",
        "--map=Amount = (k)=amount",
        "--map=How=comparator",
    ]
    refused = flask(*arguments)
    assert refused.exit_code == 2
    assert "These columns are not fields of figures: No, Remark." in refused.output
    answer = flask(*arguments, "--skip=No", "--skip=Remark")
    assert answer.exit_code == 1
    assert "figures.csv:line 4: failed: amount: Must be a decimal number" in answer.output
    sql = "SELECT as_stated, amount::text FROM figures WHERE external_id LIKE 'desk:%' ORDER BY id"
    assert rows(database, sql) == [('12 "units"', "12.50"), ("-3", "3")]
    mapping = {
        "map": {"As printed": "as_stated", "Amount = (k)": "amount", "How": "comparator"},
        "set": {name: FIGURE[name] for name in FIGURE if "external_id" in name}
        | {"unit_code": "1"},
        "skip": ["No", "Remark"],
    }
    mapped = write("mapping.json", json.dumps(mapping))
    again = flask(file, "--resource=figures", "--namespace=desk", "--mapping", mapped)
    assert counts(again)["unchanged"] == 2


HEADER = ",".join(["external_id", *FIGURE, "period_edtf"])
ROW = ",".join(["test:a", *FIGURE.values(), "2023"])


@pytest.mark.parametrize(
    "content",
    [
        f"{HEADER},,\n{ROW},,\n",
        f"{HEADER}\n{ROW}\n".replace("some sixty", '"some\r\nsixty"'),
        f"{HEADER}\n{ROW}\n".replace("some sixty", '"some\tsixty"'),
        f"sep=;\n{HEADER}\n{ROW}\n".replace(",", ";"),
    ],
    ids=["blank columns", "line break", "tab", "sep"],
)
def test_tables_of_spreadsheets(flask: Run, database: Database, write: Write, content: str) -> None:
    file = write("figures.csv", content)
    for outcome in ("created", "unchanged"):
        answer = flask(file, "--resource=figures")
        assert answer.exit_code == 0
        assert (counts(answer)["entries"], counts(answer)[outcome]) == (1, 1)
    sql = "SELECT as_stated FROM figures WHERE external_id = 'test:a'"
    assert rows(database, sql) == [("some sixty",)]


def test_second_row_of_an_id_is_refused(flask: Run, database: Database, write: Write) -> None:
    file = write("figures.csv", f"{HEADER}\n{ROW}\n{ROW.replace('some', 'about')}\n")
    for outcome in ("created", "unchanged"):
        answer = flask(file, "--resource=figures")
        assert answer.exit_code == 1
        assert (counts(answer)[outcome], counts(answer)["failed"]) == (1, 1)
        detail = "external_id: The file has test:a twice, first at line 2."
        assert f"figures.csv:line 3: failed: {detail}" in answer.output
    sql = "SELECT as_stated FROM figures WHERE external_id = 'test:a'"
    assert rows(database, sql) == [("some sixty",)]


def test_every_row_is_in_the_report(flask: Run, database: Database, write: Write) -> None:
    table = (
        'external_id\tstatement\ntest:a\tThe first\ntest:b\t"We built 40,000 homes\n'
        'test:c\tThe budget "doubled" in a year\ntest:d\tThe last\n'
    )
    file = write("claims.tsv", table)
    arguments = ["--resource=claims", "--set=language=en", "--set=modality=opinion"]
    arguments.append("--set=claimant_external_id=hksz:tan-yifan")
    answer = flask(file, *arguments)
    assert (counts(answer)["entries"], counts(answer)["created"]) == (4, 3)
    assert "claims.tsv:line 3: failed: " in answer.output
    again = flask(file, *arguments, "--no-quotes")
    assert (counts(again)["unchanged"], counts(again)["created"]) == (3, 1)
    sql = "SELECT statement FROM claims WHERE external_id = 'test:b'"
    assert rows(database, sql) == [('"We built 40,000 homes',)]


def test_numbers_with_a_decimal_comma(flask: Run, database: Database, write: Write) -> None:
    table = f"{HEADER}\n{ROW}\n".replace(",", ";").replace(";60;", ";1.234,5;")
    file = write("figures.csv", table.encode("utf-16"))
    arguments = [file, "--resource=figures", "--encoding=utf-16"]
    assert "amount: Must be a decimal number" in flask(*arguments).output
    assert counts(flask(*arguments, "--decimal=,"))["created"] == 1
    sql = "SELECT amount::text FROM figures WHERE external_id = 'test:a'"
    assert rows(database, sql) == [("1234.5",)]


def test_libraries_of_other_programs(flask: Run, database: Database, write: Write) -> None:
    bib = (
        r"@article{one, title={See \href{https://example.org/annex}{the annex}}, year={2023-24}}"
        r"@article{, title={No key}, author={Sample, Ann and \O{}rsample, Bo and {others}}}"
        r"@misc{two, title={p {\textless} \pounds20}, doi={10.5555/a{\_}b}, month={FEB-MAR},"
        r" year={2019}}"
    )
    ris = "TI  - Before\nAU  - Innovation, Science and Sample Bureau\nTY  - JOUR\nER  - \n"
    items = [{"type": "book", "title": "<i>N</i>-fold", "issued": [{"date-parts": [2006, 5]}]}]
    files = [write("a.bib", bib), write("a.ris", ris), write("a.json", json.dumps(items))]
    for outcome in ("created", "unchanged"):
        answers = [flask(file, "--namespace=test") for file in files]
        assert [answer.exit_code for answer in answers] == [0, 0, 0]
        assert [counts(answer)[outcome] for answer in answers] == [3, 1, 1]
    sql = "SELECT title, doi, issued_edtf FROM sources WHERE external_id LIKE 'test:%'"
    assert set(rows(database, sql)) == {
        ("Before", None, None),
        ("N-fold", None, "2006-05"),
        ("No key", None, None),
        ("p < £20", "10.5555/a_b", "2019-02/2019-03"),
        ("See the annex", None, "2023/2024"),
    }
    sql = "SELECT name, kind FROM entities WHERE external_id LIKE 'test:%'"
    assert set(rows(database, sql)) == {
        ("Ann Sample", "person"),
        ("Bo Ørsample", "person"),
        ("Innovation, Science and Sample Bureau", "organisation"),
    }


def test_exported_table_changes_nothing(flask: Run, database: Database, write: Write) -> None:
    ((name, id, claim, metric, subject),) = rows(
        database,
        "SELECT f.external_id, f.id::text, claim_id::text, metric_id::text, subject_id::text"
        " FROM figures f JOIN claims c ON c.id = claim_id WHERE c.external_id = $1 LIMIT 1",
        CLAIM,
    )
    row = {
        "id": id,
        "external_id": name,
        "claim_id": claim,
        "claim_external_id": CLAIM,
        "claim_statement": "What it says",
        "metric_id": metric,
        "metric_key": "ttps-approved",
        "subject_id": subject,
        "subject": "Its name",
        "as_stated": "over 47,000",
        "amount": "47000",
        "value_range_lower": "47000",
        "range_rule": "exact",
        "period_edtf": "2023",
        "period_earliest": "2023-01-01",
        "version": "1",
        "created_at": "2024-01-01T00:00:00.000000Z",
    }
    text = ",".join(row) + "\n" + ",".join(f'"{value}"' for value in row.values()) + "\n"
    assert counts(flask(write("figures.csv", text), "--resource=figures"))["unchanged"] == 1
    nameless = {**row, "external_id": ""}
    text = ",".join(row) + "\n" + ",".join(f'"{value}"' for value in nameless.values()) + "\n"
    answer = flask(write("figures.csv", text), "--resource=figures")
    assert f"ignored, exists as {name}" in answer.output


def test_table_of_evidence_with_locators(flask: Run, database: Database, write: Write) -> None:
    sha256 = "0" * 64
    row = {
        "external_id": "test:passage",
        "claim_external_id": CLAIM,
        "source_external_id": "hksz:shenzhen-daily-article",
        "stance": "asserts",
        "start_char": "10",
        "end_char": "20",
        "exact_sha256": sha256,
        "prefix_sha256": sha256,
        "suffix_sha256": sha256,
    }
    file = write("evidence.tsv", "\t".join(row) + "\n" + "\t".join(row.values()) + "\n\n")
    answer = flask(file, "--resource", "evidence")
    assert answer.exit_code == 0
    sql = "SELECT start_char, end_char FROM evidence WHERE external_id = 'test:passage'"
    assert rows(database, sql) == [(10, 20)]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("a.txt", [], "--format"),
        ("a.csv", [], "--resource"),
        ("a.csv", ["--resource", "entities"], "can hold "),
        ("a.bib", ["--resource", "claims"], "can hold sources"),
        ("a.bib", ["--map", "a=b"], "no columns"),
        ("a.ris", ["--skip", "a"], "--skip does not apply"),
        ("a.json", ["--namespace", "My Library"], "namespace"),
        ("a.csv", ["--resource=figures", "--map", "amount"], "--map"),
        ("a.csv", ["--resource=figures", "--set", "=a"], "--set"),
        ("a.csv", ["--resource=figures", "--delimiter", "::"], "--delimiter"),
        ("a.csv", ["--resource=figures", "--encoding", "hex"], "encoding"),
        ("a.json", ["--encoding", "utf-99"], "encoding"),
        ("a.csv", ["--resource=figures", "--map", "b=amount"], "no such columns: b"),
        ("a.csv", ["--resource=figures", "--set", "b=1"], "Not fields of figures: b"),
        ("a.csv", ["--resource=figures", "--set", "amount=1"], "more than one column: amount"),
        ("nowhere.csv", ["--resource=figures"], "does not exist"),
    ],
)
def test_wrong_options_are_an_error(
    flask: Run, write: Write, name: str, arguments: list[str], message: str
) -> None:
    file = write(name, "amount\n1\n") if name.startswith("a.") else name
    answer = flask(file, *arguments)
    assert answer.exit_code == 2
    assert message in answer.output


@pytest.mark.parametrize(
    "content", ["[", "[]", '{"map": 1}', '{"map": {"a": 1}}', '{"columns": {}}', "\0", "[" * 9000]
)
def test_broken_mapping_is_an_error(flask: Run, write: Write, content: str) -> None:
    mapping = write("mapping.json", content)
    answer = flask(write("a.csv", "amount\n1\n"), "--resource=figures", "--mapping", mapping)
    assert answer.exit_code == 2
    assert "mapping.json" in answer.output


def test_unreachable_database_is_an_error(run_on: Callable[[Database], Run], write: Write) -> None:
    gone = Database(lambda: "postgresql://nobody@127.0.0.1:1/nothing")
    answer = run_on(gone)(write("units.ndjson", ndjson(UNITS)), "--resource", "units")
    assert answer.exit_code == 2
    assert "The database does not answer. The import stopped after line 3" in answer.output
    assert len(answer.output.splitlines()) == 1


def test_one_file_for_each_resource_copies_the_database(
    run_on: Callable[[Database], Run], fresh: Database, database: Database, write: Write
) -> None:
    elsewhere = run_on(fresh)
    found: dict[str, list] = {}
    for document in documents(database):
        found.setdefault(document.pop("resource"), []).append(document)
    files = {name: write(f"{name}.ndjson", ndjson(rows)) for name, rows in found.items()}
    wholes = [name for name in WRITERS if name not in WRITERS["claims"].parts]
    for name in (*wholes, "entities"):
        first = name == "entities" and not rows(fresh, "SELECT 1 FROM entities LIMIT 1")
        skipped = ["--skip=relations"] if first else []
        assert elsewhere(files[name], "--resource", name, *skipped).exit_code == 0
    assert names(fresh) == names(database)


def test_the_help_lists_the_formats(flask: Run) -> None:
    lines = flask("--help").output.splitlines()
    assert [line.split()[0] for line in lines if re.match(r"  [a-z]\S+   +[.\w]", line)] == [
        *("csl-json", "bibtex", "ris", "csv", "ndjson", "claimreview", "web-annotation")
    ]


FACT_CHECK: dict[str, Any] = {
    "@type": "ClaimReview",
    "url": "https://facts.example/ferries",
    "name": "Fact check: ferries",
    "claimReviewed": "All ferries stopped in March.",
    "author": {"@type": "Organization", "name": "Example Facts"},
    "reviewRating": {"alternateName": "False"},
    "itemReviewed": {"@type": "Claim", "author": {"name": "A page"}},
}
RATED = """
    SELECT s.external_id, s.url, c.statement, c.status, e.stance, e.status, e.rating_as_stated
    FROM evidence e JOIN claims c ON c.id = e.claim_id JOIN sources s ON s.id = e.source_id
    WHERE e.rating_as_stated IS NOT NULL
"""


def test_fact_checks_become_claims_sources_and_evidence(
    flask: Run, database: Database, write: Write
) -> None:
    path = write("feed.claimreview.jsonld", json.dumps({"@graph": [FACT_CHECK]}))
    dry = flask(path, "--dry-run")
    assert [line.partition("jsonld:")[2] for line in dry.output.splitlines()[:3]] == [
        "record 1 (source at #/@graph/0): created",
        "record 1 (claim at #/@graph/0): created",
        "record 1 (evidence at #/@graph/0): created",
    ]
    assert dry.output.splitlines()[-1] == "Nothing was written."
    assert rows(database, RATED) == []
    assert counts(flask(path))["created"] == 3
    ((_, *found),) = rows(database, RATED)
    assert found == [
        FACT_CHECK["url"],
        FACT_CHECK["claimReviewed"],
        *("submitted", "disputes", "submitted", "False"),
    ]
    assert counts(flask(path))["unchanged"] == 3


def test_evidence_of_a_page_that_is_known_refers_to_it(
    flask: Run, database: Database, write: Write
) -> None:
    known = {
        "resource": "sources",
        "external_id": "test:ferries",
        "csl_type": "webpage",
        "title": "Ferries",
        "url": "http://www.facts.example/ferries/",
    }
    assert flask(write("known.ndjson", ndjson([known]))).exit_code == 0
    path = write("feed.claimreview.jsonld", json.dumps(FACT_CHECK))
    for outcome in ("created", "unchanged"):
        answer = flask(path)
        assert "record 1 (source at #): ignored, exists as test:ferries" in answer.output
        assert counts(answer)[outcome] == 2
        ((source, *_),) = rows(database, RATED)
        assert source == "test:ferries"


def test_a_refused_fact_check_is_named_with_its_place(flask: Run, write: Write) -> None:
    feed = [
        {**FACT_CHECK, "claimReviewed": 0.5},
        {"@type": "ClaimReview", "url": "https://x.example/"},
    ]
    answer = flask(write("feed.json", json.dumps(feed)), "--format", "claimreview")
    assert answer.exit_code == 1
    assert "record 2 (claim at #/1): failed: 1/claimReviewed: A fact check needs the claim." in (
        answer.output
    )
    assert counts(answer)["created"] == 3


def test_a_file_of_fact_checks_holds_several_resources(flask: Run, write: Write) -> None:
    path = write("feed.claimreview.jsonld", json.dumps(FACT_CHECK))
    answer = flask(path, "--resource", "claims")
    assert answer.exit_code == 2
    assert "holds sources, claims, evidence; --resource does not apply" in answer.output


ANNOTATION = {
    "id": "kLm3-XyZ_w0",
    "user": "acct:someone@annotations.example",
    "uri": "https://news.example/scheme",
    "text": "The board's own number.",
    "target": [
        {
            "selector": [
                {"type": "TextPositionSelector", "start": 40, "end": 46},
                {"type": "TextQuoteSelector", "exact": "47,000", "prefix": "x" * 32},
            ]
        }
    ],
    "document": {"title": ["A scheme and its numbers"]},
}
LOCATED = "SELECT stance, start_char, end_char, note FROM evidence WHERE external_id LIKE 'web-%'"


def test_annotations_become_evidence(flask: Run, database: Database, write: Write) -> None:
    path = write("notes.annotations.jsonld", json.dumps({"rows": [ANNOTATION]}))
    refused = flask(path)
    assert refused.exit_code == 1
    assert "record 1 (evidence at #/rows/0): failed: rows/0: It names no claim" in refused.output
    chosen = (f"--set=claim_external_id={CLAIM}", "--set=stance=supports")
    assert "record 1 (evidence at #/rows/0): created" in flask(path, *chosen, "--dry-run").output
    assert rows(database, LOCATED) == []
    assert counts(flask(path, *chosen))["created"] == 2
    assert rows(database, LOCATED) == [("supports", 40, 46, ANNOTATION["text"])]
    assert counts(flask(path, *chosen))["unchanged"] == 2


@pytest.mark.parametrize(
    ("constant", "fault"),
    [
        ("--set=claim_external_id=hksz:nothing", "hksz:nothing"),
        ("--set=stance=agrees", "stance: Must be one of: asserts, supports, disputes, mentions."),
        ("--set=note=x", "has no columns to map"),
    ],
)
def test_what_is_set_for_annotations_is_checked(
    flask: Run, write: Write, constant: str, fault: str
) -> None:
    tagged = {**ANNOTATION, "tags": [] if "claim" in constant else [f"claim:{CLAIM}"]}
    answer = flask(write("notes.annotations.jsonld", json.dumps([tagged])), constant)
    assert answer.exit_code in {1, 2}
    assert fault in answer.output


@pytest.mark.parametrize(
    ("tags", "members", "fault"),
    [
        (["claim:hksz:nothing"], {}, "on no claim that exists: hksz:nothing."),
        (["claim:not a name"], {}, "rows/0/claim_external_id: Must be a namespace"),
        ([f"claim:{CLAIM}", "stance:agrees"], {}, "rows/0/stance: Must be one of: asserts, supp"),
        ([f"claim:{CLAIM}"], {"text": "\0"}, "rows/0/note: Character U+0000"),
        ([], {"body": "urn:uuid:01a21b04-4afb-774a-842b-71ec8ee1424d"}, "on no claim that exists"),
    ],
)
def test_a_refused_annotation_leaves_nothing_behind(
    flask: Run, database: Database, write: Write, tags: list[str], members: Any, fault: str
) -> None:
    row = {**ANNOTATION, "uri": "https://news.example/refused", "tags": tags, **members}
    answer = flask(write("notes.annotations.jsonld", json.dumps({"rows": [row]})))
    assert answer.exit_code == 1
    assert fault in answer.output
    assert counts(answer)["entries"] == counts(answer)["failed"]
    assert rows(database, "SELECT count(*) FROM sources WHERE url = $1", row["uri"]) == [(0,)]


def test_a_source_is_kept_if_one_claim_of_its_evidence_exists(
    flask: Run, database: Database, write: Write
) -> None:
    tags = [f"claim:{CLAIM}", "claim:hksz:nothing"]
    row: dict[str, Any] = {**ANNOTATION, "uri": "https://news.example/one-claim", "tags": tags}
    answer = flask(write("notes.annotations.jsonld", json.dumps({"rows": [row]})))
    assert (counts(answer)["created"], counts(answer)["failed"]) == (2, 1)
    written = rows(database, "SELECT count(*) FROM sources WHERE url = $1", row["uri"])
    assert written == [(1,)]


def test_a_refused_fact_check_leaves_nothing_behind(
    flask: Run, database: Database, write: Write
) -> None:
    check = {**FACT_CHECK, "url": "https://facts.example/long", "claimReviewed": "x " * 5000}
    answer = flask(write("feed.claimreview.jsonld", json.dumps(check)))
    assert counts(answer)["entries"] == counts(answer)["failed"] == 2
    assert rows(database, "SELECT count(*) FROM sources WHERE url = $1", check["url"]) == [(0,)]


@pytest.mark.parametrize("form", ["claimreview", "web-annotation"])
def test_hostile_records_show_no_traceback(flask: Run, write: Write, form: str) -> None:
    texts = ["\0", "\ud800", "x" * 10_000, "<p>", "https://[", "\u202e"]
    reviews = [
        {**FACT_CHECK, member: text}
        for member in ("claimReviewed", "name", "url", "author", "reviewRating", "itemReviewed")
        for text in texts
    ]
    notes = [
        {**ANNOTATION, "tags": [f"claim:{CLAIM}"], member: text}
        for member in ("id", "uri", "text", "target", "document", "tags")
        for text in texts
    ]
    answer = flask(write("a.json", json.dumps([*reviews, *notes])), "--format", form)
    assert counts(answer)["failed"] > 0
    assert counts(answer)["created"] > 0


def exported(database: Database, form: str) -> bytes:
    return b"".join(export(database, read_export("claims", [("format", form)])))


def test_exported_fact_checks_are_found_again(
    run_on: Callable[[Database], Run], fresh: Database, write: Write
) -> None:
    flask = run_on(fresh)
    appearance = {"appearance": "https://posts.example/1"}
    check = {**FACT_CHECK, "itemReviewed": {**FACT_CHECK["itemReviewed"], **appearance}}
    assert counts(flask(write("feed.claimreview.jsonld", json.dumps(check))))["created"] == 5
    for table in ("claims", "evidence"):
        rows(fresh, f"UPDATE {table} SET status = 'accepted' RETURNING 1")
    path = write("again.claimreview.jsonld", exported(fresh, "claimreview"))
    before = documents(fresh)
    again = flask(path)
    assert again.exit_code == 0
    assert counts(again)["entries"] == counts(again)["unchanged"] + counts(again)["ignored"] == 5
    assert documents(fresh) == before


def test_exported_annotations_are_found_again(flask: Run, database: Database, write: Write) -> None:
    path = write("all.annotations.jsonld", exported(database, "web-annotation"))
    before = rows(database, ALL)
    answer = flask(path)
    assert answer.exit_code == 0
    assert counts(answer)["entries"] == counts(answer)["ignored"] > 0
    assert rows(database, ALL) == before
