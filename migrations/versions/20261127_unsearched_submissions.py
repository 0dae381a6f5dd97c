"""The submissions that have not been searched for are found by an index, built concurrently.

It can be broken off and begun again.
"""

from alembic import op

revision = "unsearched_submissions"
down_revision = "claim_words"

# An interrupted run leaves an index that is not valid.
DROP_UNFINISHED = """
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_index
        WHERE indexrelid = to_regclass('submissions_unsearched_idx') AND NOT indisvalid
    ) THEN
        DROP INDEX submissions_unsearched_idx;
    END IF;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS submissions_unsearched_idx"
            " ON submissions (submitted_at, id) WHERE likely_same IS NULL"
        )
        op.execute("RESET client_min_messages")


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS submissions_unsearched_idx")
