"""The database records every version of every row, with its author and time."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from app import create_app
from hksz_db.database import Connection, Database, Prepared
from hksz_db.database.connecting import Connector
from hksz_db.database.connections import as_of_snapshot
from hksz_db.database.statements import PreparingConnection
from hksz_db.domain.errors import OutsideHistory
from hksz_db.domain.vocabulary import Scope
from hksz_db.embedded import Server
from hksz_db.feed.due import note_due
from hksz_db.feed.horizons import record_horizon
from hksz_db.feed.pages import BEGINNING, Feed
from hksz_db.models import HISTORY_TABLES, Base
from hksz_db.models.history import TableHistory
from hksz_db.queries.pages import document_statement
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys, granting
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

BOOKKEEPING = {
    *("transactions", "changes", "idempotency_keys", "replaced_keys", "sessions"),
    *("feed_horizons", "known_revisions"),
    *("stale_metrics", "stale_ranges", "stale_searches", "submissions", "unfilled_urls"),
}


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    with make_database(all_seeds) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        yield connection


@pytest.fixture
def psql(database_url: str) -> Iterator[Connection]:
    """A connection on which each statement is a transaction."""
    with connected(database_url) as connection:
        yield connection


@pytest.fixture
def past(database_url: str) -> Iterator[PreparingConnection]:
    """A connection that reads as of an earlier time."""
    with closing(Connector(lambda: database_url, 5000).connect()) as connection:
        yield connection


def one(connection: Connection, query: str, *arguments: Any) -> Any:
    """The single value that a query returns."""
    ((value,),) = connection.execute(query.encode(), arguments or None).fetchall()
    return value


def now(connection: Connection) -> datetime:
    moment: datetime = one(connection, "SELECT clock_timestamp()")
    return moment


def one_at(past: PreparingConnection, moment: datetime, query: str, *arguments: Any) -> Any:
    """The single value that a query returned at an earlier time."""
    with as_of_snapshot(past, moment):
        ((value,),) = past.fetch(query.encode(), arguments)
        return value.decode() if isinstance(value, bytes) else value


def title_at(past: PreparingConnection, moment: datetime) -> str:
    query = "SELECT title FROM sources WHERE external_id = 'hksz:ttps-reply-2024'"
    title: str = one_at(past, moment, query)
    return title


def retitle(connection: Connection, title: str) -> None:
    connection.execute(
        "UPDATE sources SET title = %s, version = version + 1"
        " WHERE external_id = 'hksz:ttps-reply-2024'",
        [title],
    )


def columns(connection: Connection, table: str) -> set[str]:
    rows = connection.execute(
        "SELECT attname FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [table],
    )
    return {name for (name,) in rows}


def test_every_table_has_a_history_with_all_its_columns(psql: Connection) -> None:
    assert Base.metadata.tables.keys() - BOOKKEEPING == HISTORY_TABLES.keys()
    for table in HISTORY_TABLES:
        own = columns(psql, table)
        assert columns(psql, f"past.{table}") == own | {"ended_in"}, table
        assert columns(psql, f"as_of.{table}") == own, table
        assert columns(psql, f"history.{table}") == own | {"sys_period"}, table


def test_the_history_says_what_a_row_was_and_when(
    psql: Connection, past: PreparingConnection
) -> None:
    moments = [now(psql)]
    for title in ("First", "Second"):
        retitle(psql, title)
        moments.append(now(psql))
    rows = psql.execute(
        "SELECT title, sys_period FROM history.sources"
        " WHERE external_id = 'hksz:ttps-reply-2024' ORDER BY sys_period"
    ).fetchall()
    assert [title for title, _ in rows][-2:] == ["First", "Second"]
    periods = [period for _, period in rows]
    assert periods[-1].upper is None
    assert all(a.upper == b.lower for a, b in pairwise(periods))
    for moment, (title, period) in zip(moments, rows[-3:], strict=True):
        assert moment in period
        assert title_at(past, moment) == title
    # To the microsecond.
    assert title_at(past, periods[-1].lower) == "Second"
    assert title_at(past, periods[-1].lower - timedelta(microseconds=1)) == "First"


def test_an_update_without_effect_is_not_recorded(psql: Connection) -> None:
    before = one(psql, "SELECT count(*) FROM transactions")
    psql.execute("UPDATE sources SET title = title, version = version")
    psql.execute("UPDATE claims SET written_in = written_in")
    psql.execute("DELETE FROM claims WHERE false")
    assert one(psql, "SELECT count(*) FROM transactions") == before
    # Equal as numbers, but written differently.
    psql.execute("UPDATE figures SET amount = amount::text::numeric(30, 3) WHERE amount = 47000")
    assert one(psql, "SELECT count(*) FROM transactions") == before + 1


ADD = "INSERT INTO sources (csl_type, title, external_id) VALUES ('report', %s, 'test:added')"
REMOVE = "DELETE FROM sources WHERE external_id = 'test:added'"


def test_written_in_cannot_be_set(psql: Connection) -> None:
    psql.execute("UPDATE sources SET written_in = 7 WHERE external_id = 'hksz:ttps-reply-2024'")
    psql.execute("INSERT INTO sources (csl_type, title, written_in) VALUES ('report', 'A', 7)")
    assert one(psql, "SELECT count(*) FROM sources WHERE written_in = 7") == 0


def test_the_log_has_before_and_after(psql: Connection) -> None:
    retitle(psql, "Before")
    retitle(psql, "After")
    operation, before, after, actor, changed = psql.execute(
        "SELECT log.operation, before ->> 'title', after ->> 'title', actor, changed"
        " FROM change_log AS log JOIN changes USING (transaction_id, table_name, row_key)"
        " WHERE log.table_name = 'sources' ORDER BY committed_at DESC LIMIT 1"
    ).fetchall()[0]
    assert (operation, before, after, actor) == ("update", "Before", "After", "hksz")
    assert changed == ["title"]


def test_the_log_has_inserted_and_deleted_rows(psql: Connection) -> None:
    psql.execute(ADD, ["X"])
    psql.execute(REMOVE)
    log = psql.execute(
        "SELECT operation, before ->> 'title', after ->> 'title' FROM change_log"
        " WHERE table_name = 'sources' ORDER BY committed_at DESC LIMIT 2"
    ).fetchall()
    assert log == [("delete", "X", None), ("insert", None, "X")]
    with psql.transaction():
        psql.execute(ADD, ["Y"])
        psql.execute(REMOVE)
    assert one(psql, "SELECT count(*) FROM change_log WHERE after ->> 'title' = 'Y'") == 0


def test_cascaded_deletes_are_recorded(psql: Connection, past: PreparingConnection) -> None:
    psql.execute(ADD, ["Z"])
    psql.execute(
        "INSERT INTO source_captures (source_id, normalization, char_length, text_sha256)"
        " SELECT id, 'nfc-ws1', 1, repeat('0', 64) FROM sources WHERE external_id = 'test:added'"
    )
    there = now(psql)
    psql.execute(REMOVE)
    captured = (
        "SELECT count(*) FROM source_captures JOIN sources ON sources.id = source_id"
        " WHERE external_id = 'test:added'"
    )
    for moment, found in ((there, 1), (now(psql), 0)):
        assert one_at(past, moment, captured) == found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE changes SET operation = 'insert'",
        "DELETE FROM changes",
        "TRUNCATE changes",
        "UPDATE transactions SET actor = 'nobody'",
        "DELETE FROM transactions",
        "TRUNCATE transactions",
        "UPDATE past.sources SET title = 'x'",
        "DELETE FROM past.claims",
        "TRUNCATE past.claims",
        "TRUNCATE claims CASCADE",
    ],
)
def test_the_history_cannot_be_rewritten(psql: Connection, statement: str) -> None:
    retitle(psql, "Something to rewrite")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        psql.execute(statement)


@contextmanager
def service_role(server: Server, database: str) -> Iterator[str]:
    """The name of a role that ``flask grant`` has given its rights."""
    role = "hksz_service"
    owned = Database(lambda: server.url(database))
    with connected(server.url(database, superuser=True)) as superuser:
        superuser.execute(f"CREATE ROLE {role} LOGIN".encode())
        try:
            with writing(owned) as session:
                granting.grant(session, role)
            yield role
        finally:
            owned.close()
            superuser.execute(f"DROP OWNED BY {role}; DROP ROLE {role}".encode())


def test_a_role_that_may_write_cannot_touch_the_history(
    server: Server, database_url: str, psql: Connection
) -> None:
    name = str(make_url(database_url).database)
    with (
        service_role(server, name) as role,
        connected(server.url(name, superuser=True).replace("postgres@", f"{role}@")) as service,
    ):
        retitle(service, "By the service")
        assert one(psql, "SELECT actor FROM transactions ORDER BY id DESC LIMIT 1") == role
        for table in ("transactions", "changes", "feed_horizons", "past.sources"):
            for statement in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="denied"):
                    service.execute(statement.format(table))
        database = Database(lambda: server.url(name).replace("hksz@", f"{role}@"))
        reading = document_statement("sources", ("title",))
        id = one(psql, "SELECT id FROM sources WHERE external_id = 'hksz:ttps-reply-2024'")
        ((_, _, _, body),) = database.read(reading, {"id": id}, now(psql))
        assert json.loads(body) == {"title": "By the service"}
        assert note_due(database) == 0
        assert record_horizon(database)
        psql.execute("CREATE TABLE added_later ()")
        service.execute("INSERT INTO added_later DEFAULT VALUES")
        psql.execute("DROP TABLE added_later")
        assert not Feed(database).after(BEGINNING, 1).caught_up
        database.close()


def test_a_role_that_may_write_serves_the_history(
    server: Server, database_url: str, psql: Connection
) -> None:
    name = str(make_url(database_url).database)
    with service_role(server, name) as role:
        database = Database(lambda: server.url(name).replace("hksz@", f"{role}@"))
        with writing(database) as session:
            key = api_keys.create(session, "served", [Scope.ADMIN])
        client = create_app(Settings(log_level="error"), database).test_client()
        headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}

        def read(path: str) -> Any:
            return json.loads(client.get(path).data)

        for resource in RESOURCES:
            id = one(psql, f"SELECT id FROM {resource} ORDER BY id LIMIT 1")
            path = f"/v1/{resource}/{id}"
            earlier = read(path)["external_id"]
            changing = client.patch(path, json={"external_id": "test:x"}, headers=headers)
            assert changing.status_code == 200
            latest = read(f"{path}/history")["data"][0]
            assert (latest["actor"], latest["changed"]) == ("served", ["external_id"])
            now = latest["version"]
            before = one(psql, f"SELECT max(version) FROM past.{resource} WHERE id = %s", id)
            assert read(f"{path}/history/{now}")["document"] == read(path)
            compared = read(f"{path}/history/{before}/diff/{now}")["differences"]
            assert "/external_id" in {difference["pointer"] for difference in compared}
            back = client.post(f"{path}/history/{before}/restore", headers=headers)
            assert back.status_code == 200
            assert json.loads(back.data)["external_id"] == earlier
        database.close()


def test_rolled_back_savepoints_leave_nothing(psql: Connection) -> None:
    with psql.transaction():
        with psql.transaction(force_rollback=True):
            retitle(psql, "Rolled back")
        retitle(psql, "Kept")
    title, written_in = psql.execute(
        "SELECT title, written_in FROM sources WHERE external_id = 'hksz:ttps-reply-2024'"
    ).fetchall()[0]
    assert title == "Kept"
    assert one(psql, "SELECT committed_at FROM transactions WHERE id = %s", written_in)


@pytest.mark.slow
def test_a_transaction_becomes_visible_as_a_whole_when_it_commits(
    database_url: str, psql: Connection, past: PreparingConnection
) -> None:
    """A long transaction that began before another one and committed after it."""
    retitle(psql, "Old")
    with connected(database_url) as slow:
        with slow.transaction():
            slow.execute("UPDATE units SET label = label || '!' WHERE code = '1'")
            written = now(psql)
            slow.execute("SELECT pg_sleep(1.1)")
            retitle(psql, "Between")
            between = now(psql)
            slow.execute("UPDATE units SET label = label || '?' WHERE code = 'har'")
        after = now(psql)
    seen = "SELECT string_agg(label, ' ' ORDER BY code) FROM units WHERE code IN ('1', 'har')"
    labels = {}
    for moment in (written, between, after):
        labels[moment] = one_at(past, moment, seen)
    assert "!" not in labels[written] + labels[between]
    assert "?" not in labels[between]
    assert labels[after].count("!") == labels[after].count("?") == 1
    assert title_at(past, between) == "Between"
    assert title_at(past, written) == "Old"


def test_a_transaction_that_overwrites_another_is_later(
    database_url: str, psql: Connection
) -> None:
    """B began first and waited for A, but its version replaced A's, so it is later."""
    with connected(database_url) as a, connected(database_url) as b, ThreadPoolExecutor(1) as pool:
        with a.transaction():
            retitle(a, "A")

            def write() -> None:
                with b.transaction():
                    b.execute("UPDATE metrics SET label = label || '.' WHERE key IS NOT NULL")
                    retitle(b, "B")

            waiting = pool.submit(write)
            threading.Event().wait(0.2)
        waiting.result(10)
    rows = psql.execute(
        "SELECT title, sys_period FROM history.sources"
        " WHERE external_id = 'hksz:ttps-reply-2024' ORDER BY sys_period DESC LIMIT 2"
    ).fetchall()
    assert [title for title, _ in rows] == ["B", "A"]
    assert rows[0][1].lower == rows[1][1].upper


def test_as_of_waits_for_transactions_that_are_committing(
    database_url: str, psql: Connection, past: PreparingConnection
) -> None:
    """A read as of a very recent time can be repeated with the same result."""
    with connected(database_url) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("BEGIN")
        retitle(writer, "Committing")
        writer.execute("SET CONSTRAINTS ALL IMMEDIATE")
        asked = pool.submit(title_at, past, now(psql))
        threading.Event().wait(0.2)
        assert not asked.done()
        writer.execute("COMMIT")
        assert asked.result(10) == "Committing"


@pytest.mark.slow
def test_the_clock_may_be_set_back(psql: Connection) -> None:
    """A transaction that saw another one is later, even if the clock was set back."""
    psql.execute("ALTER TABLE transactions DISABLE TRIGGER transactions_refuse_rewriting")
    ahead = datetime.now(UTC) + timedelta(seconds=2)
    retitle(psql, "Of tomorrow")
    psql.execute(
        "UPDATE transactions SET committed_at = %s WHERE id = (SELECT max(id) FROM transactions)",
        [ahead],
    )
    retitle(psql, "Of today")
    last = one(psql, "SELECT max(committed_at) FROM transactions")
    psql.execute("ALTER TABLE transactions ENABLE TRIGGER transactions_refuse_rewriting")
    assert last == ahead + timedelta(microseconds=1)
    threading.Event().wait(2)


def test_times_before_the_history_are_refused(past: PreparingConnection, psql: Connection) -> None:
    began = one(psql, "SELECT committed_at FROM transactions WHERE id = 0")
    assert one_at(past, began, "SELECT 1") == 1
    for moment in (began - timedelta(microseconds=1), now(psql) + timedelta(hours=1)):
        with pytest.raises(OutsideHistory, match="until now"):
            one_at(past, moment, "SELECT 1")


def test_the_use_of_a_key_is_not_recorded(database_url: str, psql: Connection) -> None:
    database = Database(lambda: database_url)
    with writing(database) as session:
        key = api_keys.create(session, "somebody", [Scope.CLAIMS_WRITE])
    before = one(psql, "SELECT count(*) FROM transactions")
    with writing(database) as session:
        api_keys.authenticate(session, key)
    assert one(psql, "SELECT last_used_at FROM api_keys WHERE label = 'somebody'")
    assert one(psql, "SELECT count(*) FROM transactions") == before
    with writing(database) as session:
        api_keys.revoke(session, "somebody")
    assert one(psql, "SELECT count(*) FROM transactions") == before + 1
    database.close()


def test_the_registry_lists_the_tables_with_a_history(psql: Connection) -> None:
    stored = psql.execute("SELECT name, resource, owner, ignored, logged FROM history.tables")
    assert {name: TableHistory(name, *options) for name, *options in stored} == HISTORY_TABLES


def test_only_derived_tables_are_not_listed(psql: Connection) -> None:
    listed = {table for (table,) in psql.execute("SELECT DISTINCT table_name FROM changes")}
    assert "claim_bands" not in listed
    assert {"sources", "claims", "evidence", "corroborations", "api_keys"} <= listed


def test_as_of_reads_one_snapshot(
    database_url: str, psql: Connection, past: PreparingConnection
) -> None:
    """A transaction that began before the time and commits during the read is not seen."""
    retitle(psql, "Seen")
    with connected(database_url) as writer:
        writer.execute("BEGIN")
        retitle(writer, "Unseen")
        moment = now(psql)
        with as_of_snapshot(past, moment):
            writer.execute("COMMIT")
            title = b"SELECT title FROM sources WHERE external_id = 'hksz:ttps-reply-2024'"
            assert past.fetch(title, []) == [(b"Seen",)]
        assert title_at(past, moment) == "Seen"


def test_a_session_stays_in_the_present(psql: Connection, past: PreparingConnection) -> None:
    """Whoever uses the session next is not answered from the past."""
    settings = b"SELECT current_setting('search_path'), current_setting('hksz.as_of', true)"
    before = past.fetch(settings, [])
    title_at(past, now(psql))
    assert past.fetch(settings, []) in (before, [(before[0][0], b"")])


def test_as_of_keeps_its_prepared_statements(database_url: str, psql: Connection) -> None:
    database = Database(lambda: database_url)
    moment = now(psql)
    statement = document_statement("claims", ("id",))
    for _ in range(2):
        database.read(statement, {"id": uuid4()}, moment)
    kept = database.read(Prepared("TABLE pg_prepared_statements", (), {}), {}, moment)
    database.close()
    assert statement.sql.encode() in [text for _, text, *_ in kept]


def test_temporary_tables_are_not_mistaken_for_the_history(
    server: Server, database_url: str, psql: Connection
) -> None:
    name = str(make_url(database_url).database)
    with (
        service_role(server, name) as role,
        connected(server.url(name, superuser=True).replace("postgres@", f"{role}@")) as service,
    ):
        service.execute("CREATE TEMP TABLE transactions (LIKE public.transactions INCLUDING ALL)")
        service.execute("CREATE TEMP TABLE changes (LIKE public.changes INCLUDING ALL)")
        retitle(service, "Not hidden")
        service.execute("SET search_path = pg_catalog")
        service.execute("UPDATE public.units SET label = label || '.'")
        log = "SELECT actor FROM change_log WHERE table_name = 'units' ORDER BY committed_at DESC"
        assert one(psql, f"{log} LIMIT 1") == role
        titled = "SELECT count(*) FROM change_log WHERE after ->> 'title' = 'Not hidden'"
        assert one(psql, titled) == 1
