"""Claims and evidence are found and counted by the terms of their columns, by indexes.

The indexes are built while the tables can be written. It can be broken off and begun again.
"""

from alembic import op

revision = "indexed_terms"
down_revision = "replaced_keys"

INDEXES = {
    "claims_terms_idx": "claims (status, modality, language, deleted_at)",
    "evidence_terms_idx": "evidence (status, stance, directness, interest, added_by, deleted_at)",
    "past.claims_status_idx": "past.claims (status)",
    "past.evidence_status_idx": "past.evidence (status)",
}
# An interrupted run leaves an index that is not valid; those that it finished are kept.
DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relname ~ '^(claims|evidence)_(terms|status)_idx$'
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
            op.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name.removeprefix('past.')} ON {columns}"
            )
        op.execute("SELECT set_config('lock_timeout', current_setting('hksz.lock_timeout'), false)")
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
