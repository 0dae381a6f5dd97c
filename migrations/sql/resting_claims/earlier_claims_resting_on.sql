-- The claims, with repetitions, whose counts these sources and entities may bear on: those with
-- evidence from the sources, from sources that rest on them, or from sources of the entities or of
-- those that they own or employ; with evidence that is derived from such evidence; and those that
-- the entities, or those that they own or employ, make, report or are the subject of. It is inlined
-- into queries, so that LIMIT ends it early. The fences have the rows looked up in indexes, however
-- many the planner expects.
CREATE OR REPLACE FUNCTION claims_resting_on(source_ids uuid[], entity_ids uuid[])
RETURNS TABLE (claim_id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT unnest(entity_ids) AS id
        UNION
        SELECT further.id FROM below, LATERAL (
            SELECT subject_id AS id FROM entity_relations
            WHERE object_id = below.id AND binds_entity(kind) OFFSET 0
        ) AS further
    ), resting AS (
        (
            SELECT unnest(source_ids) AS id
            UNION ALL
            SELECT made.source_id FROM below, LATERAL (
                SELECT source_id FROM source_contributors
                WHERE entity_id = below.id AND speaks_as(role) OFFSET 0
            ) AS made
        )
        UNION
        SELECT further.id FROM resting, LATERAL (
            SELECT from_id AS id FROM source_relations
            WHERE to_id = resting.id AND (keeps_origin(kind) OR cites_origin(kind)) OFFSET 0
        ) AS further
    ), passages AS (
        (
            SELECT found.id, found.claim_id FROM resting, LATERAL (
                SELECT id, claim_id FROM evidence WHERE source_id = resting.id OFFSET 0
            ) AS found
            UNION ALL
            SELECT found.id, found.claim_id FROM below, LATERAL (
                SELECT id, claim_id FROM evidence WHERE attributed_to_id = below.id OFFSET 0
            ) AS found
        )
        UNION
        SELECT further.id, further.claim_id FROM passages, LATERAL (
            SELECT id, claim_id FROM evidence WHERE derived_from_id = passages.id OFFSET 0
        ) AS further
    )
    SELECT claim_id FROM passages
    UNION ALL
    SELECT found.id FROM below, LATERAL (
        SELECT id FROM claims WHERE claimant_id = below.id
        UNION ALL
        SELECT id FROM claims WHERE reported_by_id = below.id
        UNION ALL
        SELECT claim_id FROM claim_entities WHERE entity_id = below.id AND role = 'subject'
        OFFSET 0
    ) AS found
$$;
