-- The live claims of the ids, each as a JSON object, by which sentences are compared with them.
SELECT json_build_object(
    'id', claims.id,
    'external_id', claims.external_id,
    'statement', claims.statement,
    'language', claims.language,
    'status', claims.status,
    'modality', claims.modality,
    'time_edtf', claims.time_edtf,
    'verdict', corroborations.verdict,
    'translations', ARRAY(SELECT text FROM claim_translations WHERE claim_id = claims.id ORDER BY id),
    'figures', ARRAY(
        SELECT json_build_object(
            'id', figures.id, 'metric_id', metric_id, 'subject_id', subject_id,
            'breakdown', breakdown, 'period_edtf', period_edtf
        )
        FROM figures WHERE claim_id = claims.id AND deleted_at IS NULL
        ORDER BY figures.id LIMIT 16
    )
)
FROM claims LEFT JOIN corroborations ON corroborations.claim_id = claims.id
WHERE claims.id = ANY (CAST(:ids AS uuid[])) AND claims.deleted_at IS NULL
    AND claims.status NOT IN ('draft', 'rejected', 'retracted')
