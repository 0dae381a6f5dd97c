-- The row before or after a change, read from the kept versions: no value is stored twice.
CREATE OR REPLACE FUNCTION past.row_image(table_name text, row_key text, number bigint, ended boolean)
RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = public, pg_temp AS $body$
DECLARE
    kept regclass := table_name::regclass;
    matching text;
    generated text[];
    image jsonb;
BEGIN
    SELECT string_agg(format(
        '%I = split_part($1, '','', %s)::%s', attname, array_position(indkey::int2[], attnum) + 1,
        format_type(atttypid, atttypmod)
    ), ' AND ') INTO matching
    FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
    WHERE indrelid = kept AND indisprimary;
    SELECT array_agg(attname) INTO generated FROM pg_attribute
    WHERE attrelid = kept AND (attgenerated <> '' OR attname = 'written_in');
    EXECUTE format(
        'SELECT to_jsonb(was) - ''ended_in'' FROM past.%I AS was WHERE %s AND %I = $2',
        table_name, matching, CASE WHEN ended THEN 'ended_in' ELSE 'written_in' END
    ) INTO image USING row_key, number;
    IF image IS NULL AND NOT ended THEN
        EXECUTE format('SELECT to_jsonb(is_now) FROM %s AS is_now WHERE %s AND written_in = $2',
            kept, matching
        ) INTO image USING row_key, number;
    END IF;
    RETURN image - generated;
END $body$;

CREATE OR REPLACE VIEW change_log AS
SELECT committed_at, actor, request_id, transaction_id, table_name, row_key,
    CASE WHEN before IS NULL THEN 'insert' WHEN after IS NULL THEN 'delete' ELSE 'update' END
        AS operation,
    resource, resource_id, before, after
FROM (
    SELECT DISTINCT transaction_id, table_name, row_key, resource, resource_id FROM changes
) AS changed JOIN transactions ON transactions.id = transaction_id,
LATERAL past.row_image(table_name, row_key, transaction_id, true) AS before,
LATERAL past.row_image(table_name, row_key, transaction_id, false) AS after
WHERE before IS NOT NULL OR after IS NOT NULL;
