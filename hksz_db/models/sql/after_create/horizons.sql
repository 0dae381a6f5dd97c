-- The timeline that a server writes, which changes when it is promoted or restored: the identifier of
-- the system, and the number of the timeline in hexadecimal digits.
CREATE OR REPLACE FUNCTION current_timeline() RETURNS text LANGUAGE sql VOLATILE
RETURN (SELECT system_identifier FROM pg_control_system())
    || '-' || left(pg_walfile_name(pg_current_wal_lsn()), 8);

-- Up to which moment the feed is settled, on which timeline, and whether the feed may advance
-- without a notification (docs/explanation/replicas.md). Where transactions commit, it takes its
-- snapshot before it looks at the locks. A replica does not have the locks; it has the horizons that
-- record_horizon() has recorded.
CREATE OR REPLACE FUNCTION feed_horizon(
    OUT settled timestamptz, OUT busy boolean, OUT timeline text
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    busy := false;
    IF pg_is_in_recovery() THEN
        SELECT recorded.settled, recorded.timeline INTO settled, timeline
        FROM feed_horizons AS recorded
        ORDER BY recorded.settled DESC, recorded.timeline DESC LIMIT 1;
        RETURN;
    END IF;
    SELECT least(latest, since - interval '1 microsecond'),
        COALESCE(since IS NOT NULL OR latest > clock_timestamp() - interval '50 milliseconds', false)
    INTO settled, busy
    FROM (SELECT max(committed_at) AS latest FROM transactions) AS stamped,
        (SELECT min(since) AS since FROM committing('2020-01-01') AS since) AS held;
    timeline := current_timeline();
END $$;

-- Records the horizon, if it has advanced, for replicas and for those who follow the feed when
-- another server has taken over. A server that does not take writes records nothing.
CREATE OR REPLACE FUNCTION record_horizon() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    horizon record;
BEGIN
    IF current_setting('transaction_read_only')::boolean THEN
        RETURN false;
    END IF;
    SELECT * INTO horizon FROM feed_horizon();
    -- A statement of its own, so that its record in the WAL comes after the look at the locks.
    INSERT INTO feed_horizons AS recorded (timeline, settled)
    SELECT horizon.timeline, horizon.settled WHERE horizon.settled IS NOT NULL AND NOT EXISTS (
        SELECT FROM feed_horizons AS known
        WHERE known.timeline = horizon.timeline AND known.settled >= horizon.settled
    )
    ON CONFLICT (timeline) DO UPDATE SET settled = EXCLUDED.settled
    WHERE recorded.settled < EXCLUDED.settled;
    RETURN FOUND;
END $$;

-- A digest of the transactions between two moments; null if there are too many to read each time.
CREATE OR REPLACE FUNCTION transactions_digest(after timestamptz, until timestamptz) RETURNS text
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    SELECT CASE WHEN count(*) < 10000
        THEN md5(COALESCE(string_agg(id::text, ',' ORDER BY committed_at, id), '')) END
    FROM (
        SELECT id, committed_at FROM transactions
        WHERE committed_at > after AND committed_at <= until
        ORDER BY committed_at, id LIMIT 10000
    ) AS stamped;
END;

-- What a cursor says about the history up to a moment: the timeline, and if the moment is later than
-- the recorded horizon, that horizon and the digest of the transactions since.
CREATE OR REPLACE FUNCTION feed_mark(
    moment timestamptz, OUT timeline text, OUT base timestamptz, OUT digest text
) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    timeline := (SELECT horizon.timeline FROM feed_horizon() AS horizon);
    base := (SELECT max(settled) FROM feed_horizons);
    IF moment > base THEN
        digest := transactions_digest(base, moment);
    ELSE
        base := NULL;
    END IF;
END $$;

-- Whether this database has the same history up to a moment as the one that made the mark: null if it
-- cannot be told yet. The mark of an early cursor is null.
CREATE OR REPLACE FUNCTION feed_has(
    moment timestamptz, marked text, base timestamptz, digest text
) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    here record;
    common timestamptz;
    is_writer boolean := NOT pg_is_in_recovery();
BEGIN
    SELECT * INTO here FROM feed_horizon();
    IF is_writer AND moment > COALESCE(
        (SELECT max(committed_at) FROM transactions), '-infinity'
    ) THEN
        RETURN false;
    END IF;
    IF marked IS NULL OR marked = here.timeline THEN
        RETURN true;
    END IF;
    common := (SELECT settled FROM feed_horizons WHERE feed_horizons.timeline = marked);
    IF moment <= common THEN
        RETURN true;
    END IF;
    -- A replica may not have got to a later timeline of its system.
    IF moment > here.settled OR NOT is_writer AND here.timeline IS NULL
        OR NOT is_writer AND marked > here.timeline AND left(marked, -8) = left(here.timeline, -8)
    THEN
        RETURN NULL;
    END IF;
    RETURN COALESCE(base <= common AND digest = transactions_digest(base, moment), false);
END $$;
