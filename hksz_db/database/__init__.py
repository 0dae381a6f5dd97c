"""The database: connections, transactions for writers, and prepared statements for readers.

Reading bypasses the ORM: a statement is compiled once to ``$n`` placeholders, prepared on each
connection and run in autocommit mode, and the bytes that PostgreSQL sends are passed on.
"""

from hksz_db.database.connecting import (
    Connection,
    DatabaseUnusable,
    check_version,
    connection_parameters,
    driver_url,
    explained,
    is_absence,
)
from hksz_db.database.connections import (
    as_of_snapshot,
    set_as_of,
    use_generic_plans,
    use_history_schema,
)
from hksz_db.database.database import Database
from hksz_db.database.statements import Prepared, fetch_in, prepare, run

__all__ = [
    "Connection",
    "Database",
    "DatabaseUnusable",
    "Prepared",
    "as_of_snapshot",
    "check_version",
    "connection_parameters",
    "driver_url",
    "explained",
    "fetch_in",
    "is_absence",
    "prepare",
    "run",
    "set_as_of",
    "use_generic_plans",
    "use_history_schema",
]
