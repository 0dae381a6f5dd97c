-- The parts of the schema that the database lacks, described for a reader.
-- Names are compared with the catalogues, because a lookup needs the right to use the schema.
WITH expected AS (
    SELECT * FROM json_to_recordset(:expected)
    AS listed (
        kind text, home text, name text, body text,
        on_table text, type int, function text, conditional boolean, limited boolean
    )
), histories AS (
    SELECT * FROM json_to_recordset(:histories)
    AS listed (name text, resource text, owner text, ignored text[], logged boolean)
), relation AS (
    SELECT pg_class.oid, nspname AS home, relname AS name, relkind, indisvalid
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        LEFT JOIN pg_index ON indexrelid = pg_class.oid
    WHERE nspname IN ('public', 'past', 'as_of', 'history')
), held AS (
    SELECT histories.name, attrelid, attname, attnum, atttypid, atttypmod,
        attgenerated = '' AND attname <> ALL (ignored) AS watched
    FROM histories JOIN relation ON relation.home = 'public' AND relation.name = histories.name
        JOIN pg_attribute ON attrelid = relation.oid
    WHERE attnum > 0 AND NOT attisdropped
)
SELECT format('function %s.%s', home, name) FROM expected
WHERE kind = 'function' AND NOT EXISTS (
    SELECT FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
    WHERE proname = name AND nspname = home AND (body IS NULL OR prosrc = body)
)
UNION ALL
SELECT format('%s %s.%s', kind, home, name) FROM expected
WHERE kind IN ('view', 'table', 'sequence', 'index') AND NOT EXISTS (
    SELECT FROM relation
    WHERE relation.home = expected.home AND relation.name = expected.name
        AND indisvalid IS NOT FALSE
)
UNION ALL
SELECT format('right to read all of the schema %s', nspname) FROM pg_namespace
WHERE nspname IN ('past', 'as_of', 'history') AND (
    NOT has_schema_privilege(pg_namespace.oid, 'USAGE') OR EXISTS (
        SELECT FROM relation WHERE home = nspname AND relkind IN ('r', 'v')
            AND NOT has_table_privilege(relation.oid, 'SELECT')
    )
)
UNION ALL
SELECT format('trigger %s on %s', expected.name, on_table) FROM expected
WHERE kind = 'trigger' AND NOT EXISTS (
    SELECT FROM pg_trigger JOIN relation ON relation.oid = tgrelid
        JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE relation.home = expected.home AND relation.name = split_part(on_table, '.', -1)
        AND tgname = expected.name AND tgenabled IN ('O', 'A') AND tgtype = type
        AND proname = function AND (tgqual IS NOT NULL) = conditional
        AND (tgattr::text <> '') = limited
)
UNION ALL
SELECT format('column %s of %s in %s.%s', attname, held.name, relation.home, held.name)
FROM held JOIN relation ON relation.name = held.name AND relation.home <> 'public'
WHERE NOT EXISTS (
    SELECT FROM pg_attribute AS other
    WHERE other.attrelid = relation.oid
        AND other.attname = held.attname AND NOT other.attisdropped
        AND other.atttypid = held.atttypid AND other.atttypmod = held.atttypmod
)
UNION ALL
SELECT format('column %s of %s in the trigger %s', attname, held.name, tgname)
FROM held JOIN pg_trigger ON tgrelid = attrelid AND tgname = 'mark_written_updated'
WHERE watched AND NOT EXISTS (
    SELECT FROM pg_depend
    WHERE classid = 'pg_trigger'::regclass AND objid = pg_trigger.oid
        AND refclassid = 'pg_class'::regclass AND refobjid = tgrelid AND refobjsubid = attnum
)
UNION ALL
SELECT format('column %s of %s in the function past.%s', attname, held.name, proname)
FROM held JOIN pg_proc ON proname = 'keep_' || held.name
    JOIN pg_namespace ON pg_namespace.oid = pronamespace AND nspname = 'past'
WHERE watched AND strpos(prosrc, quote_ident(attname)) = 0
ORDER BY 1
