"""Due dates: a planned claim whose last day has passed is an entry in the log of changes."""

from alembic import op

revision = "due_dates"
down_revision = "histories"

# Once for each claim and each last day: a claim whose date was corrected falls due again. One at a
# time, and nobody waits for another who does the same.
NOTE_DUE = """
CREATE FUNCTION note_due(today date DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')::date)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    noted bigint;
BEGIN
    today := least(today, (clock_timestamp() AT TIME ZONE 'UTC')::date);
    IF NOT pg_try_advisory_xact_lock(hashtext('note_due')) THEN
        RETURN 0;
    END IF;
    INSERT INTO changes (transaction_id, table_name, row_key, operation, resource, resource_id)
    SELECT current_transaction(), 'claims', passed.row_key, 'due', 'claims', passed.id
    FROM (
        SELECT id, id || ',' || to_char(upper(due) - 1, 'YYYY-MM-DD') AS row_key
        FROM claims
        WHERE upper(due) <= today AND modality = 'planned' AND deleted_at IS NULL
    ) AS passed
    WHERE NOT EXISTS (
        SELECT FROM changes
        WHERE changes.row_key = passed.row_key AND changes.operation = 'due'
    )
    ORDER BY passed.id
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS noted = ROW_COUNT;
    RETURN noted;
END $$
"""


def upgrade() -> None:
    op.execute(NOTE_DUE)
    # What is there can be written meanwhile. When it is broken off, an index stays that cannot be
    # used.
    with op.get_context().autocommit_block():
        op.execute("SET client_min_messages = warning")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS claims_falling_due_idx")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS changes_due_idx")
        op.execute("RESET client_min_messages")
        op.execute("""
            CREATE INDEX CONCURRENTLY claims_falling_due_idx
                ON claims (upper(due)) WHERE modality = 'planned' AND deleted_at IS NULL
        """)
        op.execute("""
            CREATE UNIQUE INDEX CONCURRENTLY changes_due_idx
                ON changes (row_key) WHERE operation = 'due'
        """)


def downgrade() -> None:
    op.execute("DROP INDEX IF EXISTS claims_falling_due_idx, changes_due_idx")
    op.execute("DROP FUNCTION note_due(date)")
