-- At most ten live claims that look like the one that the query around it reads as "claims", of those
-- that meet a condition on "other", "likeness" and "near".
-- OFFSET 0 makes PostgreSQL evaluate the columns once, however often they are used.
SELECT * FROM (
    SELECT *,
        similarity >= 0.60 AND modality = claims.modality
            AND numbers <> 'different' AND figures <> 'different' AND period <> 'different'
            AND NOT inverted
            AND (words IN ('same', 'contained') OR figures = 'same') AS likely_same
    FROM (
        SELECT id, external_id, statement, status, modality, similarity, inverted,
            CASE
                WHEN own_masked = other_masked THEN 'same'
                WHEN inverted OR NOT (words <@ other_words OR words @> other_words)
                    THEN 'different'
                WHEN NOT (words <@ other_words AND words @> other_words) THEN 'contained'
                -- Evaluated last: the order only matters if the words are the same.
                WHEN masked_order(own_masked) IS NOT DISTINCT FROM masked_order(other_masked)
                    THEN 'same'
                ELSE 'reordered'
            END AS words,
            CASE
                WHEN numbers <> other_numbers THEN 'different'
                WHEN cardinality(numbers) = 0 THEN 'none'
                ELSE 'same'
            END AS numbers,
            -- Whether each figure of either claim shares a plausible value with a figure of the
            -- other. Only comparable figures count: those of one metric, subject and modality whose
            -- periods overlap. A figure without a period has that of its claim; without either it
            -- overlaps any. If both claims have figures and none are comparable, the claims differ.
            -- The ranges of logically possible values are not compared, because they are open: more
            -- than 41,000 may be more than 47,000.
            CASE
                WHEN NOT (
                    EXISTS (SELECT FROM figures WHERE claim_id = claims.id AND deleted_at IS NULL)
                    AND EXISTS (
                        SELECT FROM figures WHERE claim_id = candidate.id AND deleted_at IS NULL
                    )
                ) THEN 'none'
                WHEN (
                    SELECT bool_and(own_agrees AND other_agrees) -- null without pairs
                    FROM (
                        SELECT bool_or(own.plausible_range && other.plausible_range)
                                OVER (PARTITION BY own.id) AS own_agrees,
                            bool_or(own.plausible_range && other.plausible_range)
                                OVER (PARTITION BY other.id) AS other_agrees
                        FROM figures AS own, figures AS other
                        WHERE own.claim_id = claims.id AND other.claim_id = candidate.id
                            AND own.metric_id = other.metric_id
                            AND own.subject_id = other.subject_id
                            AND own.modality = other.modality
                            AND own.breakdown IS NOT DISTINCT FROM other.breakdown
                            AND (own.dimension <> 'money' OR own.unit_code = other.unit_code)
                            AND own.deleted_at IS NULL AND other.deleted_at IS NULL
                            AND coalesce(own.period, claims.time, '(,)')
                                && coalesce(other.period, candidate.time, '(,)')
                    ) AS pairs
                ) THEN 'same'
                ELSE 'different'
            END AS figures,
            CASE
                WHEN claims.time IS NULL OR candidate.time IS NULL THEN 'unknown'
                WHEN claims.time = candidate.time THEN 'same'
                WHEN claims.time && candidate.time THEN 'overlaps'
                ELSE 'different'
            END AS period
        FROM (
            -- Another word makes a claim say more; one of these makes it say something else.
            SELECT *, EXISTS (
                SELECT FROM unnest(
                    ARRAY['not', 'before', 'after', 'outside', 'below', 'all', 'few', 'per cent']
                ) AS word
                WHERE (words @> ARRAY[word]) <> (other_words @> ARRAY[word])
            ) AS inverted
            FROM (
                SELECT other.id, other.external_id, other.statement, other.status, other.modality,
                    other.time, likeness.similarity,
                    own.words, own.numbers, own.masked AS own_masked,
                    -- A duplicate is often a copy.
                    CASE
                        WHEN likeness.masked = own.masked THEN own.words
                        ELSE masked_words(likeness.masked)
                    END AS other_words,
                    CASE
                        WHEN likeness.plain = own.plain THEN own.numbers
                        ELSE plain_numbers(likeness.plain)
                    END AS other_numbers,
                    likeness.masked AS other_masked
                FROM (
                    -- The terms are read once: that takes most of the time of the bands and the words.
                    SELECT plain, masked, wording, numbers,
                        word_bands(terms, masked, numbers) AS bands,
                        CASE
                            WHEN has_unspaced(masked) THEN masked_words(masked) ELSE terms
                        END AS words
                    FROM (
                        SELECT plain, masked, masked_wording(masked) AS wording,
                            masked_terms(masked) AS terms, plain_numbers(plain) AS numbers
                        FROM (
                            SELECT plain, masked_numbers(plain) AS masked
                            FROM (SELECT plain_statement(claims.statement) AS plain OFFSET 0) AS read
                            OFFSET 0
                        ) AS stated
                        OFFSET 0
                    ) AS stated
                    OFFSET 0
                ) AS own
                CROSS JOIN LATERAL (
                    SELECT claim_id, bool_or(has_equal_figure) AS has_equal_figure
                    FROM (
                        (
                            -- The candidates that share the most and the rarest bands.
                            SELECT claim_id, false AS has_equal_figure
                            FROM (
                                -- A rare band says more than a common one.
                                SELECT unnest(claim_ids) AS claim_id,
                                    1.0 / cardinality(claim_ids) AS weight
                                FROM unnest(own.bands) AS own_band (band)
                                CROSS JOIN LATERAL (
                                    SELECT array_agg(claim_id) AS claim_ids
                                    FROM (
                                        -- The newest: thousands of claims may share a band.
                                        SELECT claim_id FROM claim_bands
                                        WHERE band = own_band.band AND claim_id <> claims.id
                                        ORDER BY claim_id DESC LIMIT 32
                                    ) AS newest
                                ) AS sharing
                            ) AS weighted
                            GROUP BY claim_id ORDER BY sum(weight) DESC, claim_id DESC LIMIT 16
                        )
                        UNION ALL
                        (
                            -- The same figure in other words, or in another language.
                            SELECT newest.claim_id, true
                            FROM (
                                SELECT * FROM figures
                                WHERE claim_id = claims.id AND deleted_at IS NULL
                                ORDER BY id LIMIT 16
                            ) AS stated
                            CROSS JOIN LATERAL (
                                -- The newest: a figure may have been stated thousands of times.
                                SELECT claim_id, plausible_range, breakdown, dimension, unit_code,
                                    period
                                FROM figures
                                WHERE metric_id = stated.metric_id
                                    AND subject_id = stated.subject_id
                                    AND modality = stated.modality AND deleted_at IS NULL
                                ORDER BY id DESC LIMIT 256
                            ) AS newest
                            JOIN claims AS other ON other.id = newest.claim_id
                            WHERE newest.claim_id <> claims.id
                                AND newest.plausible_range && stated.plausible_range
                                AND newest.breakdown IS NOT DISTINCT FROM stated.breakdown
                                AND (
                                    newest.dimension <> 'money'
                                    OR newest.unit_code = stated.unit_code
                                )
                                AND coalesce(stated.period, claims.time, '(,)')
                                    && coalesce(newest.period, other.time, '(,)')
                            ORDER BY newest.claim_id DESC LIMIT 16
                        )
                    ) AS found
                    GROUP BY claim_id
                ) AS near
                JOIN claims AS other ON other.id = near.claim_id
                CROSS JOIN LATERAL (
                    SELECT plain, masked, CASE
                        WHEN masked = own.masked THEN 1.00
                        ELSE round(similarity(own.wording, masked_wording(masked))::numeric, 2)
                    END AS similarity
                    FROM (
                        SELECT plain, masked_numbers(plain) AS masked
                        FROM (SELECT plain_statement(other.statement) AS plain OFFSET 0) AS read
                        OFFSET 0
                    ) AS stated
                    OFFSET 0
                ) AS likeness
                WHERE other.deleted_at IS NULL
                    AND ({condition})
                OFFSET 0
            ) AS alike
            OFFSET 0
        ) AS candidate
        OFFSET 0
    ) AS compared
) AS judged
ORDER BY likely_same DESC, figures = 'same' DESC, similarity DESC, id DESC LIMIT 10
