"""The keys of merged sources and claims stay taken; the indexes are made while writers go on.

It can be broken off and begun again.
"""

from alembic import op

revision = "merges_indexed"
down_revision = "merges"

# An interrupted run leaves an index that is not valid; those that it finished are kept.
DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relname ~ '^(sources|claims)_(redirect_to|.*_live_key)'
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $$
"""
KEYS = (("sources", "external_id"), ("sources", "canonical_url"), ("claims", "external_id"))
LIVE_KEY = """
CREATE UNIQUE INDEX {concurrently} IF NOT EXISTS {name}_new
    ON {table} ({column}, (CASE WHEN {live} THEN NULL ELSE id END))
    NULLS NOT DISTINCT WHERE {column} IS NOT NULL
"""
# If only the renaming is missing, the index with the new rule has the new name.
REPLACE = """
DO $$
BEGIN
    IF to_regclass('{name}_new') IS NOT NULL THEN
        DROP INDEX IF EXISTS {name};
        ALTER INDEX {name}_new RENAME TO {name};
    END IF;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        for table in ("sources", "claims"):
            for schema in ("public", "past"):
                op.execute(f"""
                    CREATE INDEX CONCURRENTLY IF NOT EXISTS {table}_redirect_to_idx
                        ON {schema}.{table} (redirect_to)
                """)
        _replace_keys("deleted_at IS NULL OR redirect_to IS NOT NULL", "CONCURRENTLY")
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    _replace_keys("deleted_at IS NULL")
    for table in ("sources", "claims"):
        for schema in ("public", "past"):
            op.execute(f"DROP INDEX IF EXISTS {schema}.{table}_redirect_to_idx")


def _replace_keys(live: str, concurrently: str = "") -> None:
    for table, column in KEYS:
        name = f"{table}_{column}_live_key"
        index = {"name": name, "table": table, "column": column, "live": live}
        op.execute(LIVE_KEY.format(**index, concurrently=concurrently))
        op.execute(REPLACE.format(name=name))
