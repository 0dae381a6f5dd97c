-- Records the planned claims whose last day has passed as entries in "changes", and returns how
-- many. Large numbers take several calls; the last one returns 0. A claim is recorded once for each
-- last day: it falls due again after a correction of its date. While another call records claims,
-- this one returns 0 at once.
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
END $$;
