-- The origins of the evidence on a claim, and the path to each, as a JSON array. The fences have the
-- sources looked up in the index, however many the planner expects.
SELECT COALESCE(json_agg(json_build_object(
    'source_id', source.id,
    'external_id', source.external_id,
    'title', source.title,
    'retracted', source.retracted_at IS NOT NULL,
    'stance', CASE WHEN origin.in_favour THEN 'for' ELSE 'against' END,
    'counted', origin.counted,
    'via', origin.via
) ORDER BY origin.in_favour DESC, origin.counted DESC, source.id), '[]')
FROM (
    SELECT reached.in_favour, origin_id,
        bool_or(reached.reason IS NULL AND origin_id = reached.origin_ids[1]) AS counted,
        json_agg(json_build_object(
            'evidence_id', reached.evidence_id,
            'source_id', passed.id,
            'external_id', passed.external_id,
            'title', passed.title,
            'retracted', passed.retracted_at IS NOT NULL,
            'steps', CASE WHEN reached.source_id = origin_id THEN '[]' ELSE (
                SELECT json_agg(json_build_object(
                    'kind', way.kind,
                    'source_id', stop.id,
                    'external_id', stop.external_id,
                    'title', stop.title,
                    'retracted', stop.retracted_at IS NOT NULL
                ) ORDER BY way.step)
                FROM origin_steps(reached.evidence_id, origin_id) AS way
                    JOIN sources AS stop ON stop.id = way.source_id
            ) END
        ) ORDER BY reached.evidence_id) AS via
    FROM unnest(weighed.passages) AS reached (
        evidence_id uuid, source_id uuid, in_favour boolean, origin_ids uuid[], other_ids uuid[],
        voice uuid[], standing text, reason text
    )
        CROSS JOIN LATERAL (
            SELECT id, external_id, title, retracted_at FROM sources
            WHERE id = reached.source_id OFFSET 0
        ) AS passed
        CROSS JOIN unnest(reached.origin_ids || reached.other_ids) AS origin_id
    WHERE reached.reason IS DISTINCT FROM 'rejected' AND reached.in_favour IS NOT NULL
    GROUP BY reached.in_favour, origin_id
) AS origin CROSS JOIN LATERAL (
    SELECT id, external_id, title, retracted_at FROM sources WHERE id = origin.origin_id OFFSET 0
) AS source
