-- Which of the pairs of a metric and a subject have figures, with the times and the parts of these.
SELECT asked.metric_id, asked.subject_id, known.times, known.parts
FROM unnest(CAST(:metrics AS uuid[]), CAST(:subjects AS uuid[])) AS asked (metric_id, subject_id)
CROSS JOIN LATERAL (
    SELECT json_agg(DISTINCT period_edtf) FILTER (WHERE period_edtf IS NOT NULL) AS times,
        json_agg(DISTINCT breakdown::jsonb) FILTER (WHERE breakdown IS NOT NULL) AS parts
    FROM (
        -- The newest: something may have been measured thousands of times.
        SELECT period_edtf, breakdown FROM figures
        WHERE metric_id = asked.metric_id AND subject_id = asked.subject_id AND deleted_at IS NULL
        ORDER BY id DESC LIMIT 1000
    ) AS newest
    HAVING count(*) > 0
) AS known
