CREATE OR REPLACE FUNCTION awaits_recount(claim uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    passages uuid[];
    sources uuid[];
    entities uuid[];
BEGIN
    IF NOT EXISTS (SELECT FROM recounts WHERE done_to < claim) THEN
        RETURN false;
    END IF;
    IF EXISTS (
        SELECT FROM recounts
        WHERE done_to < claim AND source_id IS NULL AND entity_id IS NULL
            AND (claim_ids IS NULL OR claim = ANY (claim_ids))
    ) THEN
        RETURN true;
    END IF;
    passages := ARRAY(
        WITH RECURSIVE chain AS (
            SELECT id, derived_from_id FROM evidence WHERE claim_id = claim
            UNION
            SELECT evidence.id, evidence.derived_from_id
            FROM chain JOIN evidence ON evidence.id = chain.derived_from_id
        )
        SELECT id FROM chain
    );
    sources := ARRAY(
        WITH RECURSIVE reached AS (
            SELECT source_id AS id FROM evidence WHERE id = ANY (passages)
            UNION
            SELECT to_id FROM reached JOIN source_relations ON from_id = reached.id
                AND (keeps_origin(kind) OR cites_origin(kind))
        )
        SELECT id FROM reached
    );
    entities := entities_above(ARRAY(
        SELECT entity_id FROM source_contributors
        WHERE source_id = ANY (sources) AND speaks_as(role)
        UNION
        SELECT attributed_to_id FROM evidence
        WHERE id = ANY (passages) AND attributed_to_id IS NOT NULL
        UNION
        SELECT entity_id
        FROM (
            SELECT entity_id, role FROM claim_entities WHERE claim_id = claim
            OFFSET 0 -- PostgreSQL would look the role up in the index for each entity
        ) AS linked
        WHERE role = 'subject'
        UNION
        SELECT unnest(array_remove(ARRAY[claimant_id, reported_by_id], NULL))
        FROM claims WHERE id = claim
    ));
    RETURN EXISTS (
        SELECT FROM recounts
        WHERE done_to < claim AND (source_id = ANY (sources) OR entity_id = ANY (entities))
    );
END $$;
