"""What a database lacks of the functions, triggers, views and histories that the models install.

Alembic compares tables, and the revision only says which migrations ran. Neither shows a trigger
that a restore could not create, or a column that was added without its history. Such a database
would serve requests and lose old versions.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from hksz_db.models.base import INSTALLED
from hksz_db.models.history import KEPT, REFRESH_HISTORY, UNLOGGED, UNNOTICED

_NAMED = 20
"""So many parts are named; of more, the number is said."""

# The body of a function stands between two dollar quotes; one in SQL proper has none.
_FUNCTION = re.compile(
    r"CREATE FUNCTION (?:(\w+)\.)?(\w+)\((?:.*?\sAS (\$\w*\$)(.*)\3)?", re.DOTALL
)
_INDEX = re.compile(r"CREATE INDEX (\w+) ON (past)\.")
_SEQUENCE = re.compile(r"CREATE SEQUENCE (\w+)")
_VIEW = re.compile(r"CREATE VIEW (\w+)")
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+)\s.*?\sON (\w+)", re.DOTALL)
# The triggers of every table with a history, or of its twin in the schema ``past``.
_HISTORY_TRIGGER = re.compile(
    r"CREATE (?:OR REPLACE )?TRIGGER (\w+) [A-Z ]+ ON (past\.)?%", re.DOTALL
)
# The catalogue is read by name: looking a name up needs the right to use its schema.
_MISSING = """
WITH expected AS (
    SELECT * FROM json_to_recordset(:expected)
    AS listed (kind text, home text, name text, on_table text, body text)
), histories AS (
    SELECT * FROM json_to_recordset(:histories)
    AS listed (name text, resource text, owner text, ignored text[], logged boolean)
), relation AS (
    SELECT pg_class.oid, nspname AS home, relname AS name, relkind, indisvalid
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN pg_index ON indexrelid = pg_class.oid
    WHERE nspname IN ('public', 'past', 'as_of', 'history')
), held AS (
    SELECT histories.name, attrelid, attname, attnum, atttypid, atttypmod,
        attgenerated = '' AND attname <> ALL (ignored) AS watched
    FROM histories JOIN relation ON relation.home = 'public' AND relation.name = histories.name
        JOIN pg_attribute ON attrelid = relation.oid
    WHERE attnum > 0 AND NOT attisdropped
)
SELECT format('function %s.%s', home, name) FROM expected
WHERE kind = 'function' AND NOT EXISTS (
    SELECT FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE proname = name AND nspname = home AND (body IS NULL OR prosrc = body)
)
UNION ALL
SELECT format('%s %s.%s', kind, home, name) FROM expected
WHERE kind IN ('view', 'table', 'sequence', 'index') AND NOT EXISTS (
    SELECT FROM relation
    WHERE relation.home = expected.home AND relation.name = expected.name
        AND indisvalid IS NOT FALSE
)
UNION ALL
SELECT format('right to read all of the schema %s', nspname) FROM pg_namespace
WHERE nspname IN ('past', 'as_of', 'history') AND (
    NOT has_schema_privilege(pg_namespace.oid, 'USAGE') OR EXISTS (
        SELECT FROM relation WHERE home = nspname AND relkind IN ('r', 'v')
            AND NOT has_table_privilege(relation.oid, 'SELECT')
    )
)
UNION ALL
SELECT format('trigger %s on %s', expected.name, on_table) FROM expected
WHERE kind = 'trigger' AND NOT EXISTS (
    SELECT FROM pg_trigger JOIN relation ON relation.oid = tgrelid
    WHERE relation.home = expected.home AND relation.name = split_part(on_table, '.', -1)
        AND tgname = expected.name AND tgenabled IN ('O', 'A')
)
UNION ALL
SELECT format('column %s of %s in %s.%s', attname, held.name, relation.home, held.name)
FROM held JOIN relation ON relation.name = held.name AND relation.home <> 'public'
WHERE NOT EXISTS (
    SELECT FROM pg_attribute AS other
    WHERE other.attrelid = relation.oid
        AND other.attname = held.attname AND NOT other.attisdropped
        AND other.atttypid = held.atttypid AND other.atttypmod = held.atttypmod
)
UNION ALL
SELECT format('column %s of %s in the trigger %s', attname, held.name, tgname)
FROM held JOIN pg_trigger ON tgrelid = attrelid AND tgname = 'mark_written_updated'
WHERE watched AND NOT EXISTS (
    SELECT FROM pg_depend
    WHERE classid = 'pg_trigger'::regclass AND objid = pg_trigger.oid
        AND refclassid = 'pg_class'::regclass AND refobjid = tgrelid AND refobjsubid = attnum
)
UNION ALL
SELECT format('column %s of %s in the function past.%s', attname, held.name, proname)
FROM held JOIN pg_proc ON proname = 'keep_' || held.name
    JOIN pg_namespace ON pg_namespace.oid = pronamespace AND nspname = 'past'
WHERE watched AND prosrc !~ format('\\m%s\\M', attname)
ORDER BY 1
"""
_UNREGISTERED = """
SELECT format('row of %s in history.tables', name)
FROM json_to_recordset(:histories)
    AS listed (name text, resource text, owner text, ignored text[], logged boolean)
WHERE NOT EXISTS (
    SELECT FROM history.tables AS registered
    WHERE ROW(registered.*) IS NOT DISTINCT FROM ROW(listed.*)
)
ORDER BY 1
"""


def incompleteness(connection: Connection) -> str | None:
    """A sentence that names what the database lacks, or ``None`` if it is complete.

    The database is expected to be at the newest revision. A disabled trigger, an invalid index and
    a function with another body than that of the models count as missing.
    """
    parts = _missing_parts(connection)
    named = "; ".join(parts[:_NAMED])
    more = f"; and {len(parts) - _NAMED} more" if len(parts) > _NAMED else ""
    return f"The database schema is incomplete. Missing: {named}{more}." if parts else None


def _missing_parts(connection: Connection) -> list[str]:
    values = {"expected": _expected(), "histories": _histories()}
    parts = _asked(connection, _MISSING, values)
    # Without the table, or the right to read it, the rows cannot be looked up.
    return parts or _asked(connection, _UNREGISTERED, {"histories": _histories()})


def _asked(connection: Connection, sql: str, values: dict[str, Any]) -> list[str]:
    # Two colons are a cast, and no parameter.
    statement = text(sql.replace("::", r"\:\:"))
    return [part for (part,) in connection.execute(statement, values)]


@cache
def _histories() -> str:
    """The tables with a history as a JSON array, as ``history.tables`` has them."""
    return json.dumps(
        [
            {
                "name": name,
                "resource": resource,
                "owner": owner,
                "ignored": UNNOTICED.get(name, ()),
                "logged": name not in UNLOGGED,
            }
            for name, (resource, owner) in KEPT.items()
        ]
    )


@cache
def _expected() -> str:
    """The parts as a JSON array, read from the statements that create them."""
    return json.dumps([*_installed(), *_history_parts()])


def _installed() -> Iterator[dict[str, str | None]]:
    for statement in map(str.lstrip, INSTALLED):
        if function := _FUNCTION.match(statement):
            home, name, _, body = function.groups()
            yield {"kind": "function", "home": home or "public", "name": name, "body": body}
        if index := _INDEX.match(statement):
            yield {"kind": "index", "home": index[2], "name": index[1]}
        if sequence := _SEQUENCE.match(statement):
            yield {"kind": "sequence", "home": "public", "name": sequence[1]}
        if view := _VIEW.match(statement):
            yield {"kind": "view", "home": "public", "name": view[1]}
        if trigger := _TRIGGER.match(statement):
            yield {"kind": "trigger", "home": "public", "name": trigger[1], "on_table": trigger[2]}


def _history_parts() -> Iterator[dict[str, str | None]]:
    yield {"kind": "table", "home": "history", "name": "tables"}
    for table in KEPT:
        yield {"kind": "table", "home": "past", "name": table}
        yield {"kind": "function", "home": "past", "name": f"keep_{table}"}
        yield {"kind": "view", "home": "as_of", "name": table}
        yield {"kind": "view", "home": "history", "name": table}
        for name, home in _HISTORY_TRIGGER.findall(REFRESH_HISTORY):
            if name != "keep_history_inserted" or table not in UNLOGGED:
                yield {
                    "kind": "trigger",
                    "home": home.rstrip(".") or "public",
                    "name": name,
                    "on_table": f"{home}{table}",
                }
