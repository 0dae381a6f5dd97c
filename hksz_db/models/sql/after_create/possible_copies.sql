-- Pairs of passages for a claim that may be copies: two voices give its figure within seven days, and
-- no relation between their sources is declared. These are the first ten, with the days between them
-- at most.
CREATE OR REPLACE FUNCTION possible_copies(claim uuid)
RETURNS TABLE (
    days integer, earlier_id uuid, earlier_source_id uuid, earlier_title text,
    later_id uuid, later_source_id uuid, later_title text
) LANGUAGE plpgsql STABLE ROWS 1 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    -- Few claims have such passages, and to weigh them takes longer than to look.
    IF NOT EXISTS (
        SELECT FROM figures WHERE claim_id = claim AND deleted_at IS NULL
    ) OR NOT EXISTS (
        SELECT FROM evidence AS one
            JOIN sources AS source ON source.id = one.source_id
            JOIN evidence AS another ON another.claim_id = claim AND another.id > one.id
                AND another.source_id <> one.source_id AND another.deleted_at IS NULL
            JOIN sources AS other ON other.id = another.source_id,
            range_merge(source.issued, other.issued) AS both_issued
        WHERE one.claim_id = claim AND one.deleted_at IS NULL
            AND upper(both_issued) - lower(both_issued) - 1 <= 7
    ) THEN
        RETURN;
    END IF;
    RETURN QUERY WITH RECURSIVE given AS MATERIALIZED (
        SELECT evidence.id, evidence.source_id, sources.title, sources.issued
        FROM evidence JOIN sources ON sources.id = evidence.source_id
        WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
    ), near AS MATERIALIZED (
        SELECT upper(both_issued) - lower(both_issued) - 1 AS days,
            earlier.id AS earlier_id, earlier.source_id AS earlier_source_id,
            earlier.title AS earlier_title,
            later.id AS later_id, later.source_id AS later_source_id, later.title AS later_title
        FROM given AS earlier
            JOIN given AS later
                ON (lower(earlier.issued), earlier.id) < (lower(later.issued), later.id),
            range_merge(earlier.issued, later.issued) AS both_issued
        WHERE earlier.source_id <> later.source_id
            -- Null if a date is missing or open.
            AND upper(both_issued) - lower(both_issued) - 1 <= 7
    ), weighed AS MATERIALIZED (
        SELECT * FROM weigh_evidence(claim)
        WHERE in_favour
            AND COALESCE(reason IN ('same_voice', 'cites_counted', 'secondary'), true)
    ), reached AS (
        -- The origins may be those of a passage from which this one is derived.
        SELECT evidence_id, unnest(source_id || origin_ids || other_ids) AS id FROM weighed
        UNION
        SELECT reached.evidence_id, further.id FROM reached, LATERAL (
            SELECT to_id AS id FROM source_relations WHERE from_id = reached.id OFFSET 0
        ) AS further
    )
    SELECT near.*
    FROM near
        JOIN weighed AS earlier ON earlier.evidence_id = near.earlier_id
        JOIN weighed AS later ON later.evidence_id = near.later_id
    WHERE NOT earlier.voice && later.voice
        AND (earlier.standing <> 'own' OR later.standing <> 'own')
        AND NOT EXISTS (
            SELECT FROM reached AS one JOIN reached AS same ON same.id = one.id
            WHERE one.evidence_id = near.earlier_id AND same.evidence_id = near.later_id
        )
    ORDER BY near.days, near.earlier_id, near.later_id
    LIMIT 10;
END $$;
