-- The evidence on a claim, as it was weighed, as a JSON array. The fence has the sources looked up in
-- the index, however many the planner expects.
SELECT COALESCE(json_agg(json_build_object(
    'evidence_id', passage.evidence_id,
    'source_id', source.id,
    'external_id', source.external_id,
    'title', source.title,
    'retracted', source.retracted_at IS NOT NULL,
    'stance', CASE passage.in_favour WHEN true THEN 'for' WHEN false THEN 'against' END,
    'origin_ids', passage.origin_ids,
    'voice', (
        SELECT COALESCE(json_agg(json_build_object(
            'id', speaker.id,
            'external_id', speaker.external_id,
            'name', speaker.name,
            'kind', speaker.kind
        ) ORDER BY speaker.id), '[]')
        FROM entities AS speaker WHERE speaker.id = ANY (passage.voice)
    ),
    'standing', passage.standing,
    'counted', passage.reason IS NULL,
    'reason', passage.reason
) ORDER BY passage.in_favour DESC NULLS LAST, passage.reason IS NOT NULL, passage.evidence_id), '[]')
FROM unnest(weighed.passages) AS passage (
        evidence_id uuid, source_id uuid, in_favour boolean, origin_ids uuid[], other_ids uuid[],
        voice uuid[], standing text, reason text
    )
    CROSS JOIN LATERAL (
        SELECT id, external_id, title, retracted_at FROM sources
        WHERE id = passage.source_id OFFSET 0
    ) AS source
