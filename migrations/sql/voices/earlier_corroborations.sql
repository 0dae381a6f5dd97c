-- Writers of evidence share an advisory lock. A writer that changes which passage or source rests on
-- which holds it exclusively. So each count sees everything that was written before it, and writers
-- do not deadlock.

CREATE OR REPLACE FUNCTION recount_claims(claim_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Who waits here counts afterwards what the one before has written.
    PERFORM FROM corroborations WHERE claim_id = ANY (claim_ids) ORDER BY claim_id FOR UPDATE;
    INSERT INTO corroborations AS known (
        claim_id, sources_for, origins_for, sources_against, origins_against
    )
    SELECT claims.id,
        count(DISTINCT source_id) FILTER (WHERE in_favour AND stands),
        count(DISTINCT origin_id) FILTER (WHERE in_favour AND stands AND counted),
        count(DISTINCT source_id) FILTER (WHERE NOT in_favour AND stands),
        count(DISTINCT origin_id) FILTER (WHERE NOT in_favour AND stands AND counted)
    FROM claims LEFT JOIN LATERAL claim_origins(claims.id) ON true
    WHERE claims.id = ANY (claim_ids)
    GROUP BY claims.id ORDER BY claims.id
    ON CONFLICT (claim_id) DO UPDATE SET
        sources_for = excluded.sources_for,
        origins_for = excluded.origins_for,
        sources_against = excluded.sources_against,
        origins_against = excluded.origins_against
    WHERE (
        known.sources_for, known.origins_for, known.sources_against, known.origins_against
    ) <> (
        excluded.sources_for, excluded.origins_for,
        excluded.sources_against, excluded.origins_against
    );
END $$;

-- Recounts all claims that these passages, or passages that derive from them, are evidence for.
CREATE OR REPLACE FUNCTION recount_passages(passage_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM recount_claims(ARRAY(
        WITH RECURSIVE resting AS (
            SELECT id, claim_id FROM evidence WHERE id = ANY (passage_ids)
            UNION
            SELECT evidence.id, evidence.claim_id
            FROM evidence JOIN resting ON evidence.derived_from_id = resting.id
        )
        SELECT DISTINCT claim_id FROM resting
    ));
END $$;

-- Recounts all claims with evidence from these sources, or from sources that rest on them.
CREATE OR REPLACE FUNCTION recount_sources(source_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM recount_passages(ARRAY(
        WITH RECURSIVE resting AS (
            SELECT unnest(source_ids) AS id
            UNION
            SELECT from_id
            FROM source_relations JOIN resting ON source_relations.to_id = resting.id
            WHERE keeps_origin(kind)
        )
        SELECT evidence.id FROM evidence JOIN resting ON evidence.source_id = resting.id
    ));
END $$;

CREATE OR REPLACE FUNCTION claims_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO corroborations (claim_id)
    SELECT id FROM added
    WHERE NOT EXISTS (SELECT FROM evidence WHERE claim_id = added.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_count_origins AFTER INSERT ON claims
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_count_origins();

CREATE OR REPLACE FUNCTION evidence_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[];
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(id) FILTER (WHERE derived_from_id IS NOT NULL), array_agg(claim_id)
        INTO moved, touched FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT NULL, array_agg(claim_id) INTO moved, touched FROM removed;
    ELSE
        SELECT
            array_agg(added.id) FILTER (
                WHERE (added.derived_from_id, added.source_id)
                    IS DISTINCT FROM (removed.derived_from_id, removed.source_id)
            ),
            array_agg(added.claim_id) || array_agg(removed.claim_id)
        INTO moved, touched
        FROM added JOIN removed USING (id)
        WHERE (
            added.claim_id, added.source_id, added.derived_from_id,
            added.stance, added.status, added.deleted_at IS NULL
        ) IS DISTINCT FROM (
            removed.claim_id, removed.source_id, removed.derived_from_id,
            removed.stance, removed.status, removed.deleted_at IS NULL
        );
    END IF;
    IF moved IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_passages(moved);
    END IF;
    IF touched IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
        PERFORM recount_claims(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER evidence_count_origins_inserted AFTER INSERT ON evidence
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins();

CREATE OR REPLACE TRIGGER evidence_count_origins_updated AFTER UPDATE ON evidence
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins();

CREATE OR REPLACE TRIGGER evidence_count_origins_deleted AFTER DELETE ON evidence
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins();

CREATE OR REPLACE FUNCTION source_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF keeps_origin(OLD.kind) OR keeps_origin(NEW.kind) THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_sources(ARRAY[OLD.from_id, NEW.from_id]);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_relations_count_origins
AFTER INSERT OR DELETE OR UPDATE OF from_id, to_id, kind ON source_relations
FOR EACH ROW EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE FUNCTION sources_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    PERFORM recount_sources(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER sources_count_origins AFTER UPDATE OF retracted_at ON sources
FOR EACH ROW WHEN ((OLD.retracted_at IS NULL) <> (NEW.retracted_at IS NULL))
EXECUTE FUNCTION sources_count_origins();

-- The verdict on the claim of a passage if that were accepted: claim_origins counts submitted
-- passages as well.
CREATE OR REPLACE FUNCTION verdict_if_accepted(passage uuid) RETURNS text LANGUAGE sql STABLE
RETURN (
    SELECT CASE
        WHEN origins_for > 0 AND origins_against > 0 THEN 'disputed'
        WHEN origins_against > 0 THEN 'refuted'
        WHEN origins_for > 1 THEN 'corroborated'
        WHEN origins_for = 1 THEN 'single_origin'
        ELSE 'unsupported'
    END
    FROM (
        SELECT count(DISTINCT origin_id) FILTER (WHERE in_favour) AS origins_for,
            count(DISTINCT origin_id) FILTER (WHERE NOT in_favour) AS origins_against
        FROM evidence JOIN LATERAL claim_origins(evidence.claim_id) AS origin ON stands AND counted
        WHERE evidence.id = passage
    ) AS counts
);
