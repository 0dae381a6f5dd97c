"""A client that applies every entry of the feed has the current documents after any writes."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache, partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from hksz_db.database import Database, Session, run
from hksz_db.domain.chronology import InvalidDate
from hksz_db.domain.errors import Conflict, DomainError
from hksz_db.domain.vocabulary import Scope
from hksz_db.feed.changes import changes_statement
from hksz_db.feed.dependencies import Change, Start, dependencies
from hksz_db.feed.pages import BEGINNING, Feed, Page, horizon
from hksz_db.models import HISTORY_TABLES
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys, lifecycle, merging
from hksz_db.services.dependants import JOINED, LINKS
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase
from tests.feed.world import Documents, documents, name, populate

pytestmark = pytest.mark.slow

STEPS = 250
SECONDS = 25
"""How long the concurrent writers write."""


def entries(page: Page) -> list[dict[str, Any]]:
    return [json.loads(line) for line in page.entries.splitlines()]


def key(entry: dict[str, Any]) -> tuple[str, UUID]:
    return entry["resource"], UUID(entry["id"])


# The tables of the rows that belong to documents.
TABLES = [name for name, table in HISTORY_TABLES.items() if table.resource]
KEYED = {"corroborations": "claim_id"}
# Whether a live row refers to a deleted one, which the services prevent. A deleted row has no
# entries of its own, so a reader without the documents that show it would miss a change of it.
DANGLING = " UNION ALL ".join(
    f"SELECT 1 {JOINED.format(link=link)}"
    " WHERE owner.deleted_at IS NULL AND target.deleted_at IS NOT NULL"
    for link in LINKS
)


def columns(database: Database) -> dict[str, dict[str, str]]:
    """The columns that SQL can set, with their types.

    What is kept of the evidence on a claim names its passages, and that of another claim never
    becomes its own.
    """
    with database.transaction() as session:
        rows = run(
            session,
            "SELECT relname::text, attname::text, format_type(atttypid, atttypmod)"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = ''"
            " AND attname NOT IN ('written_in', 'weighed')",
        )
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        if table in TABLES:
            found.setdefault(table, {})[column] = kind
    return found


class RandomWriter:
    """Random writes by the services and by SQL."""

    def __init__(self, database: Database, seed: int) -> None:
        self.random = random.Random(seed)
        self.columns = columns(database)
        self.settable = [
            (table, column)
            for table, known in self.columns.items()
            for column in sorted(known.keys() - {"id"})
        ]
        self.references = [
            (table, column)
            for table, column in self.settable
            if column.endswith("_id") and column != "external_id"
        ]
        self.shown = [
            [
                (edge.start.table, column)
                for column in edge.start.columns
                if column in self.columns[edge.start.table]
            ]
            for edge in dependencies(RESOURCES.values())
            if isinstance(edge.start, Start) and edge.start.change is Change.UPDATED
        ]
        self.number = 0

    def write(self, session: Session) -> None:
        """Do one to three things; a refused one leaves no trace."""
        for _ in range(self.random.choice((1, 1, 2, 3))):
            attempt = self.random.choices(
                (self._set, self._copy, self._remove, self._delete, self._restore, self._merge),
                weights=(12, 3, 1, 1, 3, 1),
            )[0]
            self.attempt(session, attempt)

    def attempt(self, session: Session, write: Callable[[Session], None]) -> None:
        """Write, unless it is refused, or leaves a live row that refers to a deleted one."""
        with session.begin_nested() as attempt:
            try:
                write(session)
                if run(session, DANGLING):
                    raise Conflict("A live row refers to a deleted one.")
            except (DomainError, InvalidDate, psycopg.IntegrityError, psycopg.DataError):
                attempt.rollback()

    def _row(self, session: Session, table: str) -> UUID:
        rows = run(session, f"SELECT {KEYED.get(table, 'id')} FROM {table} ORDER BY 1")
        return self.random.choice(rows)[0] if rows else UUID(int=0)

    def _set(self, session: Session) -> None:
        table = self.random.choice(TABLES)
        column = self.random.choice(sorted(self.columns[table].keys() - {"id"}))
        chance = self.random.random()
        if chance < 0.3:
            table, column = self.random.choice(self.random.choice(self.shown))
        elif chance < 0.6:
            table, column = self.random.choice(self.references)
        self.set_column(session, table, column)

    def set_column(self, session: Session, table: str, column: str) -> None:
        """Give one column of one row a new value, that of another row, or null."""
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
        """Insert a copy of a row, except for its keys."""
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
        resource = self.random.choice(list(merging.MERGEABLE))
        one, other = (self._row(session, resource) for _ in range(2))
        if self.random.random() < 0.5:
            merging.merge(session, resource, one, None, {"into_id": other})
            return
        for (id,) in run(session, f"SELECT id FROM {resource} WHERE redirect_to IS NOT NULL"):
            merging.undo(session, resource, id, None)


@pytest.fixture
def world(make_database: MakeDatabase) -> Iterator[Database]:
    with make_database() as url:
        database = Database(lambda: url)
        with writing(database) as session:
            populate(session)
        yield database
        database.close()


class Mirror:
    """The documents of a client that applies every entry."""

    def __init__(self) -> None:
        self.held: dict[tuple[str, UUID], Any] = {}
        self.entries: list[tuple[str, int, str, UUID]] = []

    def apply(self, entries: list[dict[str, Any]]) -> None:
        for entry in entries:
            self.entries.append((entry["at"], int(entry["transaction"]), *key(entry)))
            if entry["document"] is None:
                self.held.pop(key(entry), None)
            else:
                self.held[key(entry)] = entry["document"]


class Reader(Mirror):
    """Reads the feed from the database."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self.feed, self.position = feed, BEGINNING

    def read(self, per_page: int) -> bool:
        """Apply a page; return whether more may follow."""
        page = self.feed.after(self.position, per_page, "\n")
        self.apply(entries(page))
        self.position = page.position
        return not page.caught_up


class FrugalReader(Reader):
    """Reads the feed without documents that only show what was changed, and asks for those."""

    def __init__(self, database: Database) -> None:
        super().__init__(Feed(database, expand=False))

    def apply(self, entries: list[dict[str, Any]]) -> None:
        super().apply(entries)
        for number in {entry["transaction"] for entry in entries if entry["shown_in"]}:
            feed = Feed(self.feed.database, transaction=int(number))
            page = feed.after(feed.beginning(), 100, "\n")
            assert page.caught_up
            super().apply(found := [json.loads(line) for line in page.entries.splitlines()])
            assert {entry["transaction"] for entry in found} == {number}


def parsed(held: Documents) -> dict[tuple[str, UUID], Any]:
    return {key: json.loads(document) for key, document in held.items()}


def test_each_document_that_differs_has_an_entry(world: Database) -> None:
    writer = RandomWriter(world, 0)
    feed = Feed(world)
    lagging, dice = Reader(feed), random.Random(0)
    mirror, frugal = Reader(feed), FrugalReader(world)
    while mirror.read(100):
        pass
    position, before = mirror.position, documents(world)
    assert mirror.held == parsed(before)
    changed_in_all = entries_in_all = 0
    for _ in range(STEPS):
        try:
            with writing(world) as session:
                writer.write(session)
        except DomainError:
            continue  # refused when it was committed
        after = documents(world)
        changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
        page = feed.after(position, 100, "\n")
        assert page.caught_up
        found = entries(page)
        assert len({key(entry) for entry in found}) == len(found)
        assert changed <= {key(entry) for entry in found}
        for entry in found:
            held = after.get(key(entry))
            assert entry["document"] == (None if held is None else json.loads(held))
            expected = {(False, True): "create", (True, False): "delete"}
            state = (key(entry) in before, key(entry) in after)
            assert entry["op"] == expected.get(state, "update"), entry
        changed_in_all += len(changed)
        entries_in_all += len(found)
        if dice.random() < 0.3:
            lagging.read(dice.choice((1, 2, 7, 30)))
            frugal.read(dice.choice((1, 2, 7, 30)))
        position, before = page.position, after
    while lagging.read(dice.choice((1, 2, 7, 30))):
        pass
    while frugal.read(dice.choice((1, 2, 7, 30))):
        pass
    assert lagging.held == frugal.held == parsed(before)
    assert len(set(lagging.entries)) == len(lagging.entries)
    assert changed_in_all > STEPS
    # Few entries are for documents that do not differ.
    assert entries_in_all < 1.1 * changed_in_all


@pytest.mark.parametrize(("seed", "rows_read"), [(0, 5_000), (1, 3), (0, 0)])
def test_a_large_transaction_is_read_in_parts(
    world: Database, seed: int, rows_read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same documents have entries, whatever the size of the parts."""
    writer, feed = RandomWriter(world, seed), Feed(world)
    at_once, in_parts = Reader(feed), Reader(feed)
    while at_once.read(100):
        pass
    begin, held = at_once.position, at_once.held
    committed = False
    while not committed:
        with suppress(DomainError), writing(world) as session:
            for _ in range(60):
                writer.write(session)
            committed = True
    at_once.entries.clear()
    while at_once.read(100):
        pass
    assert len({number for _, number, *_ in at_once.entries}) == 1
    monkeypatch.setattr("hksz_db.feed.changes.SPAN", 3)
    monkeypatch.setattr("hksz_db.feed.dependencies.LOOKED_AT", 2)
    monkeypatch.setattr("hksz_db.feed.dependencies.ROWS_READ", rows_read)
    monkeypatch.setattr("hksz_db.feed.dependencies.LOOKED_THROUGH", 3)
    monkeypatch.setattr("hksz_db.feed.dependencies.LEAST_LOOKED_AT", 1)
    # Statements contain these numbers.
    uncached = changes_statement.__wrapped__
    monkeypatch.setattr("hksz_db.feed.pages.changes_statement", cache(uncached))
    in_parts.position, in_parts.held = begin, dict(held)
    while in_parts.read(7):
        in_parts.position = feed.position(feed.cursor(in_parts.position))
    assert set(in_parts.entries) == set(at_once.entries)
    assert in_parts.held == at_once.held == parsed(documents(world))


def test_the_claims_between_two_ids_are_the_same_as_of_all(world: Database) -> None:
    """The claims that rest on sources and entities, looked for from either end."""
    dice, writer, compared = random.Random(2), RandomWriter(world, 2), 0
    with suppress(DomainError), writing(world) as session:
        for _ in range(40):
            writer.write(session)
    with writing(world) as session:
        sources, entities, claims = (
            [id for (id,) in run(session, f"SELECT id FROM {table} ORDER BY id")]
            for table in ("sources", "entities", "claims")
        )
        for _ in range(40):
            changed = [dice.sample(ids, dice.randrange(3)) for ids in (sources, entities)]
            after, last = sorted(dice.sample(claims, 2))
            every = run(session, "SELECT * FROM claims_resting_on($1, $2)", *changed)
            between = run(
                session, "SELECT * FROM claims_resting_on($1, $2, $3, $4)", *changed, after, last
            )
            assert set(between) == {(id,) for (id,) in every if after < id <= last}
            compared += len(set(between))
    assert compared


def test_each_column_is_followed(world: Database) -> None:
    """For each column: the documents that differ after a change of it have an entry."""
    writer, feed = RandomWriter(world, 0), Feed(world)
    position, before, followed = horizon(world).position, documents(world), set()
    for table, column in writer.settable:
        for _ in range(2):
            with suppress(DomainError), writing(world) as session:
                writer.attempt(session, partial(writer.set_column, table=table, column=column))
            after, page = documents(world), feed.after(position, 100, "\n")
            assert page.caught_up
            changed = {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)}
            assert changed <= {key(entry) for entry in entries(page)}, (table, column)
            position, before = page.position, after
            if {resource for resource, _ in changed} - {HISTORY_TABLES[table].resource}:
                followed.add(table)
    assert followed >= {"entities", "sources", "claims", "metrics", "figures", "evidence"}
    assert followed >= {"source_contributors", "source_captures", "source_relations"}


class RandomEditor:
    """Random writes through the API."""

    def __init__(self, app: Flask, database: Database, seed: int) -> None:
        self.random = random.Random(seed)
        self.database = database
        self.number = seed * 100_000
        with writing(database) as session:
            key = api_keys.create(session, f"editor-{seed}", [Scope.ADMIN])
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}

    def write(self) -> None:
        """Send one request; it is refused if it conflicts with another, or 503."""
        request = self.random.choice(
            (self._create, self._rename, self._rename, self._delete, self._restore, self._merge)
        )
        status = request()
        assert status < 500 or status == 503, (request, status)

    def _send(self, method: str, path: str, body: Any = None) -> int:
        answer = self.client.open(f"/v1/{path}", method=method, json=body, headers=self.headers)
        return answer.status_code

    def _row(self, resource: str, condition: str = "true") -> UUID:
        with self.database.transaction() as session:
            rows = run(session, f"SELECT id FROM {resource} WHERE {condition}")
        return self.random.choice(rows)[0] if rows else UUID(int=0)

    def _next(self) -> str:
        self.number += 1
        return f"Text {self.number}"

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
        deleted = self._row(resource, "deleted_at IS NOT NULL")
        return self._send("POST", f"{resource}/{deleted}/restore")

    def _merge(self) -> int:
        if self.random.random() < 0.5:
            merged = self._row("entities", "deleted_at IS NOT NULL")
            return self._send("POST", f"entities/{merged}/unmerge")
        into = {"into_id": str(self._row("entities"))}
        return self._send("POST", f"entities/{self._row('entities')}/merge", into)


class Follower(Mirror):
    """Follows the feed over HTTP, and starts again from its last cursor."""

    def __init__(self, app: Flask, seed: int) -> None:
        super().__init__()
        self.app, self.random = app, random.Random(seed)
        self.cursor: str | None = None
        self.caught_up = False

    def follow(self, written: threading.Event) -> None:
        """Read until the writers have finished and the follower has caught up."""
        ended = False
        while not (ended and self.caught_up):
            ended = written.is_set()
            client = self.app.test_client()
            for _ in range(self.random.randrange(1, 9)):
                self._read(client)

    def _read(self, client: FlaskClient) -> None:
        query = {
            "expand": "true",
            "per_page": self.random.choice(("1", "9", "50", "100", "100")),
            "wait": self.random.choice(("0", "1", "2")),
            **({"cursor": self.cursor} if self.cursor else {}),
        }
        answer = client.get("/v1/changes", query_string=query)
        assert answer.status_code == 200, answer.text
        page: Any = answer.json
        self.apply(page["data"])
        self.cursor, self.caught_up = page["meta"]["next_cursor"], page["meta"]["caught_up"]


def write_at_the_database(database: Database, seed: int, over: threading.Event) -> None:
    """Run random transactions, and hold them open for random times."""
    writer = RandomWriter(database, seed)
    while not over.is_set():
        with suppress(DomainError, psycopg.OperationalError), writing(database) as session:
            writer.write(session)
            over.wait(writer.random.choice((0, 0, 0, 0.01, 0.05, 0.3)))
            writer.write(session)
            if writer.random.random() < 0.3:
                # It is stamped now, and commits after others that are stamped later.
                run(session, "SET CONSTRAINTS ALL IMMEDIATE")
                over.wait(writer.random.choice((0, 0.01, 0.05)))
        over.wait(writer.random.random() / 50)


def write_by_requests(editor: RandomEditor, over: threading.Event) -> None:
    while not over.is_set():
        editor.write()
        over.wait(editor.random.random() / 50)


def test_mirrors_end_as_the_original(world: Database) -> None:
    """Eight writers write for a while; then two followers have the same documents as a read."""
    over, written = threading.Event(), threading.Event()
    app = create_app(Settings(log_level="error", max_waiters=2), world)
    followers = [Follower(app, seed) for seed in range(2)]
    with ThreadPoolExecutor(10) as pool:
        following = [pool.submit(follower.follow, written) for follower in followers]
        working = [pool.submit(write_at_the_database, world, seed, over) for seed in range(4)]
        for seed in range(4):
            editor = RandomEditor(app, world, seed + 10)
            working.append(pool.submit(write_by_requests, editor, over))
        wait([*working, *following], SECONDS, FIRST_COMPLETED)
        over.set()
        wait(working)
        written.set()
        for each in (*working, *following):
            each.result(300)
    app.extensions["hksz_change_listener"].close()
    original = documents(world)
    client = app.test_client()
    read = {(name, id): client.get(f"/v1/{name}/{id}").data for name, id in original}
    assert read == original
    order, wanted = committed(world)
    for follower in followers:
        assert follower.held == parsed(original)
        assert len(set(follower.entries)) == len(follower.entries)
        assert wanted <= {entry[1:] for entry in follower.entries}
        # In the order of the commits, so that a later value comes after an earlier one.
        order_of_entries = [entry[:2] for entry in follower.entries]
        assert order_of_entries == sorted(order_of_entries)
        assert {number: at for at, number, *_ in follower.entries}.items() <= order.items()
    for earlier, later in overwritten(world):
        assert order[earlier] < order[later]
    assert len(order) > 100


def committed(database: Database) -> tuple[dict[int, str], set[tuple[int, str, UUID]]]:
    """When each transaction was committed, and the rows it wrote that were live before or after."""
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
