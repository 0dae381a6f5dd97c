-- The years of the claims of {matched}: how many may lie within each, and how many certainly do. Years
-- in which nothing lies are left out, and so are those beyond the first and last that a time states.
WITH times AS (
    SELECT time, count(*) AS claims FROM {matched} WHERE time IS NOT NULL GROUP BY time
), spans AS MATERIALIZED (
    SELECT
        extract(year FROM lower(time))::integer AS first,
        extract(year FROM upper(time) - 1)::integer AS last,
        claims
    FROM times
), stated AS (
    SELECT min(LEAST(first, last)) AS earliest, max(GREATEST(first, last)) AS latest FROM spans
), steps AS (
    SELECT year, sum(step) AS step
    FROM (
        SELECT COALESCE(first, (SELECT earliest FROM stated)) AS year, claims AS step FROM spans
        UNION ALL
        SELECT last + 1, -claims FROM spans WHERE last IS NOT NULL
    ) AS changes
    GROUP BY year
), certain AS (
    SELECT first AS year, sum(claims) AS claims FROM spans WHERE first = last GROUP BY first
), counted AS (
    SELECT
        year,
        sum(COALESCE(step, 0)) OVER (ORDER BY year) AS claims,
        COALESCE(certain.claims, 0) AS certain
    FROM stated, LATERAL generate_series(earliest, latest) AS year
    LEFT JOIN steps USING (year)
    LEFT JOIN certain USING (year)
)
SELECT lpad(year::text, 4, '0') AS value, claims::integer AS count, certain::integer AS certain
FROM counted WHERE claims > 0
