"""Overdue claims are recorded in parts, within the statement timeout however many there are."""

from alembic import op

revision = "due_in_parts"
down_revision = "feed_beginning"

# Returns the number of claims recorded; fewer than 10,000 are the last. Each claim is recorded once
# for each last day: one whose date was corrected falls due again. While another call records them,
# this one returns 0 at once.
NOTE_DUE = """
CREATE OR REPLACE FUNCTION note_due(today date DEFAULT (clock_timestamp() AT TIME ZONE 'UTC')::date)
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
    ORDER BY passed.id LIMIT 10000
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS noted = ROW_COUNT;
    RETURN noted;
END $$
"""


def upgrade() -> None:
    op.execute(NOTE_DUE)


def downgrade() -> None:
    op.execute(NOTE_DUE.replace(" LIMIT 10000", ""))
