CREATE OR REPLACE FUNCTION as_of_moment(moment timestamptz)
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
END $$;
