-- The evidence on a claim, as it was weighed, as an array of rows. Until a recount is done, it is
-- weighed by the sources and relations as they are now, to which the paths to its origins lead.
CASE
    WHEN corroborated.weighed IS NULL OR awaits_recount(corroborated.claim_id)
    THEN ARRAY(SELECT each FROM weigh_evidence(corroborated.claim_id) AS each)
    ELSE ARRAY(
        SELECT each FROM jsonb_to_recordset(corroborated.weighed) AS each (
            evidence_id uuid, source_id uuid, in_favour boolean, origin_ids uuid[],
            other_ids uuid[], voice uuid[], standing text, reason text
        )
    )
END
