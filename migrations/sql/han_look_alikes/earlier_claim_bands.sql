-- Replaces numbers by "#". A number consists of digits, in groups of three if a comma, a space or
-- an apostrophe joins them, and of decimals. A sign is not part of it, because it may be a hyphen.
CREATE OR REPLACE FUNCTION masked_statement(statement text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
    lower(translate(
        statement, U&'\FF10\FF11\FF12\FF13\FF14\FF15\FF16\FF17\FF18\FF19', '0123456789'
    )),
    '[0-9]{1,3}(?:[ ,''\u00a0\u2009\u202f\u2019][0-9]{3})+(?![0-9])(?:\.[0-9]+)?'
    '|[0-9]+(?:\.[0-9]+)?',
    '#', 'g'
);

CREATE OR REPLACE FUNCTION statement_numbers(statement text) RETURNS numeric[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT trim_scale(regexp_replace(found[1], '[^0-9.]', '', 'g')::numeric) AS number
    FROM regexp_matches(
        translate(
            statement, U&'\FF10\FF11\FF12\FF13\FF14\FF15\FF16\FF17\FF18\FF19', '0123456789'
        ),
        '[0-9]{1,3}(?:[ ,''\u00a0\u2009\u202f\u2019][0-9]{3})+(?![0-9])(?:\.[0-9]+)?'
        '|[0-9]+(?:\.[0-9]+)?',
        'g'
    ) AS found
    ORDER BY number
);

-- Chinese and Japanese are written without spaces: every character from U+2E80 on counts as a word.
-- Most words that reverse or limit a sentence are stop words of the text search, so that they are
-- added as terms. Percentage points are not a percentage.
CREATE OR REPLACE FUNCTION statement_words(statement text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    masked text := masked_statement(statement);
    words text[] := tsvector_to_array(to_tsvector('pg_catalog.english', masked));
BEGIN
    IF masked ~ '[\u2e80-\U0010ffff]' THEN
        words := ARRAY(
            SELECT DISTINCT part[1]
            FROM unnest(words) AS word,
                regexp_matches(word, '[\u2e80-\U0010ffff]|[^\u2e80-\U0010ffff]+', 'g') AS part
        );
    END IF;
    RETURN words || ARRAY(
        SELECT term
        FROM (VALUES
            ('not', '\m(no|nor|not|none|never|neither|cannot|without|false|barely|hardly'
                '|fail(s|ed|ing)?)\M|n[''\u2019]t\M|[未不没沒無无非]'),
            ('before', '\mbefore\M'),
            ('after', '\mafter\M'),
            ('outside', '\moutside\M'),
            ('below', '\m(below|up to|at most|(fewer|less) than|under (?=#))'),
            ('all', '\m(all|every|each)\M'),
            ('few', '\m(some|few|several)\M'),
            ('per cent', '([\x25\uff05]|\mper ?cent\M)(?![ -]?points?\M)')
        ) AS turning (term, pattern)
        WHERE masked ~ pattern
    );
END $$;

-- The words in their order, without stop words and numbers.
CREATE OR REPLACE FUNCTION statement_order(statement text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT regexp_replace(
        string_agg(lexeme, ' ' ORDER BY place), ' ?([\u2e80-\U0010ffff]) ?', '\1', 'g'
    )
    FROM unnest(to_tsvector('pg_catalog.english', masked_statement(statement))) AS word,
        unnest(word.positions) AS place
);

-- The ten bands of the words, and two more if the statement has numbers.
CREATE OR REPLACE FUNCTION statement_bands(statement text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text[] := statement_words(statement);
    numbers text := statement_numbers(statement);
    bands bigint[];
BEGIN
    IF words = '{}' THEN
        RETURN '{}';
    END IF;
    SELECT ARRAY[hashint8extended(min(rank_0), max(rank_0)), hashint8extended(min(rank_1), max(rank_1)), hashint8extended(min(rank_2), max(rank_2)), hashint8extended(min(rank_3), max(rank_3)), hashint8extended(min(rank_4), max(rank_4)), hashint8extended(min(rank_5), max(rank_5)), hashint8extended(min(rank_6), max(rank_6)), hashint8extended(min(rank_7), max(rank_7)), hashint8extended(min(rank_8), max(rank_8)), hashint8extended(min(rank_9), max(rank_9))] INTO bands
    FROM (SELECT hashtextextended(word, 0) AS rank_0, hashtextextended(word, 1) AS rank_1, hashtextextended(word, 2) AS rank_2, hashtextextended(word, 3) AS rank_3, hashtextextended(word, 4) AS rank_4, hashtextextended(word, 5) AS rank_5, hashtextextended(word, 6) AS rank_6, hashtextextended(word, 7) AS rank_7, hashtextextended(word, 8) AS rank_8, hashtextextended(word, 9) AS rank_9 FROM unnest(words) AS word OFFSET 0) AS ranked;
    IF numbers <> '{}' THEN
        bands := bands || hashtextextended(numbers, bands[1])
            || hashtextextended(numbers, bands[2]);
    END IF;
    RETURN bands;
END $$;

-- The bands of the old statement are computed again. A migration that changes these functions has
-- to fill the table anew.
CREATE OR REPLACE FUNCTION claims_keep_bands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN
        DELETE FROM claim_bands
        WHERE claim_id = OLD.id AND band = ANY (statement_bands(OLD.statement));
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN
        INSERT INTO claim_bands (band, claim_id)
        SELECT unnest(statement_bands(NEW.statement)), NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_keep_bands
AFTER INSERT OR DELETE OR UPDATE OF statement, deleted_at ON claims
FOR EACH ROW EXECUTE FUNCTION claims_keep_bands();
