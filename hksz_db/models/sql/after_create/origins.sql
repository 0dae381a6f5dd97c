-- A source with such a relation to another is not a new origin.
CREATE OR REPLACE FUNCTION keeps_origin(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN (
    'copy_of', 'syndicated_from', 'translation_of', 'rewrite_of', 'version_of', 'part_of'
);

-- A source with such a relation to another adds nothing beside it.
CREATE OR REPLACE FUNCTION cites_origin(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN ('cites', 'quotes', 'based_on');

-- The object of such a relation owns or employs its subject.
CREATE OR REPLACE FUNCTION binds_entity(kind text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN ('owned_by', 'part_of', 'works_for', 'member_of');

-- A contributor in such a role speaks in the source.
CREATE OR REPLACE FUNCTION speaks_as(role text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN role IN ('author', 'publisher');

-- The functions below are called for one claim or passage at a time. Those that call others use a
-- generic plan, and so do those that they call, because planning takes longer than execution.

-- The entities, and those that own or employ them.
CREATE OR REPLACE FUNCTION entities_above(entity_ids uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM entity_relations WHERE subject_id = ANY (entity_ids) AND binds_entity(kind)
    ) THEN
        RETURN entity_ids;
    END IF;
    RETURN ARRAY(
        WITH RECURSIVE above AS (
            SELECT unnest(entity_ids) AS id
            UNION
            SELECT object_id
            FROM above JOIN entity_relations ON subject_id = above.id AND binds_entity(kind)
        )
        SELECT id FROM above
    );
END $$;

-- The passages and sources that a passage leads to: through the passage that it derives from, and
-- through the relations of its source that keep the origin. The end of each path is an origin.
-- "speaker_id" is whom the first passage on the path that only reports somebody reports.
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

-- The sources that a passage leads to through at least one citation.
CREATE OR REPLACE FUNCTION sources_cited(passage uuid) RETURNS uuid[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(
        WITH RECURSIVE cited AS (
            SELECT to_id AS id
            FROM evidence_walk(ARRAY[passage]) AS walk
                JOIN source_relations ON from_id = walk.source_id AND cites_origin(kind)
            UNION
            SELECT to_id
            FROM cited JOIN source_relations ON from_id = cited.id
                AND (keeps_origin(kind) OR cites_origin(kind))
        )
        SELECT id FROM cited
    );
END $$;

-- The voice of origins, for a claim that this claimant makes and this reporter reports: those who
-- publish and write them, or the claimant if the reporter does, and those who own or employ them.
-- "speakers" are those whom passages only report.
CREATE OR REPLACE FUNCTION voice_of(
    origin_ids uuid[], speakers uuid[], claimant uuid, reporter uuid
) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    origin uuid;
    makers uuid[];
    voice uuid[] := array_remove(COALESCE(speakers, '{}'), NULL);
BEGIN
    FOREACH origin IN ARRAY COALESCE(origin_ids, '{}') LOOP
        makers := ARRAY(
            SELECT entity_id FROM source_contributors
            WHERE source_id = origin AND speaks_as(role)
        );
        IF claimant IS NOT NULL AND reporter IS NOT NULL AND (
            makers && entities_above(ARRAY[reporter]) OR reporter = ANY (entities_above(makers))
        ) THEN
            makers := ARRAY[claimant];
        END IF;
        voice := voice || makers;
    END LOOP;
    voice := entities_above(voice);
    IF cardinality(voice) < 2 THEN
        RETURN voice;
    END IF;
    RETURN ARRAY(SELECT DISTINCT id FROM unnest(voice) AS id ORDER BY id);
END $$;

-- The evidence on a claim: the side that it takes, its origins and their voice, whose voice that is
-- (own: the claimant's), and why it does not count. The reason is null if it counts; then the first
-- of its origins is the one that counts. The others were retracted, are from before the event or
-- are on both sides. Mentions take no side, and drafts are left out. The passage "assumed" is weighed
-- as if it were accepted.
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

-- The entities, and those that they own or employ, as far down as it goes. The fence has the rows
-- looked up in an index, however many the planner expects.
CREATE OR REPLACE FUNCTION bound_entities(entity_ids uuid[])
RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT unnest(entity_ids) AS id
        UNION
        SELECT further.id FROM below, LATERAL (
            SELECT subject_id AS id FROM entity_relations
            WHERE object_id = below.id AND binds_entity(kind) OFFSET 0
        ) AS further
    )
    SELECT id FROM below
$$;

-- The sources, those of the entities, and those that rest on any of them.
CREATE OR REPLACE FUNCTION resting_sources(source_ids uuid[], entity_ids uuid[])
RETURNS TABLE (id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE resting AS (
        (
            SELECT unnest(source_ids) AS id
            UNION ALL
            SELECT made.source_id FROM unnest(entity_ids) AS maker (id), LATERAL (
                SELECT source_id FROM source_contributors
                WHERE entity_id = maker.id AND speaks_as(role) OFFSET 0
            ) AS made
        )
        UNION
        SELECT further.id FROM resting, LATERAL (
            SELECT from_id AS id FROM source_relations
            WHERE to_id = resting.id AND (keeps_origin(kind) OR cites_origin(kind)) OFFSET 0
        ) AS further
    )
    SELECT id FROM resting
$$;

-- The claims, with repetitions, whose counts these sources and entities may bear on: those with
-- evidence from the sources, from sources that rest on them, or from sources of the entities or of
-- those that they own or employ; with evidence that is derived from such evidence; and those that
-- the entities, or those that they own or employ, make, report or are the subject of. It is inlined
-- into queries, so that LIMIT ends it early.
CREATE OR REPLACE FUNCTION claims_resting_on(source_ids uuid[], entity_ids uuid[])
RETURNS TABLE (claim_id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT id FROM bound_entities(entity_ids)
    ), resting AS (
        SELECT id FROM resting_sources(source_ids, ARRAY(SELECT id FROM below))
    ), passages AS (
        (
            SELECT found.id, found.claim_id FROM resting, LATERAL (
                SELECT id, claim_id FROM evidence WHERE source_id = resting.id OFFSET 0
            ) AS found
            UNION ALL
            SELECT found.id, found.claim_id FROM below, LATERAL (
                SELECT id, claim_id FROM evidence WHERE attributed_to_id = below.id OFFSET 0
            ) AS found
        )
        UNION
        SELECT further.id, further.claim_id FROM passages, LATERAL (
            SELECT id, claim_id FROM evidence WHERE derived_from_id = passages.id OFFSET 0
        ) AS further
    )
    SELECT claim_id FROM passages
    UNION ALL
    SELECT found.id FROM below, LATERAL (
        SELECT id FROM claims WHERE claimant_id = below.id
        UNION ALL
        SELECT id FROM claims WHERE reported_by_id = below.id
        UNION ALL
        SELECT claim_id FROM claim_entities WHERE entity_id = below.id AND role = 'subject'
        OFFSET 0
    ) AS found
$$;

-- Those of these claims that come after one id and no later than another one. Each of the claims in
-- between is looked at, so that it does not matter how many others there are.
CREATE OR REPLACE FUNCTION claims_resting_on(
    source_ids uuid[], entity_ids uuid[], after_id uuid, last_id uuid
) RETURNS TABLE (claim_id uuid) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS MATERIALIZED (
        SELECT id FROM bound_entities(entity_ids)
    ), resting AS (
        SELECT id FROM resting_sources(source_ids, ARRAY(SELECT id FROM below))
    ), passages AS (
        SELECT id, claim_id, source_id, attributed_to_id, derived_from_id FROM evidence
        WHERE claim_id > after_id AND claim_id <= last_id
        UNION
        SELECT earlier.id, passages.claim_id, earlier.source_id, earlier.attributed_to_id,
            earlier.derived_from_id
        FROM passages, LATERAL (
            SELECT * FROM evidence WHERE id = passages.derived_from_id OFFSET 0
        ) AS earlier
    )
    SELECT claim_id FROM passages JOIN resting ON resting.id = source_id
    UNION ALL
    SELECT claim_id FROM passages JOIN below ON below.id = attributed_to_id
    UNION ALL
    SELECT claims.id FROM claims JOIN below ON below.id IN (claimant_id, reported_by_id)
    WHERE claims.id > after_id AND claims.id <= last_id
    UNION ALL
    SELECT subject.claim_id FROM below, LATERAL (
        SELECT claim_id FROM claim_entities
        WHERE entity_id = below.id AND role = 'subject'
            AND claim_id > after_id AND claim_id <= last_id
        OFFSET 0
    ) AS subject
$$;

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
