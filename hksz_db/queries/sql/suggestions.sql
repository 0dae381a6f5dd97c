-- What somebody who types a name may mean: the first :rows of :kinds, as a JSON array.
WITH RECURSIVE asked AS MATERIALIZED (
    SELECT
        search_query(CAST(:terms AS text[]), false) AS words,
        ARRAY(
            SELECT DISTINCT lower(each) FROM unnest(CAST(:spellings AS text[])) AS each
        ) AS beginnings
), whole AS MATERIALIZED (
    -- In the order of the index, which begins with a name that is the text itself.
    SELECT named.*
    FROM asked, unnest(beginnings) AS beginning, LATERAL (
        SELECT
            names.id, entity_id, names.name, language, names.kind,
            CASE WHEN lower(names.name) = beginning THEN 0 ELSE 1 END AS place
        FROM entity_names AS names JOIN entities ON entities.id = entity_id
        WHERE lower(names.name) ~>=~ beginning
            AND lower(names.name) ~<~ (beginning || chr(1114111))
            AND deleted_at IS NULL
        ORDER BY lower(names.name) USING ~<~
        LIMIT {most}
    ) AS named
    WHERE 'entities' = ANY (CAST(:kinds AS text[]))
), words AS MATERIALIZED (
    -- The fence makes the planner look the words up first.
    SELECT found.id, entity_id, found.name, language, found.kind, 2 AS place
    FROM (
        SELECT id, entity_id, name, language, kind FROM entity_names
        WHERE search @@ (SELECT words FROM asked) OFFSET 0
    ) AS found JOIN entities ON entities.id = entity_id
    WHERE deleted_at IS NULL
        AND 'entities' = ANY (CAST(:kinds AS text[]))
        AND (SELECT count(DISTINCT entity_id) FROM whole) < :rows
    LIMIT {most}
), named AS (
    SELECT DISTINCT ON (entity_id) entity_id, name, language, place
    FROM (SELECT * FROM whole UNION ALL SELECT * FROM words) AS every
    ORDER BY entity_id, place, kind = 'preferred' DESC, id
), topics AS (
    -- One step in the index for each topic, however many claims have it.
    (
        SELECT topic FROM claim_topics WHERE 'topics' = ANY (CAST(:kinds AS text[]))
        ORDER BY topic LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT next.topic FROM claim_topics AS next WHERE next.topic > topics.topic
        ORDER BY next.topic LIMIT 1
    )
    FROM topics WHERE topic IS NOT NULL
), termed AS (
    SELECT
        'metrics' AS resource, id, key AS value, label AS name, dimension AS hint, description,
        (
            SELECT count(*)
            FROM (SELECT FROM figures WHERE metric_id = metrics.id LIMIT {counted}) AS used
        ) AS uses
    FROM metrics
    WHERE name_words((label || ' ') || key) @@ (SELECT words FROM asked)
        AND deleted_at IS NULL AND 'metrics' = ANY (CAST(:kinds AS text[]))
    UNION ALL
    SELECT
        'units', id, code, label, dimension, NULL,
        (
            SELECT count(*)
            FROM (SELECT FROM figures WHERE unit_code = code LIMIT {counted}) AS used
        )
    FROM units
    WHERE (
            name_words((label || ' ') || code) @@ (SELECT words FROM asked)
            OR code = ANY (CAST(:spellings AS text[]))
        )
        AND deleted_at IS NULL AND 'units' = ANY (CAST(:kinds AS text[]))
    UNION ALL
    SELECT 'topics', NULL, topic, topic, NULL, NULL, uses
    FROM (SELECT topic FROM topics WHERE topic IS NOT NULL LIMIT {topics}) AS known, LATERAL (
        SELECT count(*) AS uses
        FROM (
            SELECT FROM claim_topics AS links JOIN claims ON claims.id = claim_id
            WHERE links.topic = known.topic AND deleted_at IS NULL LIMIT {counted}
        ) AS used
    ) AS counted
    WHERE name_words(topic) @@ (SELECT words FROM asked) AND uses > 0
), suggested AS (
    SELECT
        'entities' AS resource, entities.id, entities.id::text AS value, entities.name,
        named.name AS matched, named.language, entities.kind AS hint, description, place,
        (
            SELECT count(*)
            FROM (
                SELECT FROM claim_entities AS links WHERE links.entity_id = entities.id
                LIMIT {counted}
            ) AS used
        ) + (
            SELECT count(*)
            FROM (SELECT FROM claims WHERE claimant_id = entities.id LIMIT {counted}) AS used
        ) AS uses
    FROM named JOIN entities ON entities.id = entity_id
    UNION ALL
    SELECT
        resource, id, value, name,
        CASE WHEN name_words(name) @@ asked.words THEN name ELSE value END, NULL,
        hint, description,
        CASE
            WHEN lower(name) = ANY (beginnings) OR lower(value) = ANY (beginnings) THEN 0
            WHEN EXISTS (
                SELECT FROM unnest(beginnings) AS beginning
                WHERE starts_with(lower(name), beginning) OR starts_with(lower(value), beginning)
            ) THEN 1
            ELSE 2
        END,
        uses
    FROM termed, asked
), first AS (
    SELECT *, row_number() OVER (ORDER BY place, uses DESC, length(matched), name, value) AS n
    FROM suggested ORDER BY n LIMIT :rows
)
SELECT COALESCE(json_agg(json_build_object(
    'resource', resource,
    'id', id,
    'value', value,
    'name', name,
    'matched', json_build_object('name', matched, 'language', language),
    'hint', hint,
    'description', description
) ORDER BY n), '[]')
FROM first
