"""Claims are counted by the status of their evidence, by an index that holds it.

The index is built while the table can be written, and then takes the place of another. It can be
broken off and begun again.
"""

from alembic import op

revision = "counted_evidence"
down_revision = "set_wise_bands"

# An interrupted run leaves an index that is not valid; one that it finished is kept.
DROP_UNFINISHED = """
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relname = 'evidence_of_claim_idx'
    ) THEN
        DROP INDEX evidence_of_claim_idx;
    END IF;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        # It waits for older transactions, such as exports, and blocks nothing meanwhile.
        op.execute("SELECT set_config('hksz.lock_timeout', current_setting('lock_timeout'), false)")
        op.execute("SET lock_timeout = 0")
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS evidence_of_claim_idx"
            " ON evidence (claim_id, id) INCLUDE (status, deleted_at)"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS evidence_claim_id_id_idx")
        op.execute("SELECT set_config('lock_timeout', current_setting('hksz.lock_timeout'), false)")
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    op.execute("CREATE INDEX evidence_claim_id_id_idx ON evidence (claim_id, id)")
    op.execute("DROP INDEX IF EXISTS evidence_of_claim_idx")
