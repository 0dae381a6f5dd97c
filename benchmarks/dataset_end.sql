-- Completes the dataset when all claims are there.

-- The number of the most frequent entities with more than a page of claims in every year.
ALTER TABLE benchmark.dataset ADD COLUMN full_entities int;
WITH full_years AS (
    SELECT entity_id
    FROM claim_entities JOIN claims ON claims.id = claim_id
    GROUP BY entity_id, lower(time)
    HAVING count(DISTINCT claim_id) > 50
), full_entities AS (
    SELECT entity_id, row_number() OVER (ORDER BY entity_id)::int AS number
    FROM full_years, benchmark.dataset
    GROUP BY entity_id, first_year, last_year
    HAVING count(*) = last_year - first_year + 1
)
UPDATE benchmark.dataset SET full_entities = (
    SELECT greatest(count(*), 1) FROM full_entities WHERE entity_id = benchmark.entity_id(number)
);
