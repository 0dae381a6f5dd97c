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
