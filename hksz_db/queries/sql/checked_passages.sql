-- The passages by which claims rest on sources: those of the claims and of the sources, of the newest
-- claims about the entities, and of sources with a capture of the hash.
WITH found AS (
    SELECT id FROM evidence WHERE claim_id = ANY (CAST(:claims AS uuid[]))
    UNION
    SELECT evidence.id
    FROM unnest(CAST(:entities AS uuid[])) AS about (entity_id)
    CROSS JOIN LATERAL (
        SELECT claim_id FROM claim_entities WHERE entity_id = about.entity_id
        ORDER BY claim_id DESC LIMIT 20
    ) AS newest
    JOIN evidence ON evidence.claim_id = newest.claim_id
    UNION
    SELECT evidence.id
    FROM (
        SELECT unnest(CAST(:sources AS uuid[])) AS source_id
        UNION
        SELECT source_id FROM source_captures WHERE text_sha256 = :text_sha256
    ) AS quoted
    JOIN evidence ON evidence.source_id = quoted.source_id
)
SELECT evidence.claim_id, evidence.source_id, start_char, end_char, exact_sha256
FROM found
JOIN evidence ON evidence.id = found.id
JOIN claims ON claims.id = evidence.claim_id
WHERE stance IN ('asserts', 'supports') AND evidence.status = 'accepted'
    AND start_char IS NOT NULL AND end_char - start_char BETWEEN 10 AND 1000
    AND evidence.deleted_at IS NULL AND claims.deleted_at IS NULL
    AND claims.status NOT IN ('draft', 'rejected', 'retracted')
LIMIT 2000
