-- Writers of evidence share an advisory lock. A writer that changes what passages, sources or
-- voices rest on holds it exclusively. So each count sees everything that was written before it,
-- and writers do not deadlock.

CREATE OR REPLACE FUNCTION corroboration_verdict(
    modality text, own integer, independent integer, parties integer, against integer
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN own + independent + parties = 0 AND against = 0 THEN 'unsupported'
    WHEN own + independent + parties = 0 THEN 'refuted'
    WHEN against > 0 THEN 'disputed'
    WHEN own + independent + parties = 1 THEN 'single_origin'
    WHEN modality IN ('opinion', 'forecast') THEN 'shared'
    WHEN independent > 1 OR independent = 1 AND own = 1 THEN 'corroborated'
    ELSE 'confirmed_by_party'
END;

-- The verdict on the claim of a passage if that were accepted.
CREATE OR REPLACE FUNCTION verdict_if_accepted(passage uuid) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT corroboration_verdict(
            claims.modality,
            count(*) FILTER (WHERE in_favour AND standing = 'own')::integer,
            count(*) FILTER (WHERE in_favour AND standing = 'independent')::integer,
            count(*) FILTER (WHERE in_favour AND standing = 'party')::integer,
            count(*) FILTER (WHERE NOT in_favour)::integer
        )
        FROM evidence
            JOIN claims ON claims.id = evidence.claim_id
            LEFT JOIN LATERAL weigh_evidence(claims.id, evidence.id) AS weighed ON reason IS NULL
        WHERE evidence.id = passage
        GROUP BY claims.id
    );
END $$;

-- Recounts the evidence on claims, and keeps how it was weighed, unless that is long: each version
-- of the counts has it. If an id is given, each claim gets it, so that those who follow
-- the changes also learn that origins or voices have changed behind equal counts, and that a recount
-- is done.
-- A generic plan: planning takes longer than counting a claim.
CREATE OR REPLACE FUNCTION recount_claims(claim_ids uuid[], recount uuid DEFAULT NULL)
RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    -- Who waits here counts afterwards what the one before has written.
    PERFORM FROM corroborations WHERE claim_id = ANY (claim_ids) ORDER BY claim_id FOR UPDATE;
    INSERT INTO corroborations AS known (
        claim_id, sources_for, origins_for, own_for, independent_for, parties_for, pending_for,
        sources_against, origins_against, own_against, independent_against, parties_against,
        pending_against, verdict, recount_id, weighed
    )
    SELECT claims.id,
        COALESCE(sources_for, 0), COALESCE(origins_for, 0), COALESCE(own_for, 0),
        COALESCE(independent_for, 0), COALESCE(parties_for, 0), pending_for,
        COALESCE(sources_against, 0), COALESCE(origins_against, 0), COALESCE(own_against, 0),
        COALESCE(independent_against, 0), COALESCE(parties_against, 0), pending_against,
        corroboration_verdict(
            claims.modality, COALESCE(own_for, 0), COALESCE(independent_for, 0),
            COALESCE(parties_for, 0), COALESCE(origins_against, 0)
        ),
        recount,
        weighed
    FROM claims, LATERAL (
        SELECT
            count(*) FILTER (WHERE status = 'submitted' AND stance <> 'disputes')::integer
                AS pending_for,
            count(*) FILTER (WHERE status = 'submitted' AND stance = 'disputes')::integer
                AS pending_against,
            bool_or(status = 'accepted') AS has_accepted
        FROM evidence
        WHERE claim_id = claims.id AND deleted_at IS NULL AND stance <> 'mentions'
    ) AS reviewed LEFT JOIN LATERAL (
        SELECT CASE WHEN count(*) <= 20 THEN jsonb_agg(passage) END AS weighed,
            count(DISTINCT source_id) FILTER (WHERE in_favour AND eligible)::integer AS sources_for,
            count(*) FILTER (WHERE in_favour AND reason IS NULL)::integer AS origins_for,
            count(*) FILTER (WHERE in_favour AND counts_as = 'own')::integer AS own_for,
            count(*) FILTER (WHERE in_favour AND counts_as = 'independent')::integer
                AS independent_for,
            count(*) FILTER (WHERE in_favour AND counts_as = 'party')::integer AS parties_for,
            count(DISTINCT source_id) FILTER (WHERE NOT in_favour AND eligible)::integer
                AS sources_against,
            count(*) FILTER (WHERE NOT in_favour AND reason IS NULL)::integer AS origins_against,
            count(*) FILTER (WHERE NOT in_favour AND counts_as = 'own')::integer AS own_against,
            count(*) FILTER (WHERE NOT in_favour AND counts_as = 'independent')::integer
                AS independent_against,
            count(*) FILTER (WHERE NOT in_favour AND counts_as = 'party')::integer
                AS parties_against
        FROM (
            SELECT passage, source_id, in_favour, reason,
                CASE WHEN reason IS NULL THEN standing END AS counts_as,
                reason IS NULL OR reason IN ('same_voice', 'cites_counted', 'secondary')
                    AS eligible
            FROM weigh_evidence(claims.id) AS passage
        ) AS weighed_evidence
    -- Most new claims only have evidence that waits for review, which need not be weighed.
    ) AS counted ON has_accepted
    WHERE claims.id = ANY (claim_ids)
    ORDER BY claims.id
    ON CONFLICT (claim_id) DO UPDATE SET
        sources_for = excluded.sources_for,
        origins_for = excluded.origins_for,
        own_for = excluded.own_for,
        independent_for = excluded.independent_for,
        parties_for = excluded.parties_for,
        pending_for = excluded.pending_for,
        sources_against = excluded.sources_against,
        origins_against = excluded.origins_against,
        own_against = excluded.own_against,
        independent_against = excluded.independent_against,
        parties_against = excluded.parties_against,
        pending_against = excluded.pending_against,
        verdict = excluded.verdict,
        recount_id = COALESCE(excluded.recount_id, known.recount_id),
        weighed = excluded.weighed
    WHERE excluded.recount_id IS NOT NULL OR (
        known.sources_for, known.origins_for, known.own_for, known.independent_for,
        known.parties_for, known.pending_for, known.sources_against, known.origins_against,
        known.own_against, known.independent_against, known.parties_against,
        known.pending_against, known.verdict, known.weighed
    ) IS DISTINCT FROM (
        excluded.sources_for, excluded.origins_for, excluded.own_for, excluded.independent_for,
        excluded.parties_for, excluded.pending_for, excluded.sources_against,
        excluded.origins_against, excluded.own_against, excluded.independent_against,
        excluded.parties_against, excluded.pending_against, excluded.verdict, excluded.weighed
    );
END $$;

-- Recounts the claims that rest on these sources and entities, or queues the recount if there are
-- more than a few hundred.
CREATE OR REPLACE FUNCTION recount_resting(source_ids uuid[], entity_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found uuid[] := ARRAY(
        SELECT claim_id FROM claims_resting_on(source_ids, entity_ids) LIMIT 300
    );
BEGIN
    IF cardinality(found) < 300 THEN
        PERFORM recount_claims(found, uuidv7());
        RETURN;
    END IF;
    -- An entry that has not been begun covers this change, too.
    INSERT INTO recounts (source_id, entity_id)
    SELECT asked.source_id, asked.entity_id
    FROM (
        SELECT DISTINCT unnest(source_ids) AS source_id, NULL::uuid AS entity_id
        UNION ALL
        SELECT DISTINCT NULL::uuid, unnest(entity_ids)
    ) AS asked
    WHERE NOT EXISTS (
        SELECT FROM recounts AS waiting
        WHERE (waiting.source_id = asked.source_id OR waiting.entity_id = asked.entity_id)
            AND waiting.done_to = '00000000-0000-0000-0000-000000000000'
    );
END $$;

-- Recounts the claims, or queues the recount if there are more than a few hundred.
CREATE OR REPLACE FUNCTION recount_or_queue(claim_ids uuid[], recount uuid DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    found uuid[] := ARRAY(SELECT DISTINCT id FROM unnest(claim_ids) AS id ORDER BY id);
BEGIN
    IF cardinality(found) < 300 THEN
        PERFORM recount_claims(found, recount);
    ELSE
        INSERT INTO recounts (claim_ids)
        SELECT found[place:place + 999]
        FROM generate_series(1, cardinality(found), 1000) AS place;
    END IF;
END $$;

-- Whether an entry of the queue asks for a recount of the claim.
CREATE OR REPLACE FUNCTION awaits_recount(claim uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    passages uuid[];
    sources uuid[];
    entities uuid[];
BEGIN
    IF NOT EXISTS (SELECT FROM recounts WHERE done_to < claim) THEN
        RETURN false;
    END IF;
    IF EXISTS (
        SELECT FROM recounts
        WHERE done_to < claim AND source_id IS NULL AND entity_id IS NULL
            AND (claim_ids IS NULL OR claim = ANY (claim_ids))
    ) THEN
        RETURN true;
    END IF;
    passages := ARRAY(
        WITH RECURSIVE chain AS (
            SELECT id, derived_from_id FROM evidence WHERE claim_id = claim
            UNION
            SELECT evidence.id, evidence.derived_from_id
            FROM chain JOIN evidence ON evidence.id = chain.derived_from_id
        )
        SELECT id FROM chain
    );
    sources := ARRAY(
        WITH RECURSIVE reached AS (
            SELECT source_id AS id FROM evidence WHERE id = ANY (passages)
            UNION
            SELECT to_id FROM reached JOIN source_relations ON from_id = reached.id
                AND (keeps_origin(kind) OR cites_origin(kind))
        )
        SELECT id FROM reached
    );
    entities := entities_above(ARRAY(
        SELECT entity_id FROM source_contributors
        WHERE source_id = ANY (sources) AND speaks_as(role)
        UNION
        SELECT attributed_to_id FROM evidence
        WHERE id = ANY (passages) AND attributed_to_id IS NOT NULL
        UNION
        SELECT entity_id
        FROM (
            SELECT entity_id, role FROM claim_entities WHERE claim_id = claim
            OFFSET 0 -- PostgreSQL would look the role up in the index for each entity
        ) AS linked
        WHERE role = 'subject'
        UNION
        SELECT unnest(array_remove(ARRAY[claimant_id, reported_by_id], NULL))
        FROM claims WHERE id = claim
    ));
    RETURN EXISTS (
        SELECT FROM recounts
        WHERE done_to < claim AND (source_id = ANY (sources) OR entity_id = ANY (entities))
    );
END $$;

CREATE OR REPLACE FUNCTION claims_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(
            SELECT id FROM added WHERE NOT EXISTS (SELECT FROM evidence WHERE claim_id = added.id)
        );
        -- To insert nothing would take as long as to insert a row: the table has many indexes.
        IF touched <> '{}' THEN
            INSERT INTO corroborations (claim_id) SELECT unnest(touched) ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END IF;
    SELECT array_agg(added.id) INTO touched FROM added JOIN removed USING (id)
    WHERE (added.claimant_id, added.reported_by_id, added.modality, added.time)
        IS DISTINCT FROM
        (removed.claimant_id, removed.reported_by_id, removed.modality, removed.time);
    IF touched IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
        PERFORM recount_or_queue(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_count_origins AFTER INSERT ON claims
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_count_origins();

CREATE OR REPLACE TRIGGER claims_count_origins_updated AFTER UPDATE ON claims
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claims_count_origins();

-- A claim that was inserted by the same statement is counted when its evidence is.
CREATE OR REPLACE FUNCTION claim_entities_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(added.claim_id) INTO touched
        FROM added
            JOIN claim_entities AS link ON link.id = added.id
            JOIN claims ON claims.id = added.claim_id
        WHERE added.role = 'subject'
            AND NOT (claims.xmin = link.xmin AND claims.cmin = link.cmin);
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(claim_id) INTO touched FROM removed WHERE role = 'subject';
    ELSE
        SELECT array_agg(added.claim_id) || array_agg(removed.claim_id) INTO touched
        FROM added JOIN removed USING (id)
        WHERE 'subject' IN (added.role, removed.role)
            AND (added.claim_id, added.entity_id, added.role)
            <> (removed.claim_id, removed.entity_id, removed.role);
    END IF;
    IF touched IS NOT NULL THEN
        touched := ARRAY(
            SELECT claim_id FROM corroborations
            WHERE claim_id = ANY (touched)
                AND EXISTS (SELECT FROM evidence WHERE claim_id = corroborations.claim_id)
        );
    END IF;
    IF touched <> '{}' THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
        PERFORM recount_or_queue(touched);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claim_entities_count_origins_inserted AFTER INSERT ON claim_entities
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claim_entities_count_origins();

CREATE OR REPLACE TRIGGER claim_entities_count_origins_updated AFTER UPDATE ON claim_entities
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claim_entities_count_origins();

CREATE OR REPLACE TRIGGER claim_entities_count_origins_deleted AFTER DELETE ON claim_entities
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claim_entities_count_origins();

CREATE OR REPLACE FUNCTION evidence_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[];
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Claims of the same statement have no counts yet. Most of them only have evidence that waits
        -- for review, which need not be weighed.
        WITH counted AS (
            INSERT INTO corroborations (claim_id, pending_for, pending_against)
            SELECT claim_id,
                count(*) FILTER (
                    WHERE status = 'submitted' AND stance NOT IN ('disputes', 'mentions')
                ),
                count(*) FILTER (WHERE status = 'submitted' AND stance = 'disputes')
            FROM added
            GROUP BY claim_id
            HAVING bool_and(status <> 'accepted' AND deleted_at IS NULL)
            ON CONFLICT DO NOTHING
            RETURNING claim_id
        )
        SELECT array_agg(claim_id) INTO touched FROM added
        WHERE claim_id NOT IN (SELECT claim_id FROM counted);
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(claim_id) INTO touched FROM removed;
    ELSE
        SELECT
            array_agg(added.id) FILTER (
                WHERE (added.derived_from_id, added.source_id, added.attributed_to_id)
                    IS DISTINCT FROM
                    (removed.derived_from_id, removed.source_id, removed.attributed_to_id)
            ),
            array_agg(added.claim_id) || array_agg(removed.claim_id)
        INTO moved, touched
        FROM added JOIN removed USING (id)
        WHERE (
            added.claim_id, added.source_id, added.derived_from_id, added.attributed_to_id,
            added.stance, added.status, added.directness, added.interest, added.said,
            added.deleted_at IS NULL
        ) IS DISTINCT FROM (
            removed.claim_id, removed.source_id, removed.derived_from_id,
            removed.attributed_to_id, removed.stance, removed.status, removed.directness,
            removed.interest, removed.said, removed.deleted_at IS NULL
        );
    END IF;
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    IF moved IS NOT NULL THEN
        -- What derives from these passages follows them.
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        touched := touched || ARRAY(
            WITH RECURSIVE resting AS (
                SELECT id, claim_id FROM evidence WHERE derived_from_id = ANY (moved)
                UNION
                SELECT evidence.id, evidence.claim_id
                FROM evidence JOIN resting ON evidence.derived_from_id = resting.id
            )
            SELECT claim_id FROM resting
        );
    ELSE
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM recount_claims(touched);
    ELSE
        PERFORM recount_or_queue(touched, CASE WHEN moved IS NOT NULL THEN uuidv7() END);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER evidence_count_origins_inserted AFTER INSERT ON evidence
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins();

CREATE OR REPLACE TRIGGER evidence_count_origins_updated AFTER UPDATE ON evidence
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins();

CREATE OR REPLACE TRIGGER evidence_count_origins_deleted AFTER DELETE ON evidence
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins();

-- A merge moves thousands of relations in one statement.
CREATE OR REPLACE FUNCTION source_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(
            SELECT DISTINCT from_id FROM added WHERE keeps_origin(kind) OR cites_origin(kind)
        );
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(
            SELECT DISTINCT from_id FROM removed WHERE keeps_origin(kind) OR cites_origin(kind)
        );
    ELSE
        touched := ARRAY(
            SELECT sides.from_id
            FROM added JOIN removed USING (id), LATERAL (
                VALUES (added.from_id, added.kind), (removed.from_id, removed.kind)
            ) AS sides (from_id, kind)
            WHERE (added.from_id, added.to_id, added.kind)
                <> (removed.from_id, removed.to_id, removed.kind)
                AND (keeps_origin(sides.kind) OR cites_origin(sides.kind))
            GROUP BY sides.from_id
        );
    END IF;
    IF touched <> '{}' THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_resting(touched, '{}');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_relations_count_origins_inserted AFTER INSERT ON source_relations
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE TRIGGER source_relations_count_origins_updated AFTER UPDATE ON source_relations
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE TRIGGER source_relations_count_origins_deleted AFTER DELETE ON source_relations
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE FUNCTION sources_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    PERFORM recount_resting(ARRAY[NEW.id], '{}');
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER sources_count_origins AFTER UPDATE OF retracted_at, issued ON sources
FOR EACH ROW WHEN (
    (OLD.retracted_at IS NULL) <> (NEW.retracted_at IS NULL)
    OR OLD.issued IS DISTINCT FROM NEW.issued
) EXECUTE FUNCTION sources_count_origins();

-- No other transaction can refer to a source or an entity before the one that creates it ends: only
-- changes of older ones need the lock.
CREATE OR REPLACE FUNCTION source_contributors_count_origins() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    made uuid[];
    makers uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT source_id), array_agg(DISTINCT entity_id) INTO made, makers
        FROM added WHERE speaks_as(role);
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT source_id) INTO made FROM removed WHERE speaks_as(role);
    ELSE
        SELECT array_agg(DISTINCT source_id), array_agg(DISTINCT entity_id) INTO made, makers
        FROM (
            SELECT added.source_id, CASE WHEN speaks_as(added.role) THEN added.entity_id END
                AS entity_id
            FROM added JOIN removed USING (id)
            WHERE (speaks_as(added.role) OR speaks_as(removed.role))
                AND (added.source_id, added.entity_id, added.role)
                <> (removed.source_id, removed.entity_id, removed.role)
            UNION ALL
            SELECT removed.source_id, NULL FROM added JOIN removed USING (id)
            WHERE speaks_as(removed.role) AND added.source_id <> removed.source_id
        ) AS changed;
    END IF;
    IF made IS NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM sources WHERE id = ANY (made) AND created_at <> now()) THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    END IF;
    IF cardinality(made) > 100 AND cardinality(makers) <= 100
        AND array_position(makers, NULL) IS NULL AND TG_OP = 'UPDATE'
    THEN
        -- As after a merge: all of them are now made by a few.
        PERFORM recount_resting('{}', makers);
    ELSE
        PERFORM recount_resting(made, '{}');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_contributors_count_origins_inserted
AFTER INSERT ON source_contributors REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION source_contributors_count_origins();

CREATE OR REPLACE TRIGGER source_contributors_count_origins_updated
AFTER UPDATE ON source_contributors REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION source_contributors_count_origins();

CREATE OR REPLACE TRIGGER source_contributors_count_origins_deleted
AFTER DELETE ON source_contributors REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION source_contributors_count_origins();

CREATE OR REPLACE FUNCTION entity_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owned uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        owned := ARRAY(SELECT DISTINCT subject_id FROM added WHERE binds_entity(kind));
    ELSIF TG_OP = 'DELETE' THEN
        owned := ARRAY(SELECT DISTINCT subject_id FROM removed WHERE binds_entity(kind));
    ELSE
        owned := ARRAY(
            SELECT sides.subject_id
            FROM added JOIN removed USING (id), LATERAL (
                VALUES (added.subject_id, added.kind), (removed.subject_id, removed.kind)
            ) AS sides (subject_id, kind)
            WHERE (added.subject_id, added.object_id, added.kind)
                <> (removed.subject_id, removed.object_id, removed.kind)
                AND binds_entity(sides.kind)
            GROUP BY sides.subject_id
        );
    END IF;
    IF owned <> '{}' THEN
        IF EXISTS (SELECT FROM entities WHERE id = ANY (owned) AND created_at <> now()) THEN
            PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        END IF;
        PERFORM recount_resting('{}', owned);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER entity_relations_count_origins_inserted AFTER INSERT ON entity_relations
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entity_relations_count_origins();

CREATE OR REPLACE TRIGGER entity_relations_count_origins_updated AFTER UPDATE ON entity_relations
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION entity_relations_count_origins();

CREATE OR REPLACE TRIGGER entity_relations_count_origins_deleted AFTER DELETE ON entity_relations
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION entity_relations_count_origins();
