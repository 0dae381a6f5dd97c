-- The text as it is searched: compatibility forms such as full-width letters as ordinary ones, marks
-- between words and signs of numbers as spaces, no invisible characters, and every Han character as a
-- word. hksz_db/domain/search_terms.py does the same to the words that are searched for.
CREATE OR REPLACE FUNCTION search_text(content text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
    translate(
        normalize(content, NFKC),
        U&'-+~/\00B7\2027\30FB\2022\00AD\200B\200C\200D\2060\FEFF',
        '        '
    ),
    '[\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]',
    ' \& ',
    'g'
);

-- Words in English are found in all of their forms. The language of old sources is often unknown.
CREATE OR REPLACE FUNCTION search_vector(content text, language text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN COALESCE(language, 'en') ~* '^en(-|$)'
    THEN to_tsvector('pg_catalog.english', search_text(content))
    ELSE to_tsvector('pg_catalog.simple', search_text(content))
END;

CREATE OR REPLACE FUNCTION source_words(title text, container_title text, language text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN search_vector(concat_ws(' ', title, container_title), language);

-- Names are not stemmed.
CREATE OR REPLACE FUNCTION name_words(name text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN search_vector(name, 'und');

-- The query for the terms of search_terms() in hksz_db/domain/search_terms.py: all of them up to a
-- null, or all up to the next. If texts are stemmed, a term is searched as it stands and stemmed. A
-- stop word is searched only if there are no other words, because English texts are indexed without
-- them.
CREATE OR REPLACE FUNCTION search_query(terms text[], stemmed boolean) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    term text;
    plain tsquery;
    stem tsquery;
    every tsquery := '';
    stop_words tsquery := '';
    found tsquery := '';
BEGIN
    FOREACH term IN ARRAY array_append(terms, NULL) LOOP
        IF term IS NULL THEN
            found := found || CASE WHEN numnode(every) = 0 THEN stop_words ELSE every END;
            every := '';
            stop_words := '';
            CONTINUE;
        END IF;
        plain := to_tsquery('pg_catalog.simple', ltrim(term, '!'));
        IF numnode(plain) = 0 THEN
            CONTINUE;
        END IF;
        IF stemmed THEN
            stem := to_tsquery('pg_catalog.english', ltrim(term, '!'));
            IF numnode(stem) = 0 THEN
                IF NOT starts_with(term, '!') THEN
                    stop_words := stop_words && plain;
                END IF;
                CONTINUE;
            END IF;
            -- As text, because tsquery compares queries by their size.
            IF stem::text <> plain::text THEN
                plain := stem || plain;
            END IF;
        END IF;
        every := every && CASE WHEN starts_with(term, '!') THEN !!plain ELSE plain END;
    END LOOP;
    RETURN found;
END $$;
