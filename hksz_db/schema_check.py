"""What a database lacks of the functions, triggers, views and histories that the models install.

Alembic compares tables, and the revision only says which migrations ran. Neither shows a trigger
that a restore could not create, or a column that was added without its history. Such a database
would serve requests and lose old versions.
"""

import json
import re
from collections.abc import Iterator
from functools import cache

from sqlalchemy import Connection, text

from hksz_db.models.base import INSTALLED
from hksz_db.models.history import KEPT, REFRESH_HISTORY, UNLOGGED, UNNOTICED

_FUNCTION = re.compile(r"CREATE FUNCTION (?:(\w+)\.)?(\w+)\(")
_VIEW = re.compile(r"CREATE VIEW (\w+)")
_TRIGGER = re.compile(r"CREATE (?:CONSTRAINT )?TRIGGER (\w+)\s.*?\sON (\w+)", re.DOTALL)
# The triggers of every table with a history, or of its twin in the schema ``past``.
_HISTORY_TRIGGER = re.compile(
    r"CREATE (?:OR REPLACE )?TRIGGER (\w+) [A-Z ]+ ON (past\.)?%", re.DOTALL
)
_MISSING = """
WITH expected AS (
    SELECT * FROM json_to_recordset(:expected)
    AS listed (kind text, home text, name text, on_table text)
), histories AS (
    SELECT * FROM json_to_recordset(:histories) AS listed (name text, ignored text[])
), held AS (
    SELECT histories.name, attname, attnum, atttypid, atttypmod,
        attgenerated = '' AND attname <> ALL (ignored) AS watched
    FROM histories JOIN pg_attribute ON attrelid = to_regclass(histories.name)
    WHERE attnum > 0 AND NOT attisdropped
)
SELECT format('function %s.%s', home, name) FROM expected
WHERE kind = 'function' AND NOT EXISTS (
    SELECT FROM pg_proc WHERE proname = name AND pronamespace = to_regnamespace(home)
)
UNION ALL
SELECT format('%s %s.%s', kind, home, name) FROM expected
WHERE kind IN ('view', 'table') AND to_regclass(format('%I.%I', home, name)) IS NULL
UNION ALL
SELECT format('trigger %s on %s', name, on_table) FROM expected
WHERE kind = 'trigger' AND NOT EXISTS (
    SELECT FROM pg_trigger
    WHERE tgrelid = to_regclass(on_table) AND tgname = name AND tgenabled IN ('O', 'A')
)
UNION ALL
SELECT format('column %s of %s in %s.%s', attname, held.name, home, held.name)
FROM held, unnest(ARRAY['past', 'as_of', 'history']) AS home
WHERE to_regclass(format('%I.%I', home, held.name)) IS NOT NULL AND NOT EXISTS (
    SELECT FROM pg_attribute AS other
    WHERE other.attrelid = to_regclass(format('%I.%I', home, held.name))
        AND other.attname = held.attname AND NOT other.attisdropped
        AND other.atttypid = held.atttypid AND other.atttypmod = held.atttypmod
)
UNION ALL
SELECT format('column %s of %s in the trigger %s', attname, held.name, tgname)
FROM held JOIN pg_trigger ON tgrelid = to_regclass(held.name) AND tgname = 'mark_written_updated'
WHERE watched AND NOT EXISTS (
    SELECT FROM pg_depend
    WHERE classid = 'pg_trigger'::regclass AND objid = pg_trigger.oid
        AND refclassid = 'pg_class'::regclass AND refobjid = tgrelid AND refobjsubid = attnum
)
UNION ALL
SELECT format('column %s of %s in the function past.%s', attname, held.name, proname)
FROM held JOIN pg_proc
    ON proname = 'keep_' || held.name AND pronamespace = to_regnamespace('past')
WHERE watched AND prosrc !~ format('\\m%s\\M', attname)
ORDER BY 1
"""


def incompleteness(connection: Connection) -> str | None:
    """A sentence that names what the database lacks, or ``None`` if it is complete.

    The database is expected to be at the newest revision. A disabled trigger counts as missing.
    """
    parts = _missing_parts(connection)
    return f"The database schema is incomplete. Missing: {'; '.join(parts)}." if parts else None


def _missing_parts(connection: Connection) -> list[str]:
    histories = [{"name": name, "ignored": UNNOTICED.get(name, ())} for name in KEPT]
    # Colons that are not parameters are those of casts.
    statement = text(re.sub("::", r"\:\:", _MISSING))
    values = {"expected": _expected(), "histories": json.dumps(histories)}
    return [part for (part,) in connection.execute(statement, values)]


@cache
def _expected() -> str:
    """The parts as a JSON array, read from the statements that create them."""
    return json.dumps([*_installed(), *_history_parts()])


def _installed() -> Iterator[dict[str, str]]:
    for statement in map(str.lstrip, INSTALLED):
        if function := _FUNCTION.match(statement):
            yield {"kind": "function", "home": function[1] or "public", "name": function[2]}
        if view := _VIEW.match(statement):
            yield {"kind": "view", "home": "public", "name": view[1]}
        if trigger := _TRIGGER.match(statement):
            yield {"kind": "trigger", "name": trigger[1], "on_table": trigger[2]}


def _history_parts() -> Iterator[dict[str, str]]:
    for table in KEPT:
        yield {"kind": "table", "home": "past", "name": table}
        yield {"kind": "function", "home": "past", "name": f"keep_{table}"}
        yield {"kind": "view", "home": "as_of", "name": table}
        yield {"kind": "view", "home": "history", "name": table}
        for name, home in _HISTORY_TRIGGER.findall(REFRESH_HISTORY):
            if name != "keep_history_inserted" or table not in UNLOGGED:
                yield {"kind": "trigger", "name": name, "on_table": f"{home}{table}"}
