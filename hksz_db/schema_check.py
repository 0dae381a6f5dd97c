"""Finds functions, triggers, views and parts of the history that a database lacks.

Alembic compares tables, and the revision only says which migrations ran. Neither shows a trigger
that a restore could not create, or a column that was added without its history. Such a database
would serve requests and lose old versions.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import psycopg
from sqlalchemy import Connection, TextClause, text

from hksz_db.database.deadlines import waiting
from hksz_db.models import HISTORY_TABLES
from hksz_db.models.base import INSTALLED

_LISTED_PARTS = 20  # the message gives the number of further parts
# Every statement of the SQL files begins so, at the beginning of a line.
_STATEMENT = re.compile(r"^CREATE (?:OR REPLACE |CONSTRAINT )?", re.MULTILINE)
# A body in SQL-standard form is not in dollar quotes, and PostgreSQL does not keep its text.
_FUNCTION = re.compile(r"FUNCTION (?:(\w+)\.)?(\w+)\((?:.*?\sAS (\$\w*\$)(.*?)\3)?", re.DOTALL)
_RELATION = re.compile(r"(SEQUENCE|TABLE|VIEW) (?:(\w+)\.)?(\w+)")
_TRIGGER = re.compile(
    r"TRIGGER (\w+)\s+(BEFORE|AFTER)\s+(.*?)\sON ([\w.%$]+)(.*?)EXECUTE FUNCTION ([\w.%$]+)\(",
    re.DOTALL,
)
# The bits of pg_trigger.tgtype (src/include/catalog/pg_trigger.h).
_FOR_EACH_ROW, _BEFORE = 1, 2
_EVENTS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
_MISSING = text(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
_UNREGISTERED = text("""
SELECT format('row of %s in history.tables', name)
FROM json_to_recordset(:histories)
    AS listed (name text, resource text, owner text, ignored text[], logged boolean)
WHERE NOT EXISTS (
    SELECT FROM history.tables AS registered
    WHERE ROW(registered.*) IS NOT DISTINCT FROM ROW(listed.*)
)
ORDER BY 1
""")


@dataclass(frozen=True)
class _Part:
    """A part of the schema; what follows ``body`` is set for triggers."""

    kind: str
    home: str
    name: str
    body: str | None = None
    on_table: str = ""
    type: int = 0
    function: str = ""
    conditional: bool = False
    limited: bool = False


def incompleteness(connection: Connection) -> str | None:
    """A sentence that names what the database lacks, or ``None`` if it is complete.

    The database is expected to be at the newest revision. A part that differs from that of the
    models counts as missing: a disabled trigger, or one for other events, an invalid index, a
    function with another body.
    """
    # The rows of history.tables can be read only if the first query finds it and the right to it.
    parts = _texts(connection, _MISSING) or _texts(connection, _UNREGISTERED)
    named = "; ".join(parts[:_LISTED_PARTS])
    more = f"; and {len(parts) - _LISTED_PARTS} more" if len(parts) > _LISTED_PARTS else ""
    return f"The database schema is incomplete. Missing: {named}{more}." if parts else None


def _texts(connection: Connection, statement: TextClause) -> Sequence[str]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with waiting(driver):
        return connection.scalars(statement, _described()).all()


@cache
def _described() -> dict[str, str]:
    """The parts, read from the statements that create them, and the rows of ``history.tables``."""
    expected = [asdict(part) for part in (*_installed(), *_history_parts())]
    histories = [asdict(table) for table in HISTORY_TABLES.values()]
    return {"expected": json.dumps(expected), "histories": json.dumps(histories)}


def _installed() -> Iterator[_Part]:
    for file in INSTALLED.values():
        for statement in _STATEMENT.split(file):
            if function := _FUNCTION.match(statement):
                home, name, _, body = function.groups()
                yield _Part("function", home or "public", name, body)
            if relation := _RELATION.match(statement):
                kind, home, name = relation.groups()
                yield _Part(kind.lower(), home or "public", name)
            if trigger := _TRIGGER.match(statement):
                yield _trigger(trigger.groups())


def _history_parts() -> Iterator[_Part]:
    triggers = _TRIGGER.findall(INSTALLED["after_create/keep_history.sql"])
    for name, table in HISTORY_TABLES.items():
        yield _Part("table", "past", name)
        yield _Part("function", "past", f"keep_{name}")
        yield _Part("view", "as_of", name)
        yield _Part("view", "history", name)
        if table.resource == name:
            yield _Part("index", "past", f"{name}_feed_beginning_idx")
        for trigger in map(_trigger, triggers):
            if trigger.name != "keep_history_inserted" or table.logged:
                home = "past" if trigger.on_table.startswith("past.") else "public"
                on_table = f"past.{name}" if home == "past" else name
                function = trigger.function.replace("%I", f"keep_{name}")
                yield replace(trigger, home=home, on_table=on_table, function=function)


def _trigger(found: Sequence[str]) -> _Part:
    """The trigger that a statement creates, as ``pg_trigger`` describes it."""
    name, time, events, table, options, function = found
    bits = [bit for event, bit in _EVENTS.items() if event in events]
    return _Part(
        "trigger",
        "public",
        name,
        on_table=table,
        type=sum(bits)
        + (_FOR_EACH_ROW if "FOR EACH ROW" in options else 0)
        + (_BEFORE if time == "BEFORE" else 0),
        function=function.rpartition(".")[2],
        conditional="WHEN (" in options,
        limited=" OF " in events,
    )
