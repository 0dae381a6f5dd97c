CREATE OR REPLACE FUNCTION refresh_history(kept regclass) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    home text;
    name text;
    options history.tables;
    every text[];
    plain text[];
    keys text[];
    own record;
    same_key text;
    listed text;
    archive text;
    logging text;
    before text;
    after text;
BEGIN
    SELECT quote_ident(nspname), relname INTO home, name
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = kept;
    SELECT registered.* INTO options
    FROM history.tables AS registered JOIN pg_class ON relname = registered.name
    WHERE pg_class.oid = kept;
    IF NOT FOUND THEN
        IF to_regclass(format('past.%I', name)) IS NOT NULL THEN
            RAISE EXCEPTION 'history.tables has no row for %', name;
        END IF;
        RETURN;
    END IF;
    SELECT array_agg(attname ORDER BY attnum = ANY (indkey) DESC, attname),
        array_agg(attname ORDER BY attname) FILTER (WHERE attgenerated = ''),
        array_agg(attname ORDER BY array_position(indkey::int2[], attnum))
            FILTER (WHERE attnum = ANY (indkey))
    INTO every, plain, keys
    FROM pg_attribute JOIN pg_index ON indrelid = attrelid AND indisprimary
    WHERE attrelid = kept AND attnum > 0 AND NOT attisdropped;

    IF to_regclass(format('past.%I', name)) IS NULL THEN
        EXECUTE format('CREATE TABLE past.%I (LIKE %s INCLUDING GENERATED)', name, kept);
        FOR own IN SELECT attname FROM pg_attribute
            WHERE attrelid = kept AND attnum > 0 AND attnotnull AND NOT attisdropped
        LOOP
            EXECUTE format(
                'ALTER TABLE past.%I ALTER COLUMN %I DROP NOT NULL', name, own.attname
            );
        END LOOP;
        EXECUTE format('ALTER TABLE past.%I ADD COLUMN ended_in bigint NOT NULL', name);
        -- By what the table is looked up in, the twin is too; counts only sort it.
        FOR own IN SELECT DISTINCT attname
            FROM pg_index JOIN pg_class AS indexes ON indexes.oid = indexrelid
                JOIN pg_am ON pg_am.oid = indexes.relam
                JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
            WHERE indrelid = kept AND amname = 'btree' AND atttypid <> 'integer'::regtype
            ORDER BY attname
        LOOP
            EXECUTE format('CREATE INDEX ON past.%I (%I)', name, own.attname);
        END LOOP;
    END IF;
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER refuse_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON past.%I'
        ' FOR EACH STATEMENT EXECUTE FUNCTION %s.refuse_rewriting()', name, home
    );
    -- Rows of the twin get a constant default too.
    FOR own IN SELECT attname, format_type(atttypid, atttypmod) AS type, attgenerated,
            pg_get_expr(adbin, adrelid) AS expression,
            (attmissingval::text::text[])[1] AS value
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = kept AND attnum > 0 AND NOT attisdropped AND attname NOT IN (
            SELECT attname FROM pg_attribute
            WHERE attrelid = format('past.%I', name)::regclass AND NOT attisdropped
        ) ORDER BY attnum
    LOOP
        EXECUTE format('ALTER TABLE past.%I ADD COLUMN %I %s', name, own.attname, own.type)
            || CASE
                WHEN own.attgenerated <> ''
                THEN format(' GENERATED ALWAYS AS (%s) STORED', own.expression)
                WHEN own.value IS NOT NULL THEN format(' DEFAULT %L', own.value)
                ELSE ''
            END;
        IF own.attgenerated = '' THEN
            EXECUTE format('ALTER TABLE past.%I ALTER COLUMN %I DROP DEFAULT', name, own.attname);
        END IF;
    END LOOP;

    -- The settings are read once, and not for each row, by the subqueries in this view. The planner
    -- expects what is not null of nearly all rows; it would take a comparison with a subquery for
    -- one that few rows meet.
    SELECT string_agg(format('%I', part), ', ') INTO listed FROM unnest(every) AS part;
    PERFORM detach_history(kept);
    EXECUTE format($$
        CREATE VIEW as_of.%1$I AS
        SELECT %2$s FROM (
            SELECT %2$s, NULL::bigint AS ended_in FROM %3$s
            UNION ALL
            SELECT %2$s, ended_in FROM past.%1$I
        ) AS kept
        WHERE CASE
                WHEN written_in <= (SELECT current_setting('hksz.as_of')::bigint)
                    AND written_in <> ALL (
                        (SELECT current_setting('hksz.as_of_missing')::bigint[])::bigint[]
                    )
                THEN true
            END IS NOT NULL
            AND (
                ended_in IS NULL
                OR ended_in > current_setting('hksz.as_of')::bigint
                OR ended_in = ANY (current_setting('hksz.as_of_missing')::bigint[])
            )
    $$, name, listed, kept);
    SELECT string_agg(format('kept.%I', part), ', ') INTO listed FROM unnest(every) AS part;
    EXECUTE format($$
        CREATE VIEW history.%1$I AS
        SELECT %2$s, tstzrange(began.committed_at, ended.committed_at) AS sys_period
        FROM past.%1$I AS kept
            JOIN %3$s.transactions AS began ON began.id = kept.written_in
            JOIN %3$s.transactions AS ended ON ended.id = kept.ended_in
        UNION ALL
        SELECT %2$s, tstzrange(began.committed_at, NULL) AS sys_period
        FROM %4$s AS kept JOIN %3$s.transactions AS began ON began.id = kept.written_in
    $$, name, listed, home, kept);
    -- The views are new: those who may read the twin may read them.
    FOR own IN
        SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS reader
        FROM pg_class, aclexplode(relacl)
        WHERE pg_class.oid = format('past.%I', name)::regclass
            AND privilege_type = 'SELECT' AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT SELECT ON as_of.%1$I, history.%1$I TO %2$s', name, own.reader);
    END LOOP;

    -- In the function, all names are qualified: a column may have the name of a variable.
    SELECT string_agg(format('%I', part), ', '), string_agg(format('removed.%I', part), ', ')
    INTO listed, before FROM unnest(plain) AS part;
    archive := format(
        'INSERT INTO past.%I (%s, ended_in) SELECT %s, keep.number FROM removed'
        ' WHERE removed.written_in <> keep.number', name, listed, before
    );
    IF options.logged THEN
        SELECT string_agg(format('row_of.%I', part), ', ') INTO listed FROM unnest(keys) AS part;
        logging := format(
            'INSERT INTO %1$s.changes'
            ' (transaction_id, table_name, row_key, operation, resource, resource_id, changed)'
            ' SELECT keep.number, %2$L, concat_ws('','', %3$s), %%1$L, %4$L, %5$s, %%2$s'
            ' FROM %%3$s',
            home, name, listed, options.resource,
            CASE WHEN options.owner IS NULL THEN 'NULL'
                ELSE format('row_of.%I', options.owner) END
        );
    END IF;
    SELECT string_agg(format('row_of.%1$I = removed.%1$I', part), ' AND ')
    INTO same_key FROM unnest(keys) AS part;
    SELECT string_agg(format(
        'CASE WHEN record_image_ne(ROW(row_of.%1$I), ROW(removed.%1$I)) THEN %1$L END', part
    ), ', ')
    INTO listed FROM unnest(plain) AS part
    WHERE part NOT IN ('version', 'updated_at', 'written_in');
    EXECUTE format($$
        CREATE OR REPLACE FUNCTION past.%1$I() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $keep$
        <<keep>>
        DECLARE
            number bigint := NULLIF(current_setting('hksz.transaction', true), '')::bigint;
        BEGIN
            IF TG_OP = 'INSERT' THEN
                %2$s;
            ELSIF TG_OP = 'UPDATE' THEN
                -- What did not change kept its number, and is still there with it.
                %3$s AND NOT EXISTS (
                    SELECT FROM added AS row_of
                    WHERE row_of.written_in = removed.written_in AND %4$s
                );
                %5$s;
            ELSIF EXISTS (SELECT FROM removed) THEN
                number := current_transaction();
                %3$s;
                %6$s;
            END IF;
            RETURN NULL;
        END $keep$
    $$, 'keep_' || name,
        COALESCE(format(logging, 'insert', 'NULL', 'added AS row_of'), 'NULL'),
        archive, same_key,
        COALESCE(format(
            logging, 'update', format('array_remove(ARRAY[%s], NULL)', listed),
            format(
                'added AS row_of JOIN removed ON %s WHERE row_of.written_in = keep.number', same_key
            )
        ), 'NULL'),
        COALESCE(format(logging, 'delete', 'NULL', 'removed AS row_of'), 'NULL')
    );

    EXECUTE format($$
        CREATE OR REPLACE TRIGGER mark_written_inserted BEFORE INSERT ON %1$s
        FOR EACH ROW WHEN (
            NEW.written_in
            IS DISTINCT FROM NULLIF(current_setting('hksz.transaction', true), '')::bigint
        ) EXECUTE FUNCTION %2$s.mark_written()
    $$, kept, home);
    SELECT string_agg(format('OLD.%I', part), ', '), string_agg(format('NEW.%I', part), ', ')
    INTO before, after FROM unnest(plain) AS part WHERE part <> ALL (options.ignored);
    EXECUTE format($$
        CREATE OR REPLACE TRIGGER mark_written_updated BEFORE UPDATE ON %1$s
        FOR EACH ROW WHEN (record_image_ne(ROW(%2$s), ROW(%3$s)))
        EXECUTE FUNCTION %4$s.mark_written()
    $$, kept, before, after, home);
    EXECUTE format($$
        CREATE OR REPLACE TRIGGER refuse_truncation BEFORE TRUNCATE ON %s
        FOR EACH STATEMENT EXECUTE FUNCTION %s.refuse_rewriting()
    $$, kept, home);
    IF options.logged THEN
        EXECUTE format($$
            CREATE OR REPLACE TRIGGER keep_history_inserted AFTER INSERT ON %s
            REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION past.%I()
        $$, kept, 'keep_' || name);
    END IF;
    EXECUTE format($$
        CREATE OR REPLACE TRIGGER keep_history_updated AFTER UPDATE ON %s
        REFERENCING NEW TABLE AS added OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION past.%I()
    $$, kept, 'keep_' || name);
    EXECUTE format($$
        CREATE OR REPLACE TRIGGER keep_history_deleted AFTER DELETE ON %s
        REFERENCING OLD TABLE AS removed
        FOR EACH STATEMENT EXECUTE FUNCTION past.%I()
    $$, kept, 'keep_' || name);
END $body$;
