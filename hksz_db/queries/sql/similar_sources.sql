-- At most ten live sources that may be the same as the one that the query around it reads as
-- "sources", and why.
SELECT other.id, other.external_id, other.title, found.reasons
FROM (
    SELECT id, json_agg(DISTINCT reason ORDER BY reason) AS reasons
    FROM (
        (
            SELECT taken_by AS id, 'url' AS reason FROM unfilled_urls
            WHERE source_id = sources.id AND sources.canonical_url IS NULL
                AND taken_by IS NOT NULL
        )
        UNION ALL
        (
            SELECT source_id, 'url' FROM unfilled_urls JOIN sources AS older ON older.id = source_id
            WHERE taken_by = sources.id AND older.canonical_url IS NULL
            LIMIT 10
        )
        UNION ALL
        -- A DOI may be given as a DOI or as a URL.
        (
            SELECT id, 'doi' FROM sources AS other
            WHERE canonical_url = 'doi.org/' || sources.doi AND deleted_at IS NULL
        )
        UNION ALL
        (
            SELECT id, 'doi' FROM sources AS other
            WHERE doi = substring(sources.canonical_url FROM '^doi\.org/(.+)$')
        )
        UNION ALL
        (
            SELECT theirs.source_id, 'text'
            FROM source_captures AS own
                JOIN source_captures AS theirs ON theirs.text_sha256 = own.text_sha256
            WHERE own.source_id = sources.id AND theirs.source_id <> sources.id
            LIMIT 10
        )
        UNION ALL
        -- Not sources that differ in their publisher or date, but of one of these they share a value.
        (
            SELECT alike.id, 'title'
            FROM (
                SELECT id, issued && sources.issued AS dates, (
                    SELECT bool_or(theirs.entity_id = own.entity_id)
                    FROM source_contributors AS theirs, source_contributors AS own
                    WHERE theirs.source_id = other.id AND own.source_id = sources.id
                        AND theirs.role = 'publisher' AND own.role = 'publisher'
                ) AS publishers
                FROM (
                    -- The newest: thousands of sources may be called "Press release".
                    SELECT id, issued FROM sources AS other
                    WHERE title_hash(title) = title_hash(sources.title)
                        AND id <> sources.id AND deleted_at IS NULL
                    ORDER BY id DESC LIMIT 1000
                ) AS other
            ) AS alike
            WHERE (dates OR publishers)
                AND dates IS DISTINCT FROM false AND publishers IS DISTINCT FROM false
            ORDER BY alike.id DESC LIMIT 10
        )
    ) AS likely
    GROUP BY id
) AS found JOIN sources AS other ON other.id = found.id
WHERE other.deleted_at IS NULL AND other.id <> sources.id
ORDER BY json_array_length(found.reasons) DESC, other.id DESC LIMIT 10
