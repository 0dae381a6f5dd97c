-- Hints about the evidence on a claim, as a JSON array. A pair takes two sources.
CASE WHEN corroborated.sources_for > 1 THEN (
    SELECT COALESCE(json_agg(json_build_object(
        'kind', 'possible_copy',
        'days', days,
        'evidence', json_build_array(
            json_build_object(
                'evidence_id', earlier_id, 'source_id', earlier_source_id, 'title', earlier_title
            ),
            json_build_object(
                'evidence_id', later_id, 'source_id', later_source_id, 'title', later_title
            )
        )
    ) ORDER BY days, earlier_id, later_id), '[]')
    FROM possible_copies(corroborated.claim_id)
) ELSE '[]' END
