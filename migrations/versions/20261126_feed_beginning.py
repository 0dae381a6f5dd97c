"""The rows of transaction 0 are indexed, so that the feed begins at once, whatever their number."""

from alembic import op

revision = "feed_beginning"
down_revision = "restorable_history"

RESOURCES = ("sources", "claims", "entities", "figures", "evidence", "metrics", "units")

# An interrupted run leaves an index that is not valid; those that it finished are kept.
DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relname ~ '_feed_beginning_idx$'
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $$
"""


def upgrade() -> None:
    # The tables can be written meanwhile.
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        for resource in RESOURCES:
            op.execute(f"""
                CREATE INDEX CONCURRENTLY IF NOT EXISTS {resource}_feed_beginning_idx
                    ON {resource} (id) WHERE written_in = 0 AND deleted_at IS NULL
            """)
            op.execute(f"""
                CREATE INDEX CONCURRENTLY IF NOT EXISTS {resource}_feed_beginning_idx
                    ON past.{resource} (id) WHERE written_in = 0
            """)
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    for resource in RESOURCES:
        op.execute(f"DROP INDEX IF EXISTS past.{resource}_feed_beginning_idx")
        op.execute(f"DROP INDEX IF EXISTS {resource}_feed_beginning_idx")
