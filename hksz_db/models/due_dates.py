"""Due dates: a planned claim whose last day has passed is an entry in the log of changes.

The server process notes it once a minute; ``flask due`` does it where no server runs.
"""

from hksz_db.models.base import install

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
install(NOTE_DUE)
