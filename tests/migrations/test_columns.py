"""Columns are added to and dropped from tables with a history, which stays readable."""

from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.util import CommandError

from hksz_db.database import Connection, Database
from hksz_db.database.connecting import Connector
from hksz_db.database.connections import set_as_of
from hksz_db.models import HISTORY_TABLES
from hksz_db.schema_check import incompleteness
from hksz_db.services.writing import writing
from tests.migrations.administration import alembic, dump, fill

pytestmark = pytest.mark.slow

Rows = dict[str, list[dict[str, Any]]]
REVISION = """
from alembic import op

revision = "shelves"
down_revision = "{newest}"
TABLES = {tables}


def upgrade() -> None:
    for table in TABLES:
        op.add_columns(table, "shelf text DEFAULT 'A' NOT NULL", "row_number int")


def downgrade() -> None:
    for table in TABLES:
        op.drop_columns(table, "shelf", "row_number")
"""

ADD = 'op.add_columns("units", "shelf text")'
DROP = 'op.drop_columns("units", "shelf")'
ONE = """
from alembic import op

revision = "{name}"
down_revision = "{before}"


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
"""


@pytest.fixture
def versions(tmp_path: Path, migrated: str) -> Path:
    """A folder with a further migration: two columns for every table with a history."""
    newest = alembic(migrated, "heads").split()[0]
    source = REVISION.format(newest=newest, tables=tuple(HISTORY_TABLES))
    (tmp_path / "shelves.py").write_text(source)
    return tmp_path


def connected(url: str) -> closing[Connection]:
    return closing(psycopg.connect(url, autocommit=True))


def now(url: str) -> datetime:
    with connected(url) as connection:
        ((moment,),) = connection.execute("SELECT clock_timestamp()").fetchall()
        assert isinstance(moment, datetime)
        return moment


def rows_at(url: str, moment: datetime) -> Rows:
    """The rows of every table with a history at that time."""
    connector = Connector(lambda: url, statement_timeout_ms=60_000)
    with closing(connector.connect()) as connection, connection.transaction():
        set_as_of(connection, moment)
        return {
            table: [
                row
                for (row,) in connection.execute(
                    f"SELECT to_jsonb(held) FROM {table} AS held ORDER BY 1".encode()
                )
            ]
            for table in HISTORY_TABLES
        }


def without_shelves(rows: Rows) -> Rows:
    """The rows without the new columns and without the effects of their changes."""
    left_out = {"shelf", "row_number", "written_in"}
    return {
        table: [{name: row[name] for name in row if name not in left_out} for row in held]
        for table, held in rows.items()
    }


def shelves(rows: Rows) -> dict[str, str]:
    """The distinct values of the new column in each table."""
    return {table: "".join(sorted({row["shelf"] for row in held})) for table, held in rows.items()}


def put_on(url: str, shelf: str) -> None:
    with connected(url) as connection:
        for table in HISTORY_TABLES:
            connection.execute(f"UPDATE {table} SET shelf = %s".encode(), [shelf])


def test_every_table_with_a_history_can_get_and_lose_columns(migrated: str, versions: Path) -> None:
    fill(migrated)
    schema, before = dump(migrated), now(migrated)
    held = rows_at(migrated, before)
    assert all(held.values())

    alembic(migrated, "upgrade", "head", versions=versions)
    between = now(migrated)
    put_on(migrated, "B")
    after = now(migrated)
    for moment, shelf in ((before, "A"), (between, "A"), (after, "B")):
        seen = rows_at(migrated, moment)
        assert shelves(seen) == dict.fromkeys(HISTORY_TABLES, shelf)
        assert without_shelves(seen) == without_shelves(held)
    with connected(migrated) as connection:
        listed = connection.execute(
            "SELECT table_name FROM changes WHERE changed = '{shelf}' GROUP BY table_name"
        )
        logged = {name for name, table in HISTORY_TABLES.items() if table.logged}
        assert {table for (table,) in listed} == logged

    with pytest.raises(
        CommandError, match=r"values of sources\.shelf \(3\), .*past\.sources\.shel"
    ):
        alembic(migrated, "downgrade", "-1", versions=versions)
    alembic(migrated, "-x", "drop-data=yes", "downgrade", "-1", versions=versions)
    assert dump(migrated) == schema
    for moment in (before, between, after, now(migrated)):
        assert without_shelves(rows_at(migrated, moment)) == without_shelves(held)

    alembic(migrated, "upgrade", "head", versions=versions)
    put_on(migrated, "C")
    assert shelves(rows_at(migrated, after)) == dict.fromkeys(HISTORY_TABLES, "A")
    assert shelves(rows_at(migrated, now(migrated))) == dict.fromkeys(HISTORY_TABLES, "C")


def test_a_downgrade_past_a_column_that_was_dropped_is_checked(
    migrated: str, tmp_path: Path
) -> None:
    """The first of the steps adds the column that the last drops."""
    newest = alembic(migrated, "heads").split()[0]
    (tmp_path / "added.py").write_text(ONE.format(name="added", before=newest, up=ADD, down=DROP))
    (tmp_path / "gone.py").write_text(ONE.format(name="gone", before="added", up=DROP, down=ADD))
    alembic(migrated, "upgrade", "head", versions=tmp_path)
    schema = dump(migrated)
    alembic(migrated, "downgrade", newest, versions=tmp_path)
    assert dump(migrated) == schema


def test_columns_may_have_any_name_and_default(migrated: str, tmp_path: Path) -> None:
    """Names that the history uses itself, a colon, and a column that rewrites the table."""
    fill(migrated)
    newest = alembic(migrated, "heads").split()[0]
    columns = (
        "number int DEFAULT 7 NOT NULL",
        'found jsonb DEFAULT \'{"a": ":x"}\'::jsonb',
        "keep uuid DEFAULT uuidv7()",
        '"naïve列" text',
    )
    add = f"op.add_columns('claims', *{columns!r})"
    (tmp_path / "a.py").write_text(ONE.format(name="a", before=newest, up=add, down="pass"))
    with connected(migrated) as connection:
        connection.execute("UPDATE claims SET statement = 'Before.'")
        alembic(migrated, "upgrade", "head", versions=tmp_path)
        connection.execute("UPDATE claims SET statement = 'After.', number = 8, found = '1'")
        versions = connection.execute(
            "SELECT DISTINCT number, found->>'a' FROM past.claims"
        ).fetchall()
        assert versions == [(7, ":x")]
    with closing(Database(lambda: migrated)) as database, writing(database) as session:
        assert incompleteness(session) is None


def test_a_table_with_a_history_can_be_dropped(migrated: str, tmp_path: Path) -> None:
    newest = alembic(migrated, "heads").split()[0]
    drop = 'op.drop_tables("seed_items")'
    (tmp_path / "a.py").write_text(ONE.format(name="a", before=newest, up=drop, down="pass"))
    alembic(migrated, "upgrade", "head", versions=tmp_path)
    assert "seed_items" not in dump(migrated)
    with connected(migrated) as connection:
        left = connection.execute("SELECT FROM history.tables WHERE name = 'seed_items'")
        assert left.fetchall() == []


def test_a_file_of_statements_is_executed(migrated: str, tmp_path: Path) -> None:
    """A colon or a percent sign in it does not begin a parameter."""
    file = tmp_path / "shelf.sql"
    file.write_text(
        "CREATE FUNCTION shelf() RETURNS text LANGUAGE sql RETURN ':shelf %s';\n"
        "CREATE VIEW shelves AS SELECT shelf();\n"
    )
    newest = alembic(migrated, "heads").split()[0]
    execute = f"op.execute_file({str(file)!r})"
    (tmp_path / "a.py").write_text(ONE.format(name="a", before=newest, up=execute, down="pass"))
    alembic(migrated, "upgrade", "head", versions=tmp_path)
    with connected(migrated) as connection:
        assert connection.execute("SELECT * FROM shelves").fetchall() == [(":shelf %s",)]


def test_an_sql_script_adds_and_drops_the_same_columns(migrated: str, versions: Path) -> None:
    fill(migrated)
    schema = dump(migrated)
    newest = alembic(migrated, "heads").split()[0]
    alembic(migrated, "upgrade", "head", versions=versions)
    with_shelves = dump(migrated)
    alembic(migrated, "-x", "drop-data=yes", "downgrade", "-1", versions=versions)
    with connected(migrated) as connection:
        connection.execute(
            alembic(migrated, "upgrade", f"{newest}:head", "--sql", versions=versions).encode()
        )
        assert dump(migrated) == with_shelves
        connection.execute(
            alembic(
                migrated,
                *("-x", "drop-data=yes", "downgrade", f"shelves:{newest}", "--sql"),
                versions=versions,
            ).encode()
        )
    assert dump(migrated) == schema


def test_a_column_without_its_history_fails_the_check(migrated: str) -> None:
    with connected(migrated) as connection:
        connection.execute("ALTER TABLE sources ADD COLUMN shelf text")
    with pytest.raises(CommandError, match=r"column shelf of sources in past\.sources"):
        alembic(migrated, "check")
