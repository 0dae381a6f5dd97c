CREATE OR REPLACE FUNCTION evidence_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[];
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(claim_id) INTO touched FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(claim_id) INTO touched FROM removed;
    ELSE
        SELECT
            array_agg(added.id) FILTER (
                WHERE (added.derived_from_id, added.source_id, added.attributed_to_id)
                    IS DISTINCT FROM
                    (removed.derived_from_id, removed.source_id, removed.attributed_to_id)
            ),
            array_agg(added.claim_id) || array_agg(removed.claim_id)
        INTO moved, touched
        FROM added JOIN removed USING (id)
        WHERE (
            added.claim_id, added.source_id, added.derived_from_id, added.attributed_to_id,
            added.stance, added.status, added.directness, added.interest, added.said,
            added.deleted_at IS NULL
        ) IS DISTINCT FROM (
            removed.claim_id, removed.source_id, removed.derived_from_id,
            removed.attributed_to_id, removed.stance, removed.status, removed.directness,
            removed.interest, removed.said, removed.deleted_at IS NULL
        );
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    IF moved IS NOT NULL THEN
        -- What derives from these passages follows them.
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        touched := touched || ARRAY(
            WITH RECURSIVE resting AS (
                SELECT id, claim_id FROM evidence WHERE derived_from_id = ANY (moved)
                UNION
                SELECT evidence.id, evidence.claim_id
                FROM evidence JOIN resting ON evidence.derived_from_id = resting.id
            )
            SELECT claim_id FROM resting
        );
    ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM recount_claims(touched);
    ELSE
        PERFORM recount_or_queue(touched, CASE WHEN moved IS NOT NULL THEN uuidv7() END);
    END IF;
    RETURN NULL;
END $$;
