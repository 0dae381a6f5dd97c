CREATE OR REPLACE FUNCTION weigh_evidence(claim uuid, assumed uuid DEFAULT NULL)
RETURNS TABLE (
    evidence_id uuid, source_id uuid, in_favour boolean, origin_ids uuid[], other_ids uuid[],
    voice uuid[], standing text, reason text
) LANGUAGE plpgsql STABLE ROWS 4 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    claimant uuid;
    reporter uuid;
    begins date;
    claimant_line uuid[];
    subject_line uuid[];
    speakers uuid[];
    resting boolean;
    contested boolean;
    bound boolean;
    passages refcursor;
    passage record;
    side boolean;
    taken uuid[];
    cited uuid[];
    own_counted boolean;
    unnamed_counted boolean;
    secondary_counted boolean;
BEGIN
    SELECT claimant_id, reported_by_id, CASE WHEN modality = 'actual' THEN lower(time) END,
        array_remove(ARRAY[claimant_id], NULL),
        ARRAY(
            SELECT entity_id
            FROM (
                SELECT entity_id, role FROM claim_entities WHERE claim_id = claim
                OFFSET 0 -- PostgreSQL would look the role up in the index for each entity
            ) AS linked
            WHERE role = 'subject'
        ),
        ARRAY(
            SELECT entity_id FROM evidence
                JOIN source_contributors AS credit ON credit.source_id = evidence.source_id
            WHERE claim_id = claim AND speaks_as(role)
            UNION ALL
            SELECT attributed_to_id FROM evidence WHERE claim_id = claim
        ),
        EXISTS (
            SELECT FROM evidence
            WHERE claim_id = claim AND deleted_at IS NULL AND (
                derived_from_id IS NOT NULL
                OR EXISTS (
                    SELECT FROM source_relations
                    WHERE from_id = evidence.source_id AND (keeps_origin(kind) OR cites_origin(kind))
                    OFFSET 0 -- keeps it from reading all relations
                )
            )
        ),
        EXISTS (SELECT FROM evidence WHERE claim_id = claim AND stance = 'disputes')
    INTO claimant, reporter, begins, claimant_line, subject_line, speakers, resting, contested
    FROM claims WHERE id = claim;
    bound := EXISTS (
        SELECT FROM entity_relations
        WHERE subject_id = ANY (speakers || subject_line || claimant || reporter)
            AND binds_entity(kind)
    );
    IF bound THEN
        claimant_line := entities_above(claimant_line);
        subject_line := entities_above(subject_line);
    END IF;
    -- Most claims rest on sources that rest on nothing, and on voices that nobody owns or employs:
    -- it takes a fraction of the time.
    IF resting THEN
        OPEN passages FOR
            WITH reached AS (
                SELECT evidence.id, evidence.source_id, evidence.directness, evidence.interest,
                    evidence.attributed_to_id,
                    CASE WHEN evidence.stance <> 'mentions' THEN evidence.stance <> 'disputes' END
                        AS in_favour,
                    CASE
                        WHEN evidence.status = 'rejected' THEN 'rejected'
                        WHEN evidence.stance = 'mentions' THEN 'mentions'
                        WHEN evidence.status <> 'accepted'
                            AND evidence.id IS DISTINCT FROM assumed THEN 'pending'
                        WHEN sources.retracted_at IS NOT NULL THEN 'retracted'
                    END AS reason,
                    COALESCE(
                        evidence.stance <> 'disputes' AND (
                            upper(sources.issued) <= begins OR upper(evidence.said) <= begins
                        ),
                        false
                    ) AS early,
                    ends.origin_id, ends.speaker_id, origin.retracted_at IS NULL AS stands,
                    COALESCE(
                        evidence.stance <> 'disputes' AND upper(origin.issued) <= begins, false
                    ) AS early_origin
                FROM evidence JOIN sources ON sources.id = evidence.source_id,
                    LATERAL (
                        SELECT walk.source_id AS origin_id, walk.speaker_id
                        FROM evidence_walk(ARRAY[evidence.id]) AS walk WHERE walk.is_origin
                    ) AS ends
                    JOIN sources AS origin ON origin.id = ends.origin_id
                WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
                    AND evidence.status <> 'draft'
            ), judged AS (
                SELECT reached.*, stands AND NOT early_origin AND NOT (
                    bool_or(reason IS NULL AND stands AND NOT in_favour) OVER origin_of
                    AND bool_or(reason IS NULL AND stands AND in_favour) OVER origin_of
                ) AS eligible
                FROM reached WINDOW origin_of AS (PARTITION BY origin_id)
            ), shown AS (
                SELECT judged.*,
                    eligible OR NOT bool_or(eligible) OVER (PARTITION BY id) AS is_shown
                FROM judged
            ), passages AS MATERIALIZED (
                SELECT id, source_id, in_favour, directness, interest, attributed_to_id,
                    CASE
                        WHEN reason IS NOT NULL THEN reason
                        WHEN NOT bool_or(stands) THEN 'retracted'
                        WHEN early OR NOT bool_or(stands AND NOT early_origin) THEN 'before_event'
                        WHEN NOT bool_or(eligible) THEN 'both_sides'
                    END AS reason,
                    array_agg(DISTINCT origin_id) FILTER (WHERE is_shown) AS origin_ids,
                    array_agg(DISTINCT origin_id) FILTER (WHERE NOT is_shown) AS other_ids,
                    voice_of(
                        array_agg(DISTINCT origin_id)
                            FILTER (WHERE is_shown AND speaker_id IS NULL),
                        array_agg(DISTINCT speaker_id) FILTER (WHERE is_shown),
                        claimant, reporter
                    ) AS voice
                FROM shown
                GROUP BY
                    id, source_id, in_favour, directness, interest, attributed_to_id, reason, early
            )
            SELECT passages.*,
                sources_cited(id) AS cited,
                ARRAY(
                    SELECT unnest(origin_ids) FROM passages AS other
                    WHERE other.reason IS NULL AND other.in_favour = passages.in_favour
                    EXCEPT SELECT unnest(passages.origin_ids)
                ) AS beside
            FROM passages
            ORDER BY in_favour, cardinality(voice), cardinality(origin_ids), source_id, id;
    ELSE
        OPEN passages FOR
            SELECT * FROM (
                SELECT evidence.id, evidence.source_id,
                    CASE WHEN evidence.stance <> 'mentions' THEN evidence.stance <> 'disputes' END
                        AS in_favour,
                    evidence.directness, evidence.interest, evidence.attributed_to_id,
                    CASE
                        WHEN evidence.status = 'rejected' THEN 'rejected'
                        WHEN evidence.stance = 'mentions' THEN 'mentions'
                        WHEN evidence.status <> 'accepted'
                            AND evidence.id IS DISTINCT FROM assumed THEN 'pending'
                        WHEN sources.retracted_at IS NOT NULL THEN 'retracted'
                        WHEN evidence.stance <> 'disputes'
                            AND (upper(sources.issued) <= begins OR upper(evidence.said) <= begins)
                            THEN 'before_event'
                        WHEN contested AND EXISTS (
                            SELECT FROM evidence AS other
                            WHERE other.claim_id = claim AND other.source_id = evidence.source_id
                                AND other.deleted_at IS NULL
                                AND (other.status = 'accepted' OR other.id = assumed)
                                AND other.stance <> 'mentions'
                                AND (other.stance = 'disputes') <> (evidence.stance = 'disputes')
                        ) THEN 'both_sides'
                    END AS reason,
                    ARRAY[evidence.source_id] AS origin_ids, NULL::uuid[] AS other_ids,
                    CASE
                        WHEN bound THEN voice_of(
                            CASE WHEN evidence.attributed_to_id IS NULL
                                THEN ARRAY[evidence.source_id] END,
                            ARRAY[evidence.attributed_to_id], claimant, reporter
                        )
                        WHEN evidence.attributed_to_id IS NOT NULL
                            THEN ARRAY[evidence.attributed_to_id]
                        WHEN claimant IS NOT NULL AND EXISTS (
                            SELECT FROM source_contributors AS credit
                            WHERE credit.source_id = evidence.source_id AND speaks_as(role)
                                AND entity_id = reporter
                        ) THEN ARRAY[claimant]
                        ELSE ARRAY(
                            SELECT DISTINCT entity_id FROM source_contributors AS credit
                            WHERE credit.source_id = evidence.source_id AND speaks_as(role)
                            ORDER BY entity_id
                        )
                    END AS voice,
                    '{}'::uuid[] AS cited, '{}'::uuid[] AS beside
                FROM evidence JOIN sources ON sources.id = evidence.source_id
                WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
                    AND evidence.status <> 'draft'
                OFFSET 0 -- keeps the voices from being computed twice
            ) AS passages
            ORDER BY in_favour, cardinality(voice), source_id, id;
    END IF;
    LOOP
        FETCH passages INTO passage;
        EXIT WHEN NOT FOUND;
        IF side IS DISTINCT FROM passage.in_favour THEN
            side := passage.in_favour;
            taken := '{}';
            cited := '{}';
            own_counted := false;
            unnamed_counted := false;
            secondary_counted := false;
        END IF;
        evidence_id := passage.id;
        source_id := passage.source_id;
        in_favour := side;
        origin_ids := passage.origin_ids;
        other_ids := passage.other_ids;
        voice := passage.voice;
        reason := passage.reason;
        standing := CASE
            WHEN voice && claimant_line THEN 'own'
            WHEN passage.interest = 'self' OR voice && subject_line THEN 'party'
            ELSE 'independent'
        END;
        IF reason IS NULL THEN
            reason := CASE
                WHEN passage.cited && passage.beside THEN 'cites_counted'
                WHEN (voice || origin_ids || source_id) && taken
                    OR standing = 'own' AND own_counted
                    -- They may be one and the same.
                    OR voice = '{}' AND unnamed_counted THEN 'same_voice'
                WHEN passage.cited && cited THEN 'cites_counted'
                WHEN passage.directness = 'secondary' AND passage.attributed_to_id IS NULL
                    AND secondary_counted THEN 'secondary'
            END;
            IF reason IS NULL THEN
                taken := taken || voice || origin_ids || source_id;
                cited := cited || passage.cited;
                own_counted := own_counted OR standing = 'own';
                unnamed_counted := unnamed_counted OR voice = '{}';
                secondary_counted := secondary_counted OR COALESCE(
                    passage.directness = 'secondary' AND passage.attributed_to_id IS NULL, false
                );
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
    CLOSE passages;
END $$;
