-- The claims that share the most and the rarest bands with each of several sentences.
WITH sharing AS (
    SELECT asked.place, sharing.claim_id,
        1.0 / count(*) OVER (PARTITION BY asked.place, asked.band) AS weight
    FROM unnest(CAST(:places AS integer[]), CAST(:bands AS bigint[])) AS asked (place, band)
    CROSS JOIN LATERAL (
        -- The newest: thousands of claims may share a band.
        SELECT claim_id FROM claim_bands WHERE band = asked.band ORDER BY claim_id DESC LIMIT 32
    ) AS sharing
), ranked AS (
    SELECT place, claim_id,
        row_number() OVER (PARTITION BY place ORDER BY sum(weight) DESC, claim_id DESC) AS rank
    FROM sharing GROUP BY place, claim_id
)
SELECT place, claim_id FROM ranked WHERE rank <= 8
