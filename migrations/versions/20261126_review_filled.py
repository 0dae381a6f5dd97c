"""The queue of reviews has what was submitted before; evidence can be a draft.

It can be broken off and begun again.
"""

from alembic import op

revision = "review_filled"
down_revision = "review"

# The submissions that were there before. The rows are locked, so that what is filled in is still
# submitted. Each thousand is a transaction of its own, and the step can be repeated.
FILL = """
DO $$
DECLARE
    batch uuid[];
    last uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        WITH following AS (
            SELECT id FROM {table} WHERE id > last ORDER BY id LIMIT 1000
        ), submitted AS (
            SELECT id, updated_at FROM {table}
            WHERE id IN (SELECT id FROM following)
                AND status = 'submitted' AND deleted_at IS NULL
            FOR SHARE
        ), filled AS (
            INSERT INTO submissions (id, resource, submitted_at, likely_same)
            SELECT id, '{table}', updated_at, {likely_same} FROM submitted
            ON CONFLICT DO NOTHING
        )
        SELECT array_agg(id ORDER BY id) INTO batch FROM following;
        EXIT WHEN batch IS NULL;
        COMMIT;
        last := batch[cardinality(batch)];
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute("SET LOCAL client_min_messages = warning")
    op.execute("""
        ALTER TABLE evidence
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT IF EXISTS evidence_status_check,
            ADD CONSTRAINT evidence_status_check
                CHECK (status IN ('draft', 'submitted', 'accepted', 'rejected')) NOT VALID
    """)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE evidence VALIDATE CONSTRAINT evidence_status_check")
        op.execute(FILL.format(table="claims", likely_same="NULL"))
        op.execute(FILL.format(table="evidence", likely_same="false"))


def downgrade() -> None:
    op.execute("ALTER TABLE evidence DROP CONSTRAINT evidence_status_check")
