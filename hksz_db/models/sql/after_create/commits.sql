-- Runs last before the commit. The advisory lock shows readers of a moment which transactions are
-- about to commit, and since when; it is released when the commit is visible to all. The time of a
-- commit is later than those of all transactions that this one can have seen and than the time in
-- its own lock, even if the clock goes back.
--
-- A notification makes commits wait for each other. It is sent only if the last commit is some time
-- ago; listeners poll while commits are frequent.
CREATE OR REPLACE FUNCTION transactions_commit() RETURNS trigger
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
END $$;

CREATE CONSTRAINT TRIGGER transactions_commit AFTER INSERT ON transactions
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transactions_commit();

-- The times since which other transactions have been committing.
CREATE OR REPLACE FUNCTION committing(since timestamptz) RETURNS SETOF timestamptz
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
END;

-- The transactions that are visible as of a moment: all up to the number "last" except those in
-- "missing", which had begun and not committed. It waits for transactions that were about to commit
-- at the moment, so that the answer for a moment never changes. "within" is false for a moment
-- before the history "began", and for one in the future. A replica answers up to the horizon that was
-- recorded, and raises an error for a later moment.
CREATE OR REPLACE FUNCTION as_of_moment(moment timestamptz)
RETURNS TABLE (last bigint, missing bigint[], began timestamptz, within boolean)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    SELECT committed_at INTO began FROM transactions WHERE id = 0;
    IF pg_is_in_recovery()
        AND moment > COALESCE((SELECT settled FROM feed_horizon()), '-infinity')
    THEN
        RAISE object_not_in_prerequisite_state
            USING MESSAGE = 'This server is a replica that does not know the moment yet.';
    END IF;
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
END $$;
