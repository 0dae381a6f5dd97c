CREATE OR REPLACE FUNCTION claim_words(claim uuid, content text, language text, claimant uuid)
RETURNS tsvector LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    gap CONSTANT tsvector := '''#'':1';
    -- PostgreSQL allows words of 1 MB; the rest is not searched.
    most CONSTANT integer := 900000;
    words tsvector := search_vector(content, claim_words.language);
    linked uuid[] := ARRAY(
        SELECT claimant WHERE claimant IS NOT NULL
        UNION
        SELECT entity_id FROM claim_entities WHERE claim_id = claim
    );
    part tsvector;
BEGIN
    -- A loop over an array begins faster than one over a query.
    FOREACH part IN ARRAY ARRAY(
        SELECT search_vector(text, translated.language)
        FROM claim_translations AS translated WHERE claim_id = claim ORDER BY id
    ) LOOP
        EXIT WHEN pg_column_size(words) > most;
        words := words || gap || part;
    END LOOP;
    words := setweight(words, 'A');
    FOREACH part IN ARRAY ARRAY(
        SELECT named.search
        FROM unnest(linked) AS linked_id, LATERAL (
            SELECT entity_names.id, entity_names.search FROM entity_names
            WHERE entity_id = linked_id AND EXISTS (
                SELECT FROM entities WHERE entities.id = linked_id AND deleted_at IS NULL
            )
            OFFSET 0
        ) AS named
        ORDER BY linked_id, named.id
    ) LOOP
        EXIT WHEN pg_column_size(words) > most;
        words := words || gap || part;
    END LOOP;
    RETURN ts_delete(words, '#') || array_to_tsvector(linked::text[]);
END $$;
