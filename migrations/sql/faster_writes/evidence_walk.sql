CREATE OR REPLACE FUNCTION evidence_walk(passages uuid[])
RETURNS TABLE (
    evidence_id uuid, passage_id uuid, source_id uuid, speaker_id uuid, is_origin boolean
) LANGUAGE plpgsql STABLE ROWS 4 AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE walk AS (
        SELECT id AS evidence_id, id AS passage_id, source_id, attributed_to_id AS speaker_id
        FROM evidence WHERE id = ANY (passages)
        UNION
        SELECT walk.evidence_id, step.passage_id, step.source_id,
            COALESCE(walk.speaker_id, step.speaker_id)
        FROM walk, LATERAL (
            SELECT original.id AS passage_id, original.source_id,
                original.attributed_to_id AS speaker_id
            FROM evidence AS passage
                JOIN evidence AS original ON original.id = passage.derived_from_id
            WHERE passage.id = walk.passage_id
            UNION ALL
            SELECT NULL, to_id, NULL FROM source_relations
            WHERE from_id = walk.source_id AND keeps_origin(kind)
        ) AS step
    )
    SELECT walk.evidence_id, walk.passage_id, walk.source_id, walk.speaker_id,
        NOT EXISTS (
            SELECT FROM source_relations WHERE from_id = walk.source_id AND keeps_origin(kind)
            OFFSET 0 -- keeps it from reading all relations
        ) AND NOT EXISTS (
            SELECT FROM evidence WHERE id = walk.passage_id AND derived_from_id IS NOT NULL
            OFFSET 0 -- keeps it from reading all derivations
        )
    FROM walk;
END $$;
