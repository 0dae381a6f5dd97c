"""Whoever takes up every change holds what is there: whatever is written, by whatever way."""

import json
import random
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Alias, Column, ColumnElement, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.visitors import iterate

from app import create_app
from hksz_db.database import Database, prepare, run
from hksz_db.domain.chronology import parse
from hksz_db.domain.errors import DomainError
from hksz_db.domain.vocabulary import Scope
from hksz_db.feed.changes import changes_statement
from hksz_db.feed.dependencies import SHOWN
from hksz_db.feed.pages import BEGINNING, Feed, Page
from hksz_db.models.history import KEPT
from hksz_db.queries.documents import Group, Many, Node, One
from hksz_db.queries.pages import RESOURCES, as_json
from hksz_db.services import api_keys, lifecycle, merging
from hksz_db.services.batches import create, update
from hksz_db.services.rows import Row
from hksz_db.services.writing import writing
from hksz_db.settings import Settings

pytestmark = pytest.mark.slow

STEPS = 250
SECONDS = 60
"""For how long many write at once."""
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
    create(session, "units", {"code": "1", "label": "one"})
    create(session, "units", {"code": "HKD", "label": "dollar"})
    for n in range(2):
        made = {"key": f"metric-{n}", "label": f"Metric {n}", "dimension": "count"}
        create(session, "metrics", {**made, "accumulation": "flow", "nonnegative": True})
    people = [
        create(
            session,
            "entities",
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
        work: Row = {
            "csl_type": ("report", "webpage")[n % 2],
            "title": f"Work {n}",
            "issued_edtf": parse(f"202{n}"),
            "contributors": [{"entity_id": people[n % 5], "role": "author"}],
            "captures": [{"normalization": "nfc-ws1", "char_length": 9, "text_sha256": f"{n:064}"}],
            "relations": relations if n in {1, 3, 5} else [],
        }
        works.append(create(session, "sources", work))
    ((first,), (second,)) = run(session, "SELECT id FROM metrics ORDER BY id")
    said: list[UUID] = []
    passages: list[UUID] = []
    for n in range(6):
        claim: Row = {
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
        said.append(create(session, "claims", claim))
        sql = "SELECT id FROM evidence WHERE claim_id = $1 AND stance = 'asserts'"
        passages.append(run(session, sql, said[-1])[0][0])
    for n, person in enumerate(people):
        other = {"kind": "partner_of", "object_id": people[(n + 1) % 5], "claim_id": said[n]}
        update(session, "entities", person, None, {"relations": [other]})


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
        self.references = [
            (table, column)
            for table, known in self.columns.items()
            for column in sorted(known)
            if column.endswith("_id") and column != "external_id"
        ]
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
                except (psycopg.IntegrityError, psycopg.DataError):
                    attempt.rollback()

    def _row(self, session: Session, table: str) -> UUID:
        rows = run(session, f"SELECT {KEYED.get(table, 'id')} FROM {table} ORDER BY 1")
        return self.random.choice(rows)[0] if rows else UUID(int=0)

    def _set(self, session: Session) -> None:
        """Give one column of one row a new value, or that of another row, or none."""
        table = self.random.choice(TABLES)
        column = self.random.choice(sorted(self.columns[table].keys() - {"id"}))
        chance = self.random.random()
        if chance < 0.3:
            table, shown = self.random.choice(list(SHOWN.values()))
            column = self.random.choice(shown)
        elif chance < 0.6:
            table, column = self.random.choice(self.references)
        key = KEYED.get(table, "id")
        self.number += 1
        value = f"(SELECT {column} FROM {table} WHERE {key} = $2)"
        if column == "derived_from_id" and self.random.random() < 0.5:
            value = "$2"
        elif self.columns[table][column] == "text" and self.random.random() < 0.7:
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

    def __init__(self) -> None:
        self.held: dict[tuple[str, UUID], Any] = {}
        self.told: list[tuple[str, int, str, UUID]] = []

    def take_up(self, told: list[dict[str, Any]]) -> None:
        for entry in told:
            self.told.append((entry["at"], int(entry["transaction"]), *key(entry)))
            if entry["document"] is None:
                self.held.pop(key(entry), None)
            else:
                self.held[key(entry)] = entry["document"]


class Reader(Mirror):
    """One that reads from the database itself."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.feed, self.position = feed, BEGINNING

    def read(self, per_page: int) -> bool:
        """Take up a page; whether more may follow."""
        page = self.feed.after(self.position, per_page, "\n")
        self.take_up(entries(page))
        self.position = page.position
        return not page.caught_up


def parsed(held: Documents) -> dict[tuple[str, UUID], Any]:
    return {key: json.loads(document) for key, document in held.items()}


@pytest.mark.parametrize("seed", range(2))
def test_each_document_that_reads_otherwise_has_an_entry(world: Database, seed: int) -> None:
    somebody = Somebody(world, seed)
    feed = Feed(world)
    lagging, dice = Reader(feed), random.Random(seed)
    mirror = Reader(feed)
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
    while lagging.read(dice.choice((1, 2, 7, 30))):
        pass
    assert lagging.held == parsed(before)
    assert len(set(lagging.told)) == len(lagging.told)
    assert changed_in_all > STEPS
    # Few are told of that read as before.
    assert entries_in_all < 1.1 * changed_in_all


@pytest.mark.parametrize("seed", range(2))
def test_a_large_transaction_is_read_in_parts(
    world: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the size of the parts, the same documents have entries in it."""
    somebody, feed = Somebody(world, seed), Feed(world)
    at_once, in_parts = Reader(feed), Reader(feed)
    while at_once.read(100):
        pass
    begin, held = at_once.position, at_once.held
    committed = False
    while not committed:
        with suppress(DomainError), writing(world) as session:
            for _ in range(60):
                somebody.write(session)
            committed = True
    at_once.told.clear()
    while at_once.read(100):
        pass
    assert len({number for _, number, *_ in at_once.told}) == 1
    monkeypatch.setattr("hksz_db.feed.changes.SPAN", 3)
    monkeypatch.setattr("hksz_db.feed.dependencies.LOOKED_AT", 2)
    monkeypatch.setattr("hksz_db.feed.pages.changes_statement", changes_statement.__wrapped__)
    in_parts.position, in_parts.held = begin, dict(held)
    while in_parts.read(7):
        in_parts.position = feed.position(feed.cursor(in_parts.position))
    assert set(in_parts.told) == set(at_once.told)
    assert in_parts.held == at_once.held == parsed(documents(world))


def references(fields: Mapping[str, Node], path: str = "") -> Iterator[tuple[str, str, set[str]]]:
    """Each row that a document shows of another: where, of which table, and which columns."""
    for name, node in fields.items():
        match node:
            case Group(inner):
                yield from references(inner, f"{path}{name}.")
            case One(table, _, inner) | Many(table, _, inner):
                assert isinstance(table, Alias)
                yield f"{path}{name}", str(table.element), own_columns(table, inner)
                yield from references(inner, f"{path}{name}.")
            case _:
                pass


def own_columns(table: Alias, fields: Mapping[str, Node]) -> set[str]:
    found = set()
    for node in fields.values():
        if isinstance(node, Group):
            found |= own_columns(table, node.fields)
        elif isinstance(node, ColumnElement):
            parts: list[Any] = [part for part in iterate(node) if isinstance(part, Column)]
            found |= {part.name for part in parts if part.table is table}
    return found


# What is embedded in claims with all its columns, and the ways of ``shown`` by which rows are found
# that documents show in part.
WHOLE = {"figures", "evidence", "sources"}
IN_SOURCES = {"contributors.entity", "relations.to"}
IN_FIGURES = {"metric", "subject", "period.relative"}
IN_EVIDENCE = {"source", "source.contributors.entity"}
FOUND = {
    "sources": IN_SOURCES,
    "entities": {"relations.object", "relations.claim"},
    "figures": {*IN_FIGURES, "claim"},
    "evidence": {*IN_EVIDENCE, "claim"},
    "claims": {
        *("claimant", "reported_by", "time.relative", "due.relative"),
        *("relations.to", "entities.entity"),
        *(f"figures.{way}" for way in IN_FIGURES),
        *(f"evidence.{way}" for way in IN_EVIDENCE),
        *(f"sources.{way}" for way in IN_SOURCES),
    },
    "metrics": set(),
    "units": set(),
}


@pytest.mark.parametrize("resource", RESOURCES)
def test_all_that_a_document_shows_of_others_is_followed(resource: str) -> None:
    """A document that comes to show more needs another column, or another way, in ``shown``."""
    readable = RESOURCES[resource]
    known = [(table, {"id", *columns}) for table, columns in SHOWN.values()]
    fields = {**readable.fields, **{name: readable.embeds[name] for name in readable.read_embeds}}
    found = set()
    for path, table, columns in references(fields):
        if table in RESOURCES and path not in WHOLE:
            assert (table, columns | {"id"}) in known, path
            found.add(path)
    assert found == FOUND[resource]


class Editors:
    """Who writes at random through the API."""

    def __init__(self, app: Flask, database: Database, seed: int) -> None:
        self.random = random.Random(seed)
        self.database = database
        self.number = seed * 100_000
        with writing(database) as session:
            key = api_keys.create(session, f"editor-{seed}", [Scope.ADMIN])
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}

    def write(self) -> None:
        """One request; what clashes with another's is refused, or gives way to it."""
        deed = self.random.choice(
            (self._create, self._rename, self._rename, self._delete, self._restore, self._merge)
        )
        status = deed()
        assert status < 500 or status == 503, (deed, status)

    def _send(self, method: str, path: str, body: Any = None) -> int:
        answer = self.client.open(f"/v1/{path}", method=method, json=body, headers=self.headers)
        return answer.status_code

    def _row(self, resource: str, condition: str = "true") -> UUID:
        with self.database.transaction() as session:
            rows = run(session, f"SELECT id FROM {resource} WHERE {condition}")
        return self.random.choice(rows)[0] if rows else UUID(int=0)

    def _next(self) -> str:
        self.number += 1
        return f"Of an editor, {self.number}"

    def _create(self) -> int:
        live = "deleted_at IS NULL"
        if self.random.random() < 0.5:
            relation = {"kind": "copy_of", "to_id": str(self._row("sources", live))}
            body = {"csl_type": "report", "title": self._next(), "relations": [relation]}
            return self._send("POST", "sources", body)
        passage = {"source_id": str(self._row("sources", live)), "stance": "supports"}
        body = {
            "statement": self._next(),
            "claimant_id": str(self._row("entities", live)),
            "evidence": [passage],
        }
        return self._send("POST", "claims", body)

    def _rename(self) -> int:
        text = self._next()
        names = [{**name(text)}]
        resource, body = self.random.choice(
            (
                ("claims", {"statement": text}),
                ("sources", {"title": text}),
                ("entities", {"names": names}),
                ("metrics", {"label": text}),
                ("evidence", {"note": text}),
                ("sources", {"retracted_at": "2024-01-01T00:00:00Z"}),
                ("sources", {"retracted_at": None}),
            )
        )
        return self._send("PATCH", f"{resource}/{self._row(resource)}", body)

    def _delete(self) -> int:
        resource = self.random.choice(("claims", "evidence", "figures", "sources"))
        return self._send("DELETE", f"{resource}/{self._row(resource)}")

    def _restore(self) -> int:
        resource = self.random.choice(("claims", "evidence", "figures", "sources", "entities"))
        gone = self._row(resource, "deleted_at IS NOT NULL")
        return self._send("POST", f"{resource}/{gone}/restore")

    def _merge(self) -> int:
        if self.random.random() < 0.5:
            merged = self._row("entities", "deleted_at IS NOT NULL")
            return self._send("POST", f"entities/{merged}/unmerge")
        into = {"into_id": str(self._row("entities"))}
        return self._send("POST", f"entities/{self._row('entities')}/merge", into)


class Follower(Mirror):
    """One that follows over HTTP, and starts again from its last cursor."""

    def __init__(self, app: Flask, seed: int) -> None:
        super().__init__()
        self.app, self.random = app, random.Random(seed)
        self.cursor: str | None = None
        self.caught_up = False

    def follow(self, written: threading.Event) -> None:
        """Until all is written, and there is nothing more."""
        ended = False
        while not (ended and self.caught_up):
            ended = written.is_set()
            client = self.app.test_client()
            for _ in range(self.random.randrange(1, 9)):
                self._read(client)

    def _read(self, client: FlaskClient) -> None:
        query = {
            "per_page": self.random.choice(("1", "9", "50", "100", "100")),
            "wait": self.random.choice(("0", "1", "2")),
            **({"cursor": self.cursor} if self.cursor else {}),
        }
        answer = client.get("/v1/changes", query_string=query)
        assert answer.status_code == 200, answer.text
        page: Any = answer.json
        self.take_up(page["data"])
        self.cursor, self.caught_up = page["meta"]["next_cursor"], page["meta"]["caught_up"]


def write_at_the_database(database: Database, seed: int, over: threading.Event) -> None:
    """Transactions of random deeds, held open for random times."""
    somebody = Somebody(database, seed)
    while not over.is_set():
        with suppress(DomainError, psycopg.OperationalError), writing(database) as session:
            somebody.write(session)
            over.wait(somebody.random.choice((0, 0, 0, 0.01, 0.05, 0.3)))
            somebody.write(session)
            if somebody.random.random() < 0.3:
                # Stamped, and to be committed after others that are stamped later.
                run(session, "SET CONSTRAINTS ALL IMMEDIATE")
                over.wait(somebody.random.choice((0, 0.01, 0.05)))
        over.wait(somebody.random.random() / 50)


def write_by_requests(editor: Editors, over: threading.Event) -> None:
    while not over.is_set():
        editor.write()
        over.wait(editor.random.random() / 50)


def test_mirrors_end_as_the_original(world: Database) -> None:
    """Eight write for a minute, out of order; two follow, and hold in the end what a read gives."""
    over, written = threading.Event(), threading.Event()
    app = create_app(Settings(log_level="critical", max_waiters=2), world)
    followers = [Follower(app, seed) for seed in range(2)]
    with ThreadPoolExecutor(10) as pool:
        following = [pool.submit(follower.follow, written) for follower in followers]
        working = [pool.submit(write_at_the_database, world, seed, over) for seed in range(4)]
        for seed in range(4):
            editor = Editors(app, world, seed + 10)
            working.append(pool.submit(write_by_requests, editor, over))
        wait([*working, *following], SECONDS, FIRST_COMPLETED)
        over.set()
        wait(working)
        written.set()
        for each in (*working, *following):
            each.result(300)
    app.extensions["hksz_waiting_room"].bell.close()
    original = documents(world)
    client = app.test_client()
    read = {(name, id): client.get(f"/v1/{name}/{id}").data for name, id in original}
    assert read == original
    order, wanted = committed(world)
    for follower in followers:
        assert follower.held == parsed(original)
        assert len(set(follower.told)) == len(follower.told)
        assert wanted <= {told[1:] for told in follower.told}
        # In the order of the commits, so that what overwrote something comes after it.
        assert [told[:2] for told in follower.told] == sorted(told[:2] for told in follower.told)
        assert {number: at for at, number, *_ in follower.told}.items() <= order.items()
    for earlier, later in overwritten(world):
        assert order[earlier] < order[later]
    assert len(order) > 100


def committed(database: Database) -> tuple[dict[int, str], set[tuple[int, str, UUID]]]:
    """When each transaction was committed, and which rows each wrote that were not dead for it."""
    with database.transaction() as session:
        form = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
        sql = "SELECT id, to_char(committed_at AT TIME ZONE 'UTC', $1) FROM transactions"
        times = run(session, sql, form)
        wrote = [
            row
            for name in RESOURCES
            for row in run(
                session,
                f"WITH versions AS (SELECT id, written_in, deleted_at, NULL AS ended_in FROM {name}"
                f" UNION ALL SELECT id, written_in, deleted_at, ended_in FROM past.{name})"
                f" SELECT written_in, '{name}', id FROM versions WHERE deleted_at IS NULL"
                f" UNION SELECT ended_in, '{name}', id FROM versions"
                " WHERE deleted_at IS NULL AND ended_in IS NOT NULL",
            )
        ]
    return dict(times), set(wrote)


def overwritten(database: Database) -> list[tuple[int, int]]:
    """Pairs of transactions of which the later ended what the earlier wrote."""
    with database.transaction() as session:
        return [
            (earlier, later)
            for table in TABLES
            for earlier, later in run(session, f"SELECT written_in, ended_in FROM past.{table}")
        ]
