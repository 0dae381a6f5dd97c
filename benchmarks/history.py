"""Changes of the generated rows, which give them earlier versions and the feed its transactions."""

import psycopg

_ACTOR = "benchmark-history"
_TRANSACTIONS = 300
_ACT = "SELECT set_config('hksz.actor', %s, false)"
# Twenty claims in each transaction, from all over the table; afterwards they are as before.
_RETRACT = """
    UPDATE claims SET status = 'retracted', version = version + 1, updated_at = now()
    WHERE status = 'submitted' AND id IN (
        SELECT benchmark.claim_id(((%s * 20 + nth) * (claims / 6001))::int + 1)
        FROM benchmark.dataset, generate_series(0, 19) AS nth
    )
"""
_SUBMIT = """
    UPDATE claims SET status = 'submitted', version = version + 1, updated_at = now()
    WHERE status = 'retracted' AND version > 1
"""
# The entity that most claims are about.
_RENAME = """
    WITH renamed AS (
        UPDATE entity_names SET name = name || ' & Co.'
        WHERE entity_id = benchmark.entity_id(1) AND kind = 'preferred'
    )
    UPDATE entities SET name = name || ' & Co.', version = version + 1
    WHERE id = benchmark.entity_id(1)
"""
_MOMENTS = """
    SELECT to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), id::text
    FROM transactions WHERE actor = %s ORDER BY id
"""


def prepare(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """Make the changes, unless that has been done: the moment and the id of each transaction.

    The last of them renames an entity. The connection commits each statement.
    """
    if not connection.execute(_MOMENTS, [_ACTOR]).fetchone():
        connection.execute(_ACT, [_ACTOR])
        for number in range(_TRANSACTIONS):
            connection.execute(_RETRACT, [number])
        connection.execute(_SUBMIT)
        connection.execute(_RENAME)
        connection.execute("VACUUM (ANALYZE)")
    return connection.execute(_MOMENTS, [_ACTOR]).fetchall()
