"""The rights of a role that serves and is not the owner of the tables."""

from psycopg.sql import SQL, Identifier

from hksz_db.database import Session, run

_ALL_DATA = "SELECT, INSERT, UPDATE, DELETE"
# Functions with the rights of the owner, and migrations, write these.
_KEPT_BY_OWNER = "transactions, changes, alembic_version, feed_horizons, known_revisions"
_GRANTS = (
    "GRANT USAGE ON SCHEMA public, past, as_of, history TO {role}",
    f"GRANT {_ALL_DATA} ON ALL TABLES IN SCHEMA public TO {{role}}",
    f"REVOKE INSERT, UPDATE, DELETE ON {_KEPT_BY_OWNER} FROM {{role}}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA past, as_of, history TO {role}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {_ALL_DATA} ON TABLES TO {{role}}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA past, as_of, history GRANT SELECT ON TABLES TO {role}",
)


def grant(session: Session, role: str) -> None:
    """Let a role write all data and read all history.

    It gets the same rights to the tables that the current role, which is to be the owner of all
    tables, creates later.
    """
    for statement in _GRANTS:
        run(session, SQL(statement).format(role=Identifier(role)).as_string())
