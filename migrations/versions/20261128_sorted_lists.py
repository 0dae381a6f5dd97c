"""Lists are sorted by due date, period and place in the text by indexes, in both directions.

The indexes are built while the tables can be written. It can be broken off and begun again. Two are
dropped, whose order the remaining ones keep backwards.
"""

from alembic import op

revision = "sorted_lists"
down_revision = "word_bands"

INDEXES = {
    "claims_due_asc_idx": "claims (lower(due), id) WHERE lower(due) IS NOT NULL",
    "figures_period_asc_idx": "figures (lower(period), id)",
    "evidence_start_char_id_idx": "evidence (start_char, id) WHERE start_char IS NOT NULL",
}
SUPERFLUOUS = {
    "claims_time_desc_idx": "claims (lower(time) DESC NULLS LAST, id DESC)",
    "sources_issued_desc_idx": "sources (lower(issued) DESC NULLS LAST, id DESC)",
}
# An interrupted run leaves an index that is not valid; those that it finished are kept.
DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relname IN (
            'claims_due_asc_idx', 'figures_period_asc_idx', 'evidence_start_char_id_idx'
        )
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        # It waits for older transactions, such as exports, and blocks nothing meanwhile.
        op.execute("SELECT set_config('hksz.lock_timeout', current_setting('lock_timeout'), false)")
        op.execute("SET lock_timeout = 0")
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")
        for name in SUPERFLUOUS:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        op.execute("SELECT set_config('lock_timeout', current_setting('hksz.lock_timeout'), false)")
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    for name, columns in SUPERFLUOUS.items():
        op.execute(f"CREATE INDEX {name} ON {columns}")
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
