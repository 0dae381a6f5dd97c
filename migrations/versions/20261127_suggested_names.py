"""Names are found by their beginnings; the indexes are built while writers go on.

It can be broken off and begun again.
"""

from alembic import op

revision = "suggested_names"
down_revision = "ascii_statements"

INDEXES = {
    "entity_names_beginning_idx": "entity_names (lower(name) text_pattern_ops)",
    "metrics_words_idx": "metrics USING gin (name_words((label || ' ') || key))",
    "units_words_idx": "units USING gin (name_words((label || ' ') || code))",
}

# An interrupted run leaves an index that is not valid; those that it finished are kept.
DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid
            AND relname IN ('entity_names_beginning_idx', 'metrics_words_idx', 'units_words_idx')
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
