-- The claims whose origins may differ after a change of sources or evidence, as for the counts
-- (models/sql/after_create/corroborations.sql): those with evidence from these sources, or from
-- sources that rest on them, or with evidence derived from such evidence.
WITH RECURSIVE resting AS (
    SELECT unnest({sources}) AS id
    UNION
    SELECT further.from_id FROM resting, LATERAL (
        SELECT from_id FROM source_relations
        WHERE to_id = resting.id AND keeps_origin(kind) OFFSET 0
    ) AS further
), passages AS (
    SELECT further.id, further.claim_id FROM resting, LATERAL (
        SELECT id, claim_id FROM evidence WHERE source_id = resting.id OFFSET 0
    ) AS further
    UNION
    SELECT moved.id, NULL FROM unnest({evidence}) AS moved (id)
    UNION
    SELECT further.id, further.claim_id FROM passages, LATERAL (
        SELECT id, claim_id FROM evidence WHERE derived_from_id = passages.id OFFSET 0
    ) AS further
)
SELECT claim_id FROM passages WHERE claim_id IS NOT NULL
