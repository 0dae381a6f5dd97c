-- The evidence on a claim, as it was weighed, as a JSON array.
SELECT COALESCE(json_agg(json_build_object(
    'evidence_id', weighed.evidence_id,
    'source_id', source.id,
    'external_id', source.external_id,
    'title', source.title,
    'retracted', source.retracted_at IS NOT NULL,
    'stance', CASE weighed.in_favour WHEN true THEN 'for' WHEN false THEN 'against' END,
    'origin_ids', weighed.origin_ids,
    'voice', (
        SELECT COALESCE(json_agg(json_build_object(
            'id', speaker.id,
            'external_id', speaker.external_id,
            'name', speaker.name,
            'kind', speaker.kind
        ) ORDER BY speaker.id), '[]')
        FROM entities AS speaker WHERE speaker.id = ANY (weighed.voice)
    ),
    'standing', weighed.standing,
    'counted', weighed.reason IS NULL,
    'reason', weighed.reason
) ORDER BY weighed.in_favour DESC NULLS LAST, weighed.reason IS NOT NULL, weighed.evidence_id), '[]')
FROM weigh_evidence(corroborated.claim_id) AS weighed
    JOIN sources AS source ON source.id = weighed.source_id
