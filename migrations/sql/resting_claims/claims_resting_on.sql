-- The entities, and those that they own or employ, as far down as it goes. The fence has the rows
-- looked up in an index, however many the planner expects.
CREATE OR REPLACE FUNCTION bound_entities(entity_ids uuid[])
RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT unnest(entity_ids) AS id
        UNION
        SELECT further.id FROM below, LATERAL (
            SELECT subject_id AS id FROM entity_relations
            WHERE object_id = below.id AND binds_entity(kind) OFFSET 0
        ) AS further
    )
    SELECT id FROM below
$$;

-- The sources, those of the entities, and those that rest on any of them.
CREATE OR REPLACE FUNCTION resting_sources(source_ids uuid[], entity_ids uuid[])
RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE resting AS (
        (
            SELECT unnest(source_ids) AS id
            UNION ALL
            SELECT made.source_id FROM unnest(entity_ids) AS maker (id), LATERAL (
                SELECT source_id FROM source_contributors
                WHERE entity_id = maker.id AND speaks_as(role) OFFSET 0
            ) AS made
        )
        UNION
        SELECT further.id FROM resting, LATERAL (
            SELECT from_id AS id FROM source_relations
            WHERE to_id = resting.id AND (keeps_origin(kind) OR cites_origin(kind)) OFFSET 0
        ) AS further
    )
    SELECT id FROM resting
$$;

-- The claims, with repetitions, whose counts these sources and entities may bear on: those with
-- evidence from the sources, from sources that rest on them, or from sources of the entities or of
-- those that they own or employ; with evidence that is derived from such evidence; and those that
-- the entities, or those that they own or employ, make, report or are the subject of. It is inlined
-- into queries, so that LIMIT ends it early.
CREATE OR REPLACE FUNCTION claims_resting_on(source_ids uuid[], entity_ids uuid[])
RETURNS TABLE (claim_id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT id FROM bound_entities(entity_ids)
    ), resting AS (
        SELECT id FROM resting_sources(source_ids, ARRAY(SELECT id FROM below))
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

-- Those of these claims that come after one id and no later than another one. Each of the claims in
-- between is looked at, so that it does not matter how many others there are.
CREATE OR REPLACE FUNCTION claims_resting_on(
    source_ids uuid[], entity_ids uuid[], after_id uuid, last_id uuid
) RETURNS TABLE (claim_id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS MATERIALIZED (
        SELECT id FROM bound_entities(entity_ids)
    ), resting AS (
        SELECT id FROM resting_sources(source_ids, ARRAY(SELECT id FROM below))
    ), passages AS (
        SELECT id, claim_id, source_id, attributed_to_id, derived_from_id FROM evidence
        WHERE claim_id > after_id AND claim_id <= last_id
        UNION
        SELECT earlier.id, passages.claim_id, earlier.source_id, earlier.attributed_to_id,
            earlier.derived_from_id
        FROM passages, LATERAL (
            SELECT * FROM evidence WHERE id = passages.derived_from_id OFFSET 0
        ) AS earlier
    )
    SELECT claim_id FROM passages JOIN resting ON resting.id = source_id
    UNION ALL
    SELECT claim_id FROM passages JOIN below ON below.id = attributed_to_id
    UNION ALL
    SELECT claims.id FROM claims JOIN below ON below.id IN (claimant_id, reported_by_id)
    WHERE claims.id > after_id AND claims.id <= last_id
    UNION ALL
    SELECT subject.claim_id FROM below, LATERAL (
        SELECT claim_id FROM claim_entities
        WHERE entity_id = below.id AND role = 'subject'
            AND claim_id > after_id AND claim_id <= last_id
        OFFSET 0
    ) AS subject
$$;
