"""History: what every row was, who changed it, and what the database held at any moment.

A transaction gets a number when it first writes, and a time when it commits. Each row says which
transaction wrote it (``written_in``); what a row was before goes into its twin in the schema
``past``, with the transaction that ended it. Numbers and not times, because when a transaction
commits is not known while it writes, and because only whole transactions may be seen.

A row stood at a moment if the transaction that wrote it had committed by then, and the one that
ended it had not. The views of the schema ``as_of`` show exactly these rows of each table; those of
the schema ``history`` show all that there ever were, each with its ``sys_period``.

All of it is done by triggers, so that whatever writes is covered, and none of it can be rewritten.
They work with the rights of the owner, and look for names where only he can make some: temporary
tables come last, or somebody's own ``transactions`` would be taken for this one.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base, install

KEPT: dict[str, tuple[str | None, str | None]] = {
    "sources": ("sources", "id"),
    "source_contributors": ("sources", "source_id"),
    "source_captures": ("sources", "source_id"),
    "source_relations": ("sources", "from_id"),
    "entities": ("entities", "id"),
    "entity_names": ("entities", "entity_id"),
    "entity_identifiers": ("entities", "entity_id"),
    "entity_relations": ("entities", "subject_id"),
    "entity_merges": (None, None),
    "entity_merge_moves": (None, None),
    "claims": ("claims", "id"),
    "claim_entities": ("claims", "claim_id"),
    "claim_topics": ("claims", "claim_id"),
    "claim_relations": ("claims", "from_id"),
    "figures": ("figures", "id"),
    "evidence": ("evidence", "id"),
    "corroborations": ("claims", "claim_id"),
    "claim_bands": (None, None),
    "metrics": ("metrics", "id"),
    "units": ("units", "id"),
    "api_keys": (None, None),
    "seed_items": (None, None),
}
"""The tables with a history: of which resource a row is part, and the column with its id."""

UNLOGGED = frozenset({"claim_bands"})
"""Of these the history is kept and no change is listed: they follow from others."""

UNNOTICED = {"api_keys": ("last_used_at",)}
"""Columns whose change is none."""


class Transaction(Base):
    """Whatever wrote at once: by whom, for which request, and when it was committed.

    ``id`` holds the moment at which it began to write, in microseconds, times 1024, and the last
    digits of a sequence: what begins later has a greater one. ``slow`` are those that took more
    than a second, so that of all others none began more than a second before it was committed.
    Number 0 is all that was there when the history began.
    """

    __tablename__ = "transactions"
    __table_args__ = (
        Index("transactions_committed_at_id_idx", "committed_at", "id"),
        Index("transactions_slow_idx", "committed_at", postgresql_where="slow"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    actor: Mapped[str]
    request_id: Mapped[str | None]
    committed_at: Mapped[datetime | None]
    slow: Mapped[bool] = mapped_column(server_default=text("false"))


class Change(Base):
    """One row of a table that a transaction wrote, or took away.

    ``resource`` and ``resource_id`` say whose document it is part of, ``changed`` which columns of
    an updated row differ. The operation ``due`` is none of these: the last day of a planned claim
    has passed, and ``row_key`` is its id and that day.
    """

    __tablename__ = "changes"
    __table_args__ = (
        Index(None, "transaction_id", "resource", "resource_id"),
        Index("changes_due_idx", "row_key", unique=True, postgresql_where="operation = 'due'"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    transaction_id: Mapped[int] = mapped_column(BigInteger)
    table_name: Mapped[str]
    row_key: Mapped[str]
    operation: Mapped[str]
    resource: Mapped[str | None]
    resource_id: Mapped[UUID | None]
    changed: Mapped[list[str] | None] = mapped_column(ARRAY(Text))


def keep_history(table: str) -> str:
    """The statement that gives a table its history."""
    resource, owner = (f"'{name}'" if name else "NULL" for name in KEPT[table])
    unnoticed = ", ".join(UNNOTICED.get(table, ()))
    logged = str(table not in UNLOGGED).lower()
    return f"SELECT keep_history('{table}', {resource}, {owner}, '{{{unnoticed}}}', {logged})"


def index_feed_beginning(resource: str) -> str:
    """The statement that indexes, in a resource's twin, the rows that transaction 0 wrote."""
    return (
        f"CREATE INDEX {resource}_feed_beginning_idx ON past.{resource} (id) WHERE written_in = 0"
    )


SCHEMAS = ("CREATE SCHEMA past", "CREATE SCHEMA as_of", "CREATE SCHEMA history")
NUMBERS = "CREATE SEQUENCE transaction_numbers"
BEGIN_TRANSACTION = """
CREATE FUNCTION begin_transaction() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    number bigint := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 1024;
BEGIN
    number := number + (nextval('transaction_numbers') & 1023);
    INSERT INTO transactions (id, actor, request_id) VALUES (
        number,
        COALESCE(NULLIF(current_setting('hksz.actor', true), ''), session_user::text),
        NULLIF(current_setting('hksz.request_id', true), '')
    );
    PERFORM set_config('hksz.transaction', number::text, true);
    RETURN number;
END $$
"""
# Where a transaction has its number already, nothing is called.
CURRENT_TRANSACTION = """
CREATE FUNCTION current_transaction() RETURNS bigint LANGUAGE sql VOLATILE
RETURN COALESCE(
    NULLIF(current_setting('hksz.transaction', true), '')::bigint, begin_transaction()
)
"""
# The last thing a transaction does before it commits. Whoever asks what is committed by a moment
# sees by the lock who is about to be, and since when; the lock is let go when all can see it. A
# transaction is later than all that it can have seen, and than its own lock says, whatever the
# clock does. A notification makes commits wait for each other: it is sent when it was quiet before,
# and whoever listens looks by himself as long as it is not.
COMMIT_TRANSACTION = """
CREATE FUNCTION transactions_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    began timestamptz := clock_timestamp();
    last timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock_shared((extract(epoch FROM began) * 1000000)::bigint);
    SELECT max(committed_at) INTO last FROM transactions;
    IF last < began - interval '50 milliseconds' THEN
        PERFORM pg_notify('hksz_changes', '');
    END IF;
    last := greatest(began, clock_timestamp(), last + interval '1 microsecond');
    UPDATE transactions
    SET committed_at = last, slow = extract(epoch FROM last) * 1000000 - id / 1024 > 1000000
    WHERE id = NEW.id;
    RETURN NULL;
END $$
"""
COMMIT_TRIGGER = """
CREATE CONSTRAINT TRIGGER transactions_commit AFTER INSERT ON transactions
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transactions_commit()
"""
# Who is committing, each since when; and the last transaction that all can see.
COMMITTING = """
CREATE FUNCTION committing(since timestamptz) RETURNS SETOF timestamptz
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT to_timestamp(((classid::bigint << 32) | objid::bigint) / 1000000.0)
    FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND mode = 'ShareLock'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid IS DISTINCT FROM pg_backend_pid()
        AND ((classid::bigint << 32) | objid::bigint)
            BETWEEN (extract(epoch FROM since) * 1000000)::bigint
                AND (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + 60000000;
END
"""
# Which transactions are seen as of a moment: all up to the number ``last`` but those ``missing``,
# which had begun and were not committed. Waits for who was about to commit at the moment, so that
# whoever asks again gets the same answer. Not ``within`` is a moment before the history ``began``,
# or one to come.
AS_OF_MOMENT = """
CREATE FUNCTION as_of_moment(moment timestamptz)
RETURNS TABLE (last bigint, missing bigint[], began timestamptz, within boolean)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT committed_at INTO began FROM transactions WHERE id = 0;
    within := moment BETWEEN began AND clock_timestamp();
    IF NOT within THEN
        RETURN NEXT;
        RETURN;
    END IF;
    WHILE EXISTS (SELECT FROM committing(moment - interval '1 day') AS since WHERE since <= moment)
    LOOP
        PERFORM pg_sleep(0.001);
    END LOOP;
    last := (extract(epoch FROM moment) * 1000000)::bigint * 1024 + 1023;
    missing := ARRAY(
        SELECT id FROM transactions
        WHERE committed_at > moment AND committed_at <= moment + interval '1 second'
            AND id <= last
        UNION
        SELECT id FROM transactions WHERE slow AND committed_at > moment AND id <= last
    );
    RETURN NEXT;
END $$
"""
MARK_WRITTEN = """
CREATE FUNCTION mark_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.written_in := public.current_transaction();
    RETURN NEW;
END $$
"""
REFUSE_REWRITING = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history can only be added to, not rewritten (%)', TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""
GUARDS = (
    """
CREATE TRIGGER changes_refuse_rewriting BEFORE UPDATE OR DELETE OR TRUNCATE ON changes
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
""",
    """
CREATE TRIGGER transactions_refuse_removal BEFORE DELETE OR TRUNCATE ON transactions
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()
""",
    """
CREATE TRIGGER transactions_refuse_rewriting BEFORE UPDATE ON transactions
FOR EACH ROW WHEN (OLD.committed_at IS NOT NULL) EXECUTE FUNCTION refuse_rewriting()
""",
)
# Which tables have a history, and how each is kept (``KEPT``, ``UNNOTICED``, ``UNLOGGED``), so that
# a migration can add or drop a column without stating it again.
REGISTRY = """
CREATE TABLE history.tables (
    name text CONSTRAINT tables_pkey PRIMARY KEY,
    resource text,
    owner text,
    ignored text[] NOT NULL,
    logged boolean NOT NULL
)
"""
# Called before a column is changed or dropped: it removes what depends on the table's columns.
DETACH_HISTORY = """
CREATE FUNCTION detach_history(kept regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text := (SELECT relname FROM pg_class WHERE oid = kept);
BEGIN
    IF to_regclass(format('as_of.%I', name)) IS NOT NULL THEN
        EXECUTE format('DROP VIEW as_of.%I', name);
    END IF;
    IF to_regclass(format('history.%I', name)) IS NOT NULL THEN
        EXECUTE format('DROP VIEW history.%I', name);
    END IF;
    IF EXISTS (SELECT FROM pg_trigger WHERE tgrelid = kept AND tgname = 'mark_written_updated') THEN
        EXECUTE format('DROP TRIGGER mark_written_updated ON %s', kept);
    END IF;
END $$
"""
KEEP_HISTORY = """
CREATE FUNCTION keep_history(
    kept regclass, resource text, owner text, ignored text[], logged boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO history.tables
    VALUES ((SELECT relname FROM pg_class WHERE oid = kept), resource, owner, ignored, logged)
    ON CONFLICT (name) DO UPDATE SET resource = EXCLUDED.resource, owner = EXCLUDED.owner,
        ignored = EXCLUDED.ignored, logged = EXCLUDED.logged;
    PERFORM refresh_history(kept);
END $$
"""
# Gives a table that has a history its twin, views and triggers, for the columns that it has now. It
# is called again, in the same transaction, when a column was added, changed or dropped. Columns are
# listed by name, so that the result does not depend on the order in which they were added.
#
# Rows are compared by image (0.5 and 0.50 are equal, but not identical), by the function behind the
# operator *<>: pg_dump prints ROW(…) *<> ROW(…) in a form that PostgreSQL reads as a comparison
# column by column, and a restored database would lack the trigger.
REFRESH_HISTORY = """
CREATE FUNCTION refresh_history(kept regclass) RETURNS void LANGUAGE plpgsql AS $body$
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
        -- By what the table is looked up in, the twin is too.
        FOR own IN SELECT DISTINCT attname
            FROM pg_index JOIN pg_class AS indexes ON indexes.oid = indexrelid
                JOIN pg_am ON pg_am.oid = indexes.relam
                JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
            WHERE indrelid = kept AND amname = 'btree' ORDER BY attname
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

    SELECT string_agg(format('%I', part), ', ') INTO listed FROM unnest(every) AS part;
    PERFORM detach_history(kept);
    EXECUTE format($$
        CREATE VIEW as_of.%1$I AS
        SELECT %2$s FROM (
            SELECT %2$s, NULL::bigint AS ended_in FROM %3$s
            UNION ALL
            SELECT %2$s, ended_in FROM past.%1$I
        ) AS kept
        WHERE written_in <= current_setting('hksz.as_of')::bigint
            AND written_in <> ALL (current_setting('hksz.as_of_missing')::bigint[])
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
END $body$
"""
# Before and after of each change, from the rows themselves: nothing is written twice.
ROW_IMAGE = """
CREATE FUNCTION past.row_image(table_name text, row_key text, number bigint, ended boolean)
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
END $body$
"""
CHANGE_LOG = """
CREATE VIEW change_log AS
SELECT committed_at, actor, request_id, transaction_id, table_name, row_key,
    CASE WHEN before IS NULL THEN 'insert' WHEN after IS NULL THEN 'delete' ELSE 'update' END
        AS operation,
    resource, resource_id, before, after
FROM (
    SELECT DISTINCT transaction_id, table_name, row_key, resource, resource_id FROM changes
) AS changed JOIN transactions ON transactions.id = transaction_id,
LATERAL past.row_image(table_name, row_key, transaction_id, true) AS before,
LATERAL past.row_image(table_name, row_key, transaction_id, false) AS after
WHERE before IS NOT NULL OR after IS NOT NULL
"""
install(*SCHEMAS, NUMBERS, BEGIN_TRANSACTION, CURRENT_TRANSACTION, before_tables=True)
install(
    COMMIT_TRANSACTION,
    COMMIT_TRIGGER,
    COMMITTING,
    AS_OF_MOMENT,
    MARK_WRITTEN,
    REFUSE_REWRITING,
    *GUARDS,
    REGISTRY,
    DETACH_HISTORY,
    REFRESH_HISTORY,
    KEEP_HISTORY,
    *(keep_history(table) for table in KEPT),
    *(index_feed_beginning(table) for table, (resource, _) in KEPT.items() if table == resource),
    ROW_IMAGE,
    CHANGE_LOG,
)
