"""Due dates: a planned claim whose last day has passed is an entry in the log of changes.

The server process notes it once a minute; ``flask due`` does it where no server runs.
"""

from hksz_db.models.base import install

NOTED_AT_ONCE = 10_000
"""How many claims one call of ``note_due`` records at most."""

# Returns the number of claims recorded; fewer than the limit are the last. Each claim is recorded
# once for each last day: one whose date was corrected falls due again. While another call records
# them, this one returns 0 at once.
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
    ORDER BY passed.id LIMIT :limit
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS noted = ROW_COUNT;
    RETURN noted;
END $$
""".replace(":limit", str(NOTED_AT_ONCE))
install(NOTE_DUE)
