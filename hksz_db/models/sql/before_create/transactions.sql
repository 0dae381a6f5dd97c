-- See hksz_db/models/history.py for the three schemas.
CREATE SCHEMA past;

CREATE SCHEMA as_of;

CREATE SCHEMA history;

CREATE SEQUENCE transaction_numbers;

-- The columns written_in have the default current_transaction(), so that it has to exist before the
-- tables.
CREATE OR REPLACE FUNCTION begin_transaction() RETURNS bigint
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
END $$;

-- A transaction that has a number already does not call begin_transaction().
CREATE OR REPLACE FUNCTION current_transaction() RETURNS bigint LANGUAGE sql VOLATILE
RETURN COALESCE(
    NULLIF(current_setting('hksz.transaction', true), '')::bigint, begin_transaction()
);
