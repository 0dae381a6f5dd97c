-- A source with such a relation to another is not a new origin.
CREATE OR REPLACE FUNCTION keeps_origin(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN (
    'copy_of', 'syndicated_from', 'translation_of', 'rewrite_of', 'version_of', 'part_of'
);

-- The passages and sources that a passage leads to: through the passage that it derives from, and
-- through the relations of its source that keep the origin. The end of each path is an origin.
--
-- This function and the next two are called for one claim or passage at a time. They use a generic
-- plan, because planning takes longer than execution.
CREATE OR REPLACE FUNCTION evidence_walk(passages uuid[])
RETURNS TABLE (evidence_id uuid, passage_id uuid, source_id uuid, is_origin boolean)
LANGUAGE plpgsql STABLE ROWS 4 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE walk AS (
        SELECT id AS evidence_id, id AS passage_id, source_id
        FROM evidence WHERE id = ANY (passages)
        UNION
        SELECT walk.evidence_id, step.passage_id, step.source_id
        FROM walk, LATERAL (
            SELECT original.id AS passage_id, original.source_id
            FROM evidence AS passage
                JOIN evidence AS original ON original.id = passage.derived_from_id
            WHERE passage.id = walk.passage_id
            UNION ALL
            SELECT NULL, to_id FROM source_relations
            WHERE from_id = walk.source_id AND keeps_origin(kind)
        ) AS step
    )
    SELECT walk.evidence_id, walk.passage_id, walk.source_id,
        NOT EXISTS (
            SELECT FROM source_relations WHERE from_id = walk.source_id AND keeps_origin(kind)
        ) AND NOT EXISTS (
            SELECT FROM evidence WHERE id = walk.passage_id AND derived_from_id IS NOT NULL
        )
    FROM walk;
END $$;

-- The origins of a claim: a row for each passage and each origin that it leads to. "stands" is
-- false if the source or the origin has been retracted. "counted" marks the origins that count:
-- sources with one origin come first; a source with several adds one of them if none of them has
-- been counted already. Each side is counted separately.
CREATE OR REPLACE FUNCTION claim_origins(claim uuid)
RETURNS TABLE (
    in_favour boolean, evidence_id uuid, source_id uuid, origin_id uuid,
    stands boolean, counted boolean
) LANGUAGE plpgsql STABLE ROWS 4 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    -- Most claims rest on sources that rest on nothing: it takes a tenth of the time.
    IF NOT EXISTS (
        SELECT FROM evidence
        WHERE claim_id = claim AND (
            derived_from_id IS NOT NULL
            OR EXISTS (
                SELECT FROM source_relations
                WHERE from_id = evidence.source_id
                    AND keeps_origin(kind)
            )
        )
    ) THEN
        RETURN QUERY SELECT evidence.stance <> 'disputes', evidence.id, sources.id, sources.id,
            sources.retracted_at IS NULL, sources.retracted_at IS NULL
        FROM evidence JOIN sources ON sources.id = evidence.source_id
        WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
            AND evidence.status NOT IN ('draft', 'rejected') AND evidence.stance <> 'mentions';
        RETURN;
    END IF;
    RETURN QUERY WITH RECURSIVE passages AS (
        SELECT evidence.id, evidence.stance <> 'disputes' AS in_favour, evidence.source_id,
            sources.retracted_at IS NULL AS stands
        FROM evidence JOIN sources ON sources.id = evidence.source_id
        WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
            AND evidence.status NOT IN ('draft', 'rejected') AND evidence.stance <> 'mentions'
    ), reached AS (
        SELECT DISTINCT passages.in_favour, passages.id AS evidence_id, passages.source_id,
            sources.id AS origin_id, passages.stands AND sources.retracted_at IS NULL AS stands
        FROM evidence_walk(ARRAY(SELECT id FROM passages)) AS walk
            JOIN passages ON passages.id = walk.evidence_id
            JOIN sources ON sources.id = walk.source_id
        WHERE walk.is_origin
    ), resting AS (
        SELECT in_favour, source_id, array_agg(DISTINCT origin_id) AS origins
        FROM reached WHERE stands GROUP BY in_favour, source_id
    ), queue AS (
        SELECT in_favour, origins, row_number() OVER (
            PARTITION BY in_favour ORDER BY cardinality(origins), source_id
        ) AS place
        FROM resting
    ), counting (in_favour, place, taken, counted) AS (
        SELECT DISTINCT in_favour, 0::bigint, '{}'::uuid[], '{}'::uuid[] FROM reached
        UNION ALL
        SELECT queue.in_favour, queue.place,
            CASE WHEN origins && taken THEN taken ELSE taken || origins END,
            CASE WHEN origins && taken THEN counted ELSE counted || origins[1] END
        FROM counting JOIN queue
            ON queue.in_favour = counting.in_favour AND queue.place = counting.place + 1
    ), final AS (
        SELECT DISTINCT ON (in_favour) in_favour, counted
        FROM counting ORDER BY in_favour, place DESC
    )
    SELECT reached.in_favour, evidence_id, source_id, origin_id, stands,
        origin_id = ANY (final.counted)
    FROM reached JOIN final ON final.in_favour = reached.in_favour;
END $$;

-- One path from a passage to an origin, step by step from the source of the passage. There may be
-- too many paths to list, where they part and meet again; each step is the first of those that lead
-- to the origin.
CREATE OR REPLACE FUNCTION origin_steps(passage uuid, origin uuid)
RETURNS TABLE (step integer, kind text, source_id uuid)
LANGUAGE plpgsql STABLE ROWS 2 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE walk AS MATERIALIZED (
        SELECT COALESCE(passage_id, source_id) AS node, passage_id, source_id, is_origin
        FROM evidence_walk(ARRAY[passage])
    ), edges AS MATERIALIZED (
        SELECT walk.node, original.node AS next_node, original.source_id, 'derived_from' AS kind
        FROM walk
            JOIN evidence ON evidence.id = walk.passage_id
            JOIN walk AS original ON original.passage_id = evidence.derived_from_id
        UNION ALL
        SELECT walk.node, to_id, to_id, kind
        FROM walk JOIN source_relations ON from_id = walk.source_id AND keeps_origin(kind)
    ), onward AS (
        SELECT node FROM walk WHERE source_id = origin AND is_origin
        UNION
        SELECT edges.node FROM edges JOIN onward ON onward.node = edges.next_node
    ), way AS (
        SELECT 0 AS step, NULL::text AS kind, passage AS node, NULL::uuid AS source_id
        UNION ALL
        SELECT way.step + 1, chosen.kind, chosen.next_node, chosen.source_id
        FROM way, LATERAL (
            SELECT edges.* FROM edges JOIN onward ON onward.node = edges.next_node
            WHERE edges.node = way.node
            ORDER BY edges.source_id <> origin, edges.source_id, edges.kind
            LIMIT 1
        ) AS chosen
    )
    SELECT step, kind, source_id FROM way WHERE step > 0 ORDER BY step;
END $$;
