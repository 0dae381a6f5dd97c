"""What a database lacks of the functions, triggers, views and histories that the models install.

Alembic compares tables, and the revision only says which migrations ran. Neither shows a trigger
that a restore could not create, or a column that was added without its history. Such a database
would serve requests and lose old versions.
"""

import json
import re
from collections.abc import Iterator, Sequence
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
_TRIGGER = re.compile(
    r"TRIGGER (\w+)\s+(BEFORE|AFTER)\s+(.*?)\sON ([\w.%$]+)(.*?)EXECUTE FUNCTION ([\w.%$]+)\(",
    re.DOTALL,
)
# The bits of pg_trigger.tgtype (src/include/catalog/pg_trigger.h).
_FOR_EACH_ROW, _BEFORE = 1, 2
_EVENTS = {"INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}
# The catalogue is read by name: looking a name up needs the right to use its schema.
_MISSING = """
WITH expected AS (
    SELECT * FROM json_to_recordset(:expected)
    AS listed (
        kind text, home text, name text, body text,
        on_table text, type int, function text, conditional boolean, limited boolean
    )
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
        JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE relation.home = expected.home AND relation.name = split_part(on_table, '.', -1)
        AND tgname = expected.name AND tgenabled IN ('O', 'A') AND tgtype = type
        AND proname = function AND (tgqual IS NOT NULL) = conditional
        AND (tgattr::text <> '') = limited
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
WHERE watched AND strpos(prosrc, quote_ident(attname)) = 0
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

    The database is expected to be at the newest revision. A part that differs from that of the
    models counts as missing: a disabled trigger, or one for other events, an invalid index, a
    function with another body.
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


def _installed() -> Iterator[dict[str, Any]]:
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
        if statement.startswith(("CREATE TRIGGER", "CREATE CONSTRAINT TRIGGER")):
            yield from map(_trigger, _TRIGGER.findall(statement))


def _history_parts() -> Iterator[dict[str, Any]]:
    yield {"kind": "table", "home": "history", "name": "tables"}
    for table in KEPT:
        yield {"kind": "table", "home": "past", "name": table}
        yield {"kind": "function", "home": "past", "name": f"keep_{table}"}
        yield {"kind": "view", "home": "as_of", "name": table}
        yield {"kind": "view", "home": "history", "name": table}
        for trigger in map(_trigger, _TRIGGER.findall(REFRESH_HISTORY)):
            if trigger["name"] != "keep_history_inserted" or table not in UNLOGGED:
                home = "past" if trigger["on_table"].startswith("past.") else "public"
                on_table = f"past.{table}" if home == "past" else table
                function = trigger["function"].replace("%I", f"keep_{table}")
                yield {**trigger, "home": home, "on_table": on_table, "function": function}


def _trigger(found: Sequence[str]) -> dict[str, Any]:
    """A trigger by the statement that creates it, as ``pg_trigger`` describes it."""
    name, time, events, table, further, function = found
    bits = [bit for event, bit in _EVENTS.items() if event in events]
    return {
        "kind": "trigger",
        "home": "public",
        "name": name,
        "on_table": table,
        "type": sum(bits)
        + (_FOR_EACH_ROW if "FOR EACH ROW" in further else 0)
        + (_BEFORE if time == "BEFORE" else 0),
        "function": function.rpartition(".")[2],
        "conditional": "WHEN (" in further,
        "limited": " OF " in events,
    }
