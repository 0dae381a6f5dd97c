"""Whatever is written, by whatever way: each document that reads otherwise has an entry for it."""

import json
import random
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hksz_db.chronology import parse
from hksz_db.database import Database, prepare, run
from hksz_db.errors import DomainError
from hksz_db.feed import BEGINNING, Feed, Page, Position
from hksz_db.models.history import KEPT
from hksz_db.queries.documents import First, Group, Many, Node, One, Values
from hksz_db.queries.pages import RESOURCES, as_json
from hksz_db.queries.resources import Readable
from hksz_db.queries.shown import PARTS, SHOWN
from hksz_db.services import claims, entities, lifecycle, merging, metrics, sources, units
from hksz_db.services.violations import translate
from hksz_db.services.writing import writing

STEPS = 500
Documents = dict[tuple[str, UUID], bytes]


def all_documents() -> dict[str, Any]:
    """For each resource the statement that gives all documents, as a read by id has them."""
    found = {}
    for name, readable in RESOURCES.items():
        fields = (*readable.fields, *readable.read_embeds)
        table = readable.table
        live = table.c.deleted_at.is_(None)
        found[name] = prepare(select(table.c.id, as_json(readable, fields)).where(live))
    return found


ALL = all_documents()


def documents(database: Database) -> Documents:
    return {
        (name, id): document
        for name, statement in ALL.items()
        for id, document in database.read(statement, {})
    }


def entries(page: Page) -> list[dict[str, Any]]:
    return [json.loads(line) for line in page.entries.splitlines()]


def key(entry: dict[str, Any]) -> tuple[str, UUID]:
    return entry["resource"], UUID(entry["id"])


def name(text: str) -> dict[str, str]:
    return {"name": text, "language": "en", "kind": "preferred"}


def populate(session: Session) -> None:
    """A small world in which everything refers to everything that it can refer to."""
    units.create(session, {"code": "1", "label": "one"})
    units.create(session, {"code": "HKD", "label": "dollar"})
    for n in range(2):
        made = {"key": f"metric-{n}", "label": f"Metric {n}", "dimension": "count"}
        metrics.create(session, {**made, "accumulation": "flow", "nonnegative": True})
    people = [
        entities.create(
            session,
            {
                "kind": ("organisation", "organisation", "place")[n % 3],
                "names": [name(f"Body {n}"), {**name(f"B{n}"), "kind": "alias"}],
                "identifiers": [{"scheme": "wikidata", "value": f"Q{n}"}],
            },
        )
        for n in range(5)
    ]
    works: list[UUID] = []
    for n in range(6):
        relations = [{"kind": "copy_of", "to_id": work} for work in works[-1:]]
        if n == 5:
            relations.append({"kind": "quotes", "to_id": works[0]})
        made = {
            "csl_type": ("report", "webpage")[n % 2],
            "title": f"Work {n}",
            "issued_edtf": parse(f"202{n}"),
            "contributors": [{"entity_id": people[n % 5], "role": "author"}],
            "captures": [{"normalization": "nfc-ws1", "char_length": 9, "text_sha256": f"{n:064}"}],
            "relations": relations if n in {1, 3, 5} else [],
        }
        works.append(sources.create(session, made))
    ((first,), (second,)) = run(session, "SELECT id FROM metrics ORDER BY id")
    said: list[UUID] = []
    passages: list[UUID] = []
    for n in range(6):
        made = {
            "statement": f"Statement {n}.",
            "language": "en",
            "modality": ("planned", "actual")[n % 2],
            "status": ("submitted", "accepted")[n % 2],
            "claimant_id": people[n % 5],
            "reported_by_id": people[(n + 1) % 5],
            "time_relative": {"anchor_id": works[n], "duration": "-P1Y", "modifier": None},
            "due_relative": {"anchor_id": works[5 - n], "duration": "P1Y", "modifier": None},
            "topics": [f"topic-{n}"],
            "entities": [{"entity_id": people[(n + 2) % 5], "role": "subject"}],
            "relations": [{"kind": "refines", "to_id": said[-1]}] if said else [],
            "figures": [
                {
                    "metric_id": (first, second)[n % 2],
                    "subject_id": people[(n + 3) % 5],
                    "as_stated": "some",
                    "comparator": "eq",
                    "amount": Decimal(n),
                    "unit_code": "1",
                    "period_relative": {
                        "anchor_id": works[n],
                        "duration": "-P1Y",
                        "modifier": None,
                    },
                }
            ],
            "evidence": [
                {
                    "source_id": works[(n + shift) % 6],
                    "stance": stance,
                    **({"derived_from_id": passages[n - 1]} if passages and not shift else {}),
                }
                for shift, stance in enumerate(("asserts", "supports", "disputes"))
            ],
        }
        said.append(claims.create(session, made))
        sql = "SELECT id FROM evidence WHERE claim_id = $1 AND stance = 'asserts'"
        passages.append(run(session, sql, said[-1])[0][0])
    for n, person in enumerate(people):
        other = {"kind": "partner_of", "object_id": people[(n + 1) % 5], "claim_id": said[n]}
        entities.update(session, person, None, {"relations": [other]})


# What belongs to a document, the row itself first.
TABLES = [table for table, (resource, _) in KEPT.items() if resource]
KEYED = {"corroborations": "claim_id"}


def columns(database: Database) -> dict[str, dict[str, str]]:
    """The columns that somebody at the database can set, with their types."""
    with database.transaction() as session:
        rows = run(
            session,
            "SELECT relname::text, attname::text, format_type(atttypid, atttypmod)"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attname <> 'written_in'",
        )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        if table in TABLES:
            found.setdefault(table, {})[column] = kind
    return found


class Somebody:
    """Who writes at random, by the services and at the database itself."""

    def __init__(self, database: Database, seed: int) -> None:
        self.random = random.Random(seed)
        self.columns = columns(database)
        self.number = 0

    def write(self, session: Session) -> None:
        """One to three deeds; what is refused leaves nothing."""
        for _ in range(self.random.choice((1, 1, 2, 3))):
            deed = self.random.choices(
                (self._set, self._copy, self._remove, self._delete, self._restore, self._merge),
                weights=(12, 3, 1, 1, 3, 1),
            )[0]
            with session.begin_nested() as attempt:
                try:
                    deed(session)
                except DomainError:
                    attempt.rollback()
                except psycopg.Error as error:
                    assert translate(error) is not None or error.sqlstate[:2] in {"22", "23"}, error
                    attempt.rollback()

    def _row(self, session: Session, table: str) -> UUID:
        rows = run(session, f"SELECT {KEYED.get(table, 'id')} FROM {table} ORDER BY 1")
        return self.random.choice(rows)[0] if rows else UUID(int=0)

    def _set(self, session: Session) -> None:
        """Give one column of one row a new value, or that of another row, or none."""
        table = self.random.choice(TABLES)
        column = self.random.choice(sorted(self.columns[table].keys() - {"id"}))
        if self.random.random() < 0.4:
            table, shown = self.random.choice(list(SHOWN.values()))
            column = self.random.choice(shown)
        key = KEYED.get(table, "id")
        self.number += 1
        value = f"(SELECT {column} FROM {table} WHERE {key} = $2)"
        if self.columns[table][column] == "text" and self.random.random() < 0.7:
            text = f"'ex:{self.number}'" if column == "external_id" else f"'New {self.number}'"
            value = f"COALESCE({text}, $2::text)"
        elif column in {"deleted_at", "retracted_at"}:
            value = f"CASE WHEN {column} IS NULL AND $2 IS NOT NULL THEN now() END"
        sql = f"UPDATE {table} SET {column} = {value} WHERE {key} = $1"
        run(session, sql, self._row(session, table), self._row(session, table))
        if (table, column) == ("entities", "name"):
            sql = "INSERT INTO entity_names (entity_id, name, language, kind)"
            run(
                session,
                f"{sql} SELECT id, name, name_language, 'alias' FROM entities"
                " ON CONFLICT DO NOTHING",
            )
        run(session, "SET CONSTRAINTS entities_id_name_name_language_fkey IMMEDIATE")

    def _copy(self, session: Session) -> None:
        """A row as another, but for its keys."""
        table = self.random.choice([table for table in TABLES if table not in KEYED])
        plain = [c for c in self.columns[table] if c not in {"id", "external_id", "doi"}]
        listed = ", ".join(plain)
        changed = ", ".join(
            f"(SELECT {c} FROM {table} WHERE id = $2)" if self.random.random() < 0.3 else c
            for c in plain
        )
        sql = f"INSERT INTO {table} ({listed}) SELECT {changed} FROM {table} WHERE id = $1"
        run(session, sql, self._row(session, table), self._row(session, table))
        run(session, "SET CONSTRAINTS entities_id_name_name_language_fkey IMMEDIATE")

    def _remove(self, session: Session) -> None:
        table = self.random.choice(TABLES)
        key = KEYED.get(table, "id")
        run(session, f"DELETE FROM {table} WHERE {key} = $1", self._row(session, table))
        run(session, "SET CONSTRAINTS entities_id_name_name_language_fkey IMMEDIATE")

    def _delete(self, session: Session) -> None:
        resource = self.random.choice(list(RESOURCES))
        lifecycle.delete(session, resource, self._row(session, resource), None)

    def _restore(self, session: Session) -> None:
        resource = self.random.choice(list(RESOURCES))
        sql = f"SELECT id FROM {resource} WHERE deleted_at IS NOT NULL ORDER BY id"
        for (id,) in run(session, sql):
            lifecycle.restore(session, resource, id, None)

    def _merge(self, session: Session) -> None:
        one, other = (self._row(session, "entities") for _ in range(2))
        if self.random.random() < 0.5:
            merging.merge(session, one, None, {"into_id": other})
            return
        for (id,) in run(session, "SELECT id FROM entities WHERE redirect_to IS NOT NULL"):
            merging.undo(session, id, None)


@pytest.fixture
def world(make_database) -> Iterator[Database]:
    with make_database() as url:
        database = Database(lambda: url)
        with writing(database) as session:
            populate(session)
        yield database
        database.close()


class Mirror:
    """What somebody holds who takes up every entry."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.position: Position = BEGINNING
        self.held: dict[tuple[str, UUID], Any] = {}
        self.seen: set[tuple[str, str, str]] = set()

    def read(self, per_page: int) -> bool:
        """Take up a page; whether more follow."""
        page = self.feed.after(self.position, per_page, "\n")
        for entry in entries(page):
            once = (entry["transaction"], entry["resource"], entry["id"])
            assert once not in self.seen
            self.seen.add(once)
            if entry["document"] is None:
                self.held.pop(key(entry), None)
            else:
                self.held[key(entry)] = entry["document"]
        self.position = page.position
        return not page.caught_up


def parsed(held: Documents) -> dict[tuple[str, UUID], Any]:
    return {key: json.loads(document) for key, document in held.items()}


@pytest.mark.parametrize("seed", range(2))
def test_each_document_that_reads_otherwise_has_an_entry(world: Database, seed: int) -> None:
    somebody = Somebody(world, seed)
    feed = Feed(world)
    lagging, dice = Mirror(feed), random.Random(seed)
    mirror = Mirror(feed)
    while mirror.read(100):
        pass
    position, before = mirror.position, documents(world)
    assert mirror.held == parsed(before)
    changed_in_all = entries_in_all = 0
    for _ in range(STEPS):
        try:
            with writing(world) as session:
                somebody.write(session)
        except DomainError:
            continue  # refused at the commit
        after = documents(world)
        changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        page = feed.after(position, 100, "\n")
        assert page.caught_up
        told = entries(page)
        assert len({key(entry) for entry in told}) == len(told)
        assert changed <= {key(entry) for entry in told}
        for entry in told:
            held = after.get(key(entry))
            assert entry["document"] == (None if held is None else json.loads(held))
            expected = {(False, True): "create", (True, False): "delete"}
            state = (key(entry) in before, key(entry) in after)
            assert entry["op"] == expected.get(state, "update"), entry
        changed_in_all += len(changed)
        entries_in_all += len(told)
        if dice.random() < 0.3:
            lagging.read(dice.choice((1, 2, 7, 30)))
        position, before = page.position, after
    print(f"{changed_in_all} changes, {entries_in_all} entries")
    while lagging.read(dice.choice((1, 2, 7, 30))):
        pass
    assert lagging.held == parsed(before)
    assert changed_in_all > STEPS
    # Few are told of that read as before.
    assert entries_in_all < 1.5 * changed_in_all
