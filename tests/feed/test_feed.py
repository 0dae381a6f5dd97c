"""The feed on a real database: the horizon, the order of entries, and the listener."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from hksz_db.database import Connection, Database, run
from hksz_db.feed import listener as listeners
from hksz_db.feed.changes import STEPS
from hksz_db.feed.due import note_due
from hksz_db.feed.listener import ChangeListener
from hksz_db.feed.pages import BEGINNING, Feed, ForeignCursor, Page, Position, horizon
from hksz_db.queries.keysets import encode_cursor
from hksz_db.services.writing import writing
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.slow

ADD = "INSERT INTO units (code, label, dimension, factor) VALUES (%s, 'x', 'count', 1)"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the module, in which writes are committed."""
    database = Database(lambda: database_url)
    yield database
    database.close()


@pytest.fixture(autouse=True)
def _no_units(database: Database) -> None:
    with writing(database) as session:
        run(session, "DELETE FROM units")


@contextmanager
def writer(url: str) -> Iterator[Connection]:
    """A connection on which each statement is a transaction unless it begins one."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


class Follower:
    """Reads the codes of the units in the entries since it last read."""

    def __init__(self, database: Database, **options: Any) -> None:
        self.feed = Feed(database, ("units",), **options)
        self.position = horizon(database).position

    def read(self) -> list[str]:
        page = self.feed.after(self.position, 100, "\n")
        self.position = page.position
        documents = [json.loads(line)["document"] for line in page.entries.splitlines()]
        return [document["code"] for document in documents]


def test_entries_are_in_the_order_of_the_commits(database: Database, database_url: str) -> None:
    """The order in which the transactions began does not matter."""
    follower = Follower(database)
    with writer(database_url) as slow, writer(database_url) as quick:
        slow.execute("BEGIN")
        slow.execute(ADD, ["slow"])
        quick.execute(ADD, ["quick"])
        assert follower.read() == ["quick"]
        quick.execute(ADD, ["quicker"])
        assert follower.read() == ["quicker"]
        slow.execute("COMMIT")
        assert follower.read() == ["slow"]
        assert follower.read() == []


def test_the_horizon_stays_before_a_transaction_that_is_committing(
    database: Database, database_url: str
) -> None:
    """It is stamped before another one, and becomes visible after it."""
    follower = Follower(database)
    with writer(database_url) as stopped, writer(database_url) as other:
        stopped.execute("BEGIN")
        stopped.execute(ADD, ["first"])
        other.execute(ADD, ["before"])
        stopped.execute("SET CONSTRAINTS ALL IMMEDIATE")
        other.execute(ADD, ["second"])
        assert horizon(database).busy
        assert follower.read() == ["before"]
        assert follower.read() == []
        stopped.execute("COMMIT")
        assert follower.read() == ["first", "second"]


def test_a_transaction_is_complete_as_soon_as_it_is_visible(
    database: Database, database_url: str
) -> None:
    with writer(database_url) as stopped, writer(database_url) as other:
        stopped.execute("BEGIN")
        stopped.execute(ADD, ["first"])
        stopped.execute("SET CONSTRAINTS ALL IMMEDIATE")
        other.execute(ADD, ["second"])
        numbers = other.execute("SELECT max(id) FROM transactions").fetchone()
        assert numbers
        feed = Feed(database, ("units",), transaction=numbers[0])
        page = feed.after(feed.beginning(), 100, "\n")
        assert [json.loads(page.entries)["document"]["code"], page.caught_up] == ["second", True]
        now = feed.end()
        stopped.execute("COMMIT")
        assert feed.after(now, 100, "\n").entries == b""


def test_a_rollback_while_committing_leaves_no_gap(database: Database, database_url: str) -> None:
    follower = Follower(database)
    with writer(database_url) as stopped, writer(database_url) as other:
        stopped.execute("BEGIN")
        stopped.execute(ADD, ["first"])
        stopped.execute("SET CONSTRAINTS ALL IMMEDIATE")
        other.execute(ADD, ["second"])
        assert follower.read() == []
        stopped.execute("ROLLBACK")
        assert follower.read() == ["second"]


def test_a_commit_between_the_two_statements_of_a_page_is_not_lost(
    database: Database, database_url: str
) -> None:
    """It is stamped later than the horizon that the first read, so the next page has it."""
    follower = Follower(database)
    with writer(database_url) as one:
        one.execute(ADD, ["one"])
        settled = horizon(database).position
        one.execute(ADD, ["two"])
        page = follower.feed._page(follower.position, settled, 100, "\n")
        assert len(page.entries.splitlines()) == 1
        follower.position = page.position
        assert follower.read() == ["two"]


def test_transactions_may_have_equal_moments(database: Database, database_url: str) -> None:
    """Both have entries, whatever page these are on."""
    follower = Follower(database)
    with writer(database_url) as one:
        for code in ("one", "two", "three"):
            one.execute(ADD, [code])
        one.execute("ALTER TABLE transactions DISABLE TRIGGER transactions_refuse_rewriting")
        one.execute(
            "UPDATE transactions SET committed_at = (SELECT max(committed_at) FROM transactions)"
            " WHERE committed_at > %s",
            [follower.position.at],
        )
        one.execute("ALTER TABLE transactions ENABLE TRIGGER transactions_refuse_rewriting")
    codes = []
    for _ in range(3):
        page = follower.feed.after(follower.position, 1)
        codes.append(json.loads(page.entries)["document"]["code"])
        follower.position = page.position
    assert codes == ["one", "two", "three"]
    assert follower.read() == []


def test_transactions_without_an_entry_are_skipped(database: Database) -> None:
    """More of them than one page searches."""
    follower = Follower(database)
    with closing(database.connector.connect()) as connection:
        connection.execute(
            f"DO $$ BEGIN FOR n IN 0..{STEPS * 10} LOOP"
            " INSERT INTO seed_items VALUES ('x', n, repeat('0', 64));"
            " COMMIT; END LOOP; END $$".encode()
        )
        connection.execute(ADD, ["one"])
    pages = [follower.feed.after(follower.position, 100)]
    pages.append(follower.feed.after(pages[0].position, 100))
    assert [page.caught_up for page in pages] == [False, True]
    assert [page.entries.count(b'"op"') for page in pages] == [0, 1]


def test_pages_divide_a_large_transaction(database: Database, database_url: str) -> None:
    follower = Follower(database)
    codes = [f"u{n:03}" for n in range(250)]
    with writer(database_url) as one, one.transaction():
        one.cursor().executemany(ADD, [[code] for code in codes])
    read, pages = [], 0
    while True:
        page = follower.feed.after(follower.position, 60, "\n")
        read += [json.loads(line)["document"]["code"] for line in page.entries.splitlines()]
        follower.position, pages = page.position, pages + 1
        if page.caught_up:
            break
    assert (read, pages) == (codes, 5)


def test_rows_without_an_entry_are_skipped(database: Database, database_url: str) -> None:
    """One transaction has more of them than one page searches."""
    feed, position = Feed(database, ("sources",)), horizon(database).position
    with writer(database_url) as one, one.transaction():
        one.execute(
            "INSERT INTO sources (csl_type, title, deleted_at)"
            " SELECT 'report', 'X', now() FROM generate_series(1, 250)"
        )
        one.execute("INSERT INTO sources (csl_type, title) VALUES ('report', 'live')")
    pages: list[Page] = []
    while not pages or not pages[-1].caught_up:
        pages.append(feed.after(position, 10))
        position = pages[-1].position
    assert [page.entries.count(b'"create"') for page in pages] == [0, 0, 1]


def test_cursors_of_earlier_versions_are_accepted(database):
    feed = Feed(database, ("units",))
    position = Position("2024-01-01T00:00:00.000000Z", "7", "1", "units", str(UUID(int=7)))
    cursor = (
        "GlBYxboVxCQeWyIyMDI0LTAxLTAxVDAwOjAwOjAwLjAwMDAwMFoiLCI3IiwiMSIsInVuaXRzIiwiMDAwMDAwMDAt"
        "MDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDA3IiwiIiwiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAw"
        "MDAwIl0"
    )
    assert feed.position(cursor) == position
    assert feed.position(feed.cursor(position)) == position
    # The first of them had no changed row.
    keys = json.dumps(list(vars(position).values())[:5], separators=(",", ":"))
    assert feed.position(encode_cursor(keys.encode(), feed._question)) == position


def test_a_cursor_belongs_to_one_feed(database: Database) -> None:
    feed = Feed(database)
    position = Position("2024-01-01T00:00:00.000000Z", "7", "1", "claims", str(UUID(int=7)))
    for place in (BEGINNING, position):
        assert feed.position(feed.cursor(place)) == place
        for cursor in (feed.cursor(place)[:-1], feed.cursor(place).swapcase(), "", "now"):
            with pytest.raises(ForeignCursor):
                feed.position(cursor)
        with pytest.raises(ForeignCursor):
            Feed(database, ("claims",)).position(feed.cursor(place))


def waiting(listener: ChangeListener, position: Position, pool: ThreadPoolExecutor) -> Future[bool]:
    """Start a thread that waits for changes; return when it waits."""
    before = listener.waiting
    found = pool.submit(listener.wait, position, 30)
    while listener.waiting == before:
        threading.Event().wait(0.001)
    return found


@pytest.fixture
def listener(database: Database) -> Iterator[ChangeListener]:
    listener = ChangeListener(database)
    yield listener
    listener.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as pool:
        yield pool


def listening(connection: Connection) -> list[int]:
    """The server processes of listeners."""
    rows = connection.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <>"
        " pg_backend_pid() AND query ~ 'hksz_changes|settled'"
    )
    return [pid for (pid,) in rows]


def test_a_commit_wakes_all_waiters_over_one_connection(
    database: Database, database_url: str, listener: ChangeListener, pool: ThreadPoolExecutor
) -> None:
    position = horizon(database).position
    database.close()
    everybody = [waiting(listener, position, pool) for _ in range(30)]
    with writer(database_url) as one:
        while not listener._settled:
            threading.Event().wait(0.001)
        assert len(listening(one)) == 1
        one.execute(ADD, ["one"])
    assert all(each.result(30) for each in everybody)
    assert listener.waiting == 0
    # A waiter returns immediately if the entry already exists.
    assert listener.wait(position, 30)


def test_waiting_ends_after_the_time_is_over(database: Database, listener: ChangeListener) -> None:
    assert not listener.wait(horizon(database).position, 0.01)


def test_the_listener_reconnects(
    database: Database, database_url: str, listener: ChangeListener, pool: ThreadPoolExecutor
) -> None:
    position = horizon(database).position
    database.close()
    waiter = waiting(listener, position, pool)
    with writer(database_url) as one:
        # The connection of an earlier test may still be ending.
        while not listener._settled or len(pids := listening(one)) != 1:
            threading.Event().wait(0.001)
        (pid,) = pids
        one.execute("SELECT pg_terminate_backend(%s, 1000)", [pid])
        one.execute(ADD, ["one"])
    assert waiter.result(30)


def test_closing_ends_all_waiting(
    database: Database, listener: ChangeListener, pool: ThreadPoolExecutor
) -> None:
    position = horizon(database).position
    waiters = [waiting(listener, position, pool) for _ in range(3)]
    listener.close()
    assert [each.result(30) for each in waiters] == [False] * 3
    assert not listener.wait(position, 30)


def test_an_unused_listener_disconnects(
    database: Database, database_url: str, listener: ChangeListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "_LINGER_S", 0.0)
    database.close()
    listener.wait(horizon(database).position, 0.1)
    database.close()
    with writer(database_url) as one:
        while listening(one):
            threading.Event().wait(0.01)
        # It connects again for the next waiter.
        position = horizon(database).position
        with ThreadPoolExecutor(1) as pool:
            waiter = waiting(listener, position, pool)
            one.execute(ADD, ["one"])
            assert waiter.result(30)


def test_concurrent_calls_record_an_overdue_claim_once(
    database: Database, database_url: str, pool: ThreadPoolExecutor
) -> None:
    before = horizon(database).position
    with writer(database_url) as one, one.transaction():
        one.execute(
            "INSERT INTO entities (id, kind, name, name_language)"
            " VALUES (uuidv7(), 'person', 'Somebody', 'en')"
        )
        one.execute(
            "INSERT INTO entity_names (entity_id, name, language, kind)"
            " SELECT id, name, 'en', 'preferred' FROM entities"
        )
        one.execute(
            "INSERT INTO claims (statement, language, claimant_id, modality, due_edtf, due)"
            " SELECT 'It will open.', 'en', id, 'planned', '2020', '[2020-01-01,2021-01-01)'"
            " FROM entities, generate_series(1, 50)"
        )
    together = threading.Barrier(8)

    def note() -> int:
        together.wait()
        return note_due(database)

    assert sorted(pool.map(lambda _: note(), range(8))) == [0] * 7 + [50]
    entries = Feed(database, ("claims",), documents=False).after(before, 100).entries
    assert (entries.count(b'"create"'), entries.count(b'"due"')) == (50, 50)
    with writer(database_url) as one:
        rows = one.execute(
            "SELECT count(*), count(DISTINCT row_key) FROM changes WHERE operation = 'due'"
        ).fetchall()
    assert rows == [(50, 50)]


@pytest.fixture
def another_database(make_database: MakeDatabase) -> Iterator[Database]:
    """A database for one test."""
    with make_database() as url:
        database = Database(lambda: url)
        yield database
        database.close()


def test_pages_divide_the_many_documents_that_show_a_row(another_database: Database) -> None:
    """More claims than one page searches show an entity, each twice; it is renamed."""
    database = another_database
    with writer(database.connector.location) as one:
        with one.transaction():
            ((entity,),) = one.execute(
                "INSERT INTO entities (id, kind, name, name_language)"
                " VALUES (uuidv7(), 'person', 'Somebody', 'en') RETURNING id"
            ).fetchall()
            one.execute(
                "INSERT INTO entity_names (entity_id, name, language, kind)"
                " VALUES (%s, 'Somebody', 'en', 'preferred'), (%s, 'Another', 'en', 'alias')",
                [entity, entity],
            )
        with one.transaction():
            one.execute(
                "INSERT INTO claims (statement, language, claimant_id, modality)"
                " SELECT 'It opened.', 'en', %s, 'actual' FROM generate_series(1, 500)",
                [entity],
            )
            one.execute(
                "INSERT INTO claim_entities (claim_id, entity_id, role)"
                " SELECT id, claimant_id, role FROM claims, unnest('{subject,object}'::text[])"
                " AS role WHERE claimant_id = %s",
                [entity],
            )
        position = horizon(database).position
        one.execute("UPDATE entities SET name = 'Another' WHERE id = %s", [entity])
        claims = one.execute(
            "SELECT id FROM claims WHERE claimant_id = %s ORDER BY id", [entity]
        ).fetchall()
        # These have an entry of their own later, so they have none for the entity.
        one.execute(
            "UPDATE claims SET statement = 'It closed.' WHERE id = ANY (%s)",
            [[id for (id,) in claims[:250]]],
        )
    feed, ids = Feed(database, ("claims",), documents=False), []
    page = None
    while page is None or not page.caught_up:
        page = feed.after(position, 40, "\n")
        ids += [json.loads(line)["id"] for line in page.entries.splitlines()]
        position = feed.position(feed.cursor(page.position))
    assert ids == [str(id) for (id,) in [*claims[250:], *claims[:250]]]
