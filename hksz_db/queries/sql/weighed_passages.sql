-- The evidence on a claim, as it was weighed, as an array of rows.
CASE
    WHEN corroborated.weighed IS NULL
    THEN ARRAY(SELECT each FROM weigh_evidence(corroborated.claim_id) AS each)
    ELSE ARRAY(
        SELECT each FROM jsonb_to_recordset(corroborated.weighed) AS each (
            evidence_id uuid, source_id uuid, in_favour boolean, origin_ids uuid[],
            other_ids uuid[], voice uuid[], standing text, reason text
        )
    )
END
