"""Imports in batches: crashes, transactions and references to later entries."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hksz_db.database import Database, run
from hksz_db.domain.errors import Fault, Unavailable
from hksz_db.domain.vocabulary import BulkMode
from hksz_db.exchange import importing
from hksz_db.exchange.importing import Report, import_entries
from hksz_db.exchange.readers.entries import ImportEntry
from tests.conftest import MakeDatabase

UPSERT = BulkMode.UPSERT


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MAX_BATCH", 3)


def entity(number: int, **fields: Any) -> ImportEntry:
    name = {"name": f"Firm {number}", "language": "en", "kind": "preferred"}
    item = {"external_id": f"test:{number}", "kind": "organisation", "names": [name], **fields}
    return ImportEntry(number, "entities", item)


def source(number: int, **fields: Any) -> ImportEntry:
    item = {"external_id": f"test:{number}", "csl_type": "report", "title": "A", **fields}
    return ImportEntry(number, "sources", item)


def written(database: Database) -> list[str]:
    sql = "SELECT external_id FROM entities WHERE external_id LIKE 'test:%' ORDER BY id"
    with database.transaction() as session:
        return [name for (name,) in run(session, sql)]


def outcomes(reports: list[Report]) -> list[str]:
    return [str(report.outcome) for report in reports]


def crashing(number: int) -> Iterator[ImportEntry]:
    yield from map(entity, range(1, number + 1))
    raise Unavailable("The power failed.")


def test_import_can_be_repeated_after_a_crash(database: Database) -> None:
    reports = import_entries(database, crashing(8), UPSERT, "import:a")
    seen: list[Report] = []
    with pytest.raises(Unavailable):
        seen.extend(reports)
    # The third batch was being read.
    assert written(database) == [f"test:{n}" for n in range(1, 7)]
    whole = list(import_entries(database, map(entity, range(1, 10)), UPSERT, "import:a"))
    assert outcomes(whole) == ["unchanged"] * 6 + ["created"] * 3
    assert written(database) == [f"test:{n}" for n in range(1, 10)]


def test_crash_rolls_an_atomic_import_back(database: Database) -> None:
    with pytest.raises(Unavailable):
        list(import_entries(database, crashing(8), UPSERT, "import:a", atomic=True))
    assert written(database) == []


def test_closing_the_reports_rolls_an_atomic_import_back(database: Database) -> None:
    reports = import_entries(database, map(entity, range(1, 9)), UPSERT, "import:a", atomic=True)
    assert next(reports).entry.number == 1
    reports.close()
    assert written(database) == []


@pytest.mark.parametrize("options", [{"dry_run": True}, {"atomic": True}])
def test_failed_entry_rolls_an_atomic_import_back(
    database: Database, options: dict[str, Any]
) -> None:
    entries = [*map(entity, range(1, 8)), entity(8, kind="galaxy")]
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a", **options))
    assert outcomes(reports) == ["created"] * 7 + ["failed"]
    assert written(database) == []


def test_entries_are_read_lazily(database: Database) -> None:
    read: list[int] = []

    def entries() -> Iterator[ImportEntry]:
        for number in range(1, 20):
            read.append(number)
            yield entity(number)

    reports = import_entries(database, entries(), UPSERT, "import:a")
    next(reports)
    # At most a batch, the next one, and the first entry of the one after that.
    assert len(read) <= 7
    assert len(list(reports)) == 18


def test_large_entries_make_small_batches(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_MAX_BATCH_CHARS", 100)
    read: list[int] = []

    def entries() -> Iterator[ImportEntry]:
        for number in range(1, 9):
            read.append(number)
            made = entity(number)
            yield ImportEntry(number, "entities", made.item, size=90)

    reports = import_entries(database, entries(), UPSERT, "import:a")
    next(reports)
    assert len(read) <= 3
    reports.close()


def test_repeated_external_id_updates_the_row(database: Database) -> None:
    entries = [entity(1), entity(1, kind="facility"), entity(1, kind="facility")]
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a"))
    assert outcomes(reports) == ["created", "updated", "unchanged"]


def test_repeated_doi_is_the_same_source(database: Database) -> None:
    entries = [source(1, doi="10.5555/a"), source(2, doi="10.5555/A"), source(3)]
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a"))
    assert outcomes(reports) == ["created", "ignored", "created"]
    assert reports[1].matched == "test:1"


def test_deleted_source_with_the_doi_is_reported(database: Database) -> None:
    list(import_entries(database, iter([source(1, doi="10.5555/a")]), UPSERT, "import:a"))
    with database.transaction() as session:
        run(session, "UPDATE sources SET deleted_at = now()")
    (report,) = import_entries(database, iter([source(2, doi="10.5555/a")]), UPSERT, "import:a")
    assert (report.outcome, report.matched) == ("ignored", "test:1, which was deleted")


def test_unreadable_entry_is_reported_in_its_place(database: Database) -> None:
    fault = Fault("invalid", "It is broken.", "#")
    entries = [entity(1), ImportEntry(2, "entities", faults=(fault,)), entity(3)]
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a"))
    assert outcomes(reports) == ["created", "failed", "created"]
    assert reports[1].faults == (fault,)


@pytest.mark.parametrize("name", [None, 7, "", "no namespace", "test:\0", "test:\ud800", "x" * 300])
def test_wrong_external_id_is_a_fault(database: Database, name: str | int | None) -> None:
    entries = iter([entity(1, external_id=name)])
    (report,) = import_entries(database, entries, UPSERT, "import:a")
    assert [fault.pointer for fault in report.faults] == ["#/external_id"]


def test_no_entity_is_created_for_an_invalid_source(database: Database) -> None:
    made: Any = entity(1).item
    contributors = [{"entity_external_id": "test:1", "role": "author"}]
    good = source(2, contributors=contributors)
    bad = source(3, contributors=contributors, csl_type="galaxy")
    (report,) = import_entries(
        database, iter([ImportEntry(3, "sources", bad.item, entities=(made,))]), UPSERT, "import:a"
    )
    assert [fault.pointer for fault in report.faults] == ["#/csl_type"]
    assert written(database) == []
    entries = [ImportEntry(2, "sources", good.item, entities=(made,))] * 2
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a"))
    assert outcomes(reports) == ["created", "unchanged"]
    assert [report.entities for report in reports] == [1, 0]


def related(number: int, *others: int) -> ImportEntry:
    return entity(
        number,
        relations=[{"kind": "partner_of", "object_external_id": f"test:{n}"} for n in others],
    )


@pytest.mark.parametrize("options", [{}, {"atomic": True}])
def test_entries_are_written_after_those_they_refer_to(
    database: Database, options: dict[str, Any]
) -> None:
    # A chain in reverse order over several batches.
    entries = [related(n, n + 1) for n in range(1, 8)] + [entity(8)]
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a", **options))
    assert outcomes(reports) == ["created"] * 8
    assert sorted(written(database)) == [f"test:{n}" for n in range(1, 9)]


def test_cycles_are_written_and_dangling_references_fail(database: Database) -> None:
    entries = [related(1, 2), related(2, 3), related(3, 1), related(4, 1), related(5, 4, 99)]
    reports = list(import_entries(database, iter(entries), UPSERT, "import:a"))
    by_number = {report.entry.number: report for report in reports}
    assert {n: str(report.outcome) for n, report in by_number.items()} == {
        **dict.fromkeys((1, 2, 3, 4), "created"),
        5: "failed",
    }
    (fault,) = by_number[5].faults
    assert fault.pointer == "#/relations/1/object_external_id"
    assert sorted(written(database)) == ["test:1", "test:2", "test:3", "test:4"]
    with database.transaction() as session:
        assert run(session, "SELECT count(*) FROM entity_relations") == [(4,)]
    again = list(import_entries(database, iter(entries[:4]), UPSERT, "import:a"))
    assert outcomes(again) == ["unchanged"] * 4


def test_deferred_entry_can_fail_for_another_reason(database: Database) -> None:
    bad = related(1, 2)
    identifiers = [{"scheme": "wikidata", "value": "Q1"}] * 2
    bad = replace(bad, item={**(bad.item or {}), "identifiers": identifiers})
    reports = list(import_entries(database, iter([bad, entity(2)]), UPSERT, "import:a"))
    by_number = {report.entry.number: str(report.outcome) for report in reports}
    assert by_number == {1: "failed", 2: "created"}


def test_each_batch_is_committed(make_database: MakeDatabase) -> None:
    """A second connection sees the committed batches while the import runs."""
    with make_database() as url:
        writer, reader = Database(lambda: url), Database(lambda: url)
        reports = import_entries(writer, map(entity, range(1, 9)), UPSERT, "import:a")
        next(reports)
        assert len(written(reader)) == 3
        assert len(list(reports)) == 7
        assert len(written(reader)) == 8
        writer.close()
        reader.close()
