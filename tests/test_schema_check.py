"""A database that lacks a part of its schema is not ready, and says which part."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from app import create_app
from hksz_db.api.readiness import SchemaCheck
from hksz_db.database import Database, DatabaseUnusable
from hksz_db.domain.errors import Unavailable
from hksz_db.embedded import Server
from hksz_db.preparing import prepare
from hksz_db.schema_check import incompleteness
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.slow
OTHER_EVENT = (
    "DROP TRIGGER keep_history_deleted ON units; CREATE TRIGGER keep_history_deleted"
    " BEFORE DELETE ON units EXECUTE FUNCTION mark_written()"
)
BROKEN = [
    ("DROP TRIGGER mark_written_updated ON claims", ["trigger mark_written_updated on claims"]),
    (
        "ALTER TABLE evidence DISABLE TRIGGER keep_history_updated",
        ["trigger keep_history_updated on evidence"],
    ),
    ("DROP TRIGGER claims_keep_bands ON claims", ["trigger claims_keep_bands on claims"]),
    ("DROP TRIGGER refuse_rewriting ON past.units", ["trigger refuse_rewriting on past.units"]),
    (
        "DROP FUNCTION past.row_image CASCADE",
        ["function past.row_image", "view public.change_log"],
    ),
    (
        "DROP FUNCTION recount_claims CASCADE",
        ["function public.recount_claims"],
    ),
    (OTHER_EVENT, ["trigger keep_history_deleted on units"]),
    ("DROP VIEW as_of.units", ["view as_of.units"]),
    (
        "CREATE OR REPLACE FUNCTION mark_written() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        ["function public.mark_written"],
    ),
    ("DROP SEQUENCE transaction_numbers", ["sequence public.transaction_numbers"]),
    ("DROP INDEX past.claims_feed_beginning_idx", ["index past.claims_feed_beginning_idx"]),
    ("DELETE FROM history.tables WHERE name = 'claims'", ["row of claims in history.tables"]),
    ("DROP VIEW history.api_keys", ["view history.api_keys"]),
    (
        "DROP TABLE past.seed_items CASCADE",
        [
            "table past.seed_items",
            "trigger refuse_rewriting on past.seed_items",
            "view as_of.seed_items",
            "view history.seed_items",
        ],
    ),
    (
        "ALTER TABLE metrics ADD COLUMN shelf text",
        [
            "column shelf of metrics in as_of.metrics",
            "column shelf of metrics in history.metrics",
            "column shelf of metrics in past.metrics",
            "column shelf of metrics in the function past.keep_metrics",
            "column shelf of metrics in the trigger mark_written_updated",
        ],
    ),
    (
        "DROP VIEW history.units, as_of.units; ALTER TABLE past.units ALTER label TYPE varchar(9)",
        ["column label of units in past.units", "view as_of.units", "view history.units"],
    ),
]


@pytest.fixture
def url(make_database: MakeDatabase) -> Iterator[str]:
    """A database that the test may damage."""
    with make_database() as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(Database(lambda: url)) as database:
        yield database


def execute(url: str, sql: str) -> None:
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(sql.encode())


@pytest.mark.parametrize(("sql", "missing"), BROKEN, ids=[sql for sql, _ in BROKEN])
def test_missing_parts_are_named(url: str, database: Database, sql: str, missing: Any) -> None:
    execute(url, sql)
    with writing(database) as session:
        found = incompleteness(session)
    assert found == f"The database schema is incomplete. Missing: {'; '.join(missing)}."


def test_the_service_is_not_ready_and_says_why(url: str, database: Database) -> None:
    execute(url, "DROP TRIGGER mark_written_updated ON claims")
    client: Any = create_app(Settings(log_level="error"), database).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["detail"].endswith("Missing: trigger mark_written_updated on claims.")
    execute(url, "SELECT refresh_history('claims')")
    assert client.get("/readyz").status_code == 200


def test_a_failed_check_is_repeated(url: str, database: Database) -> None:
    """A successful check is cached; a database that was unreachable may have been replaced."""
    readiness = SchemaCheck()
    readiness.state(database)
    execute(url, "DROP TRIGGER mark_written_updated ON claims")
    readiness.state(database)
    absent = Database(lambda: "postgresql:///?host=/nonexistent")
    with closing(absent), pytest.raises(Unavailable):
        readiness.state(absent)
    with pytest.raises(Unavailable, match="mark_written_updated"):
        readiness.state(database)


def test_the_missing_rights_of_a_role_are_named(url: str, server: Server) -> None:
    administrator = server.url(str(make_url(url).database), superuser=True)
    execute(administrator, "CREATE ROLE hksz_reader LOGIN")
    try:
        reader = administrator.replace("postgres@", "hksz_reader@")
        with closing(Database(lambda: reader)) as database:
            client: Any = create_app(Settings(log_level="error"), database).test_client()
            refused = client.get("/readyz")
            execute(administrator, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO hksz_reader")
            answer = client.get("/readyz")
        assert refused.status_code == 503
        assert refused.json["detail"] == (
            "The role hksz_reader may not read the revisions of the schema; the owner of the"
            " database has to run `flask grant hksz_reader`."
        )
        assert answer.status_code == 503
        assert answer.json["detail"].endswith(
            "Missing: right to read all of the schema as_of;"
            " right to read all of the schema history; right to read all of the schema past."
        )
    finally:
        execute(administrator, "DROP OWNED BY hksz_reader; DROP ROLE hksz_reader")


def test_a_command_without_rights_is_one_sentence(url: str, server: Server) -> None:
    administrator = server.url(str(make_url(url).database), superuser=True)
    execute(administrator, "CREATE ROLE hksz_stranger LOGIN")
    try:
        stranger = administrator.replace("postgres@", "hksz_stranger@")
        with closing(Database(lambda: stranger)) as database:
            app = create_app(Settings(log_level="error"), database)
            answer = app.test_cli_runner().invoke(args=["keys", "list"])
        assert answer.exit_code == 1
        assert answer.output == (
            "Error: The role in DATABASE_URL lacks a right: permission denied for table api_keys.\n"
        )
    finally:
        execute(administrator, "DROP ROLE hksz_stranger")


def test_only_some_of_many_missing_parts_are_named(url: str, database: Database) -> None:
    execute(url, "DROP SCHEMA past CASCADE")
    with writing(database) as session:
        found = incompleteness(session)
    assert found
    assert len(found) < 1500
    assert found.endswith(" more.")


def test_a_damaged_database_is_not_served(url: str, database: Database) -> None:
    execute(url, "DROP TRIGGER mark_written_updated ON claims")
    with pytest.raises(DatabaseUnusable, match="mark_written_updated"):
        prepare(database)
