-- The number in Han characters such as 四万七千, 4.7万 or 二零二三, as folded_han() writes them. Null if
-- it may be another: 三四百 is three or four hundred.
CREATE OR REPLACE FUNCTION han_number(written text) RETURNS numeric
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    token text;
    total numeric := 0;
    section numeric := 0;
    digit numeric := 0;
    unit numeric := 1;
BEGIN
    IF length(written) > 40 THEN
        RETURN NULL;
    ELSIF written ~ '^[〇零一二两三四五六七八九]*$' THEN
        -- A year, or one digit: other rows of digits may be ranges.
        RETURN CASE
            WHEN length(written) IN (1, 4)
            THEN translate(written, '〇零一二两三四五六七八九', '001223456789')::numeric
        END;
    ELSIF written ~ '[一二两三四五六七八九]{2}' THEN
        RETURN NULL;
    END IF;
    FOR token IN SELECT part[1] FROM regexp_matches(written, '[0-9,.]+|.', 'g') AS part LOOP
        IF token ~ '^[0-9]' THEN
            digit := replace(token, ',', '')::numeric;
        ELSIF token = '亿' THEN
            total := (total + section + digit) * 100000000;
            section := 0;
            digit := 0;
            unit := 100000000;
        ELSIF token = '万' THEN
            total := total + (section + digit) * 10000;
            section := 0;
            digit := 0;
            unit := 10000;
        ELSIF token IN ('十', '百', '千') THEN
            unit := CASE token WHEN '十' THEN 10 WHEN '百' THEN 100 ELSE 1000 END;
            section := section + CASE digit WHEN 0 THEN 1 ELSE digit END * unit;
            digit := 0;
        ELSIF token IN ('零', '〇') THEN
            unit := 1;
        ELSE
            digit := translate(token, '一二两三四五六七八九', '1223456789')::numeric;
        END IF;
    END LOOP;
    -- 四万七 is 47,000.
    RETURN total + section + digit * greatest(unit / 10, 1);
END $$;

-- Regular expressions cost more than the rest of these functions, so that most texts in English are told
-- apart by their length first.
CREATE OR REPLACE FUNCTION has_unspaced(content text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN octet_length(content) > length(content) AND content ~ '[\u2e80-\U0010ffff]';

-- The statement in lower case, with ordinary digits for full-width ones. If it is in Chinese, it has
-- the same characters in either script, numbers in digits, and "%" for 百分之.
CREATE OR REPLACE FUNCTION plain_statement(statement text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    rest text;
    numbers CONSTANT text := '(?:'
        '(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)[十百千万亿]'
        '|[一二两三四五六七八九十][〇零一二两三四五六七八九十百千万亿]'
        ')[〇零一二两三四五六七八九十百千万亿]*|(?<=百分之)[一二三四五六七八九十]';
    written text;
    place integer;
    plain text := '';
BEGIN
    IF octet_length(statement) = length(statement) THEN
        RETURN lower(statement);
    END IF;
    rest := lower(translate(
        statement, U&'\FF10\FF11\FF12\FF13\FF14\FF15\FF16\FF17\FF18\FF19', '0123456789'
    ));
    IF rest !~ '[\u3400-\u9fff]' THEN
        RETURN rest;
    END IF;
    rest := folded_han(rest);
    LOOP
        written := substring(rest FROM numbers);
        EXIT WHEN written IS NULL;
        place := regexp_instr(rest, numbers);
        plain := plain || left(rest, place - 1)
            || COALESCE(trim_scale(han_number(written))::text, written);
        rest := substr(rest, place + length(written));
    END LOOP;
    RETURN regexp_replace(plain || rest, '百分之([0-9]+(?:\.[0-9]+)?)', '\1%', 'g');
END $$;

-- Replaces numbers by "#". A number consists of digits, in groups of three if a comma, a space or
-- an apostrophe joins them, and of decimals. A sign is not part of it, because it may be a hyphen.
CREATE OR REPLACE FUNCTION masked_numbers(plain text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
    plain,
    '[0-9]{1,3}(?:[ ,''\u00a0\u2009\u202f\u2019][0-9]{3})+(?![0-9])(?:\.[0-9]+)?'
    '|[0-9]+(?:\.[0-9]+)?',
    '#', 'g'
);

CREATE OR REPLACE FUNCTION plain_numbers(plain text) RETURNS numeric[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN ARRAY(
    SELECT trim_scale(regexp_replace(found[1], '[^0-9.]', '', 'g')::numeric) AS number
    FROM regexp_matches(
        plain,
        '[0-9]{1,3}(?:[ ,''\u00a0\u2009\u202f\u2019][0-9]{3})+(?![0-9])(?:\.[0-9]+)?'
        '|[0-9]+(?:\.[0-9]+)?',
        'g'
    ) AS found
    ORDER BY number
);

-- The runs of characters between which Chinese, Japanese and Korean put no spaces. PostgreSQL puts the
-- query in the place of a call only if the function is not strict.
CREATE OR REPLACE FUNCTION unspaced_runs(masked text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5 BEGIN ATOMIC
    SELECT run[1] FROM regexp_matches(masked, '[\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3040-\u30fa\u30fc-\u31ff\u3400-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+', 'g') AS run;
END;

-- Of what is written without spaces, two characters that follow each other count as a word: single
-- ones are too frequent.
CREATE OR REPLACE FUNCTION unspaced_words(masked text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 30 BEGIN ATOMIC
    SELECT DISTINCT substr(run, place, 2)
    FROM unspaced_runs(masked) AS run,
        generate_series(1, greatest(length(run) - 1, 1)) AS place;
END;

-- The text whose trigrams are compared. In one without spaces, few trigrams of two statements are the
-- same if their words differ a little; the words between spaces have trigrams for each character.
CREATE OR REPLACE FUNCTION masked_wording(masked text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF NOT has_unspaced(masked) THEN
        RETURN masked;
    END IF;
    RETURN regexp_replace(masked, '[\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3040-\u30fa\u30fc-\u31ff\u3400-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+', ' ', 'g')
        || ' ' || array_to_string(ARRAY(SELECT * FROM unspaced_words(masked)), ' ');
END $$;

-- The words that are written between spaces. Most words that reverse or limit a sentence are stop
-- words of the text search, or part of other words in Chinese, so that they are added as terms.
-- Percentage points are not a percentage.
-- The tests are one expression, because a query takes longer to begin than they do.
CREATE OR REPLACE FUNCTION masked_terms(masked text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    is_unspaced CONSTANT boolean := has_unspaced(masked);
    terms text[] := tsvector_to_array(to_tsvector('pg_catalog.english', CASE
        WHEN is_unspaced THEN regexp_replace(masked, '[\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3040-\u30fa\u30fc-\u31ff\u3400-\ua4cf\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+', ' ', 'g')
        ELSE masked
    END)) || array_remove(ARRAY[
        CASE WHEN masked ~ ('\m(no|nor|not|none|never|neither|cannot|without|false|barely|hardly'
            '|fail(s|ed|ing)?)\M|n[''\u2019]t\M') THEN 'not' END,
        CASE WHEN masked ~ '\mbefore\M' THEN 'before' END,
        CASE WHEN masked ~ '\mafter\M' THEN 'after' END,
        CASE WHEN masked ~ '\moutside\M' THEN 'outside' END,
        CASE WHEN masked ~ '\m(below|up to|at most|(fewer|less) than|under (?=#))'
            THEN 'below' END,
        CASE WHEN masked ~ '\m(all|every|each)\M' THEN 'all' END,
        CASE WHEN masked ~ '\m(some|few|several)\M' THEN 'few' END,
        CASE WHEN masked ~ '([\x25\uff05]|\mper ?cent\M)(?![ -]?points?\M)' THEN 'per cent' END
    ], NULL);
BEGIN
    IF is_unspaced THEN
        terms := terms || ARRAY(
            SELECT term
            FROM (VALUES
                ('not', '不(?![少断同仅但论管过足到超多])|没(?!收)|未(?![来满])|无(?![论线])'
                    '|非(?![洲常])|否|失败'),
                ('before', '[之以]前|#年前'),
                ('after', '[之以其]后|#年后'),
                ('outside', '[之以]外'),
                ('below', '[少低小]于|不[足到超]|不多于|未满|[至最]多|以下'),
                ('all', '全部|全体|所有|每'),
                ('few', '部分|若干|一些|几(?!乎)|少数')
            ) AS turning (term, pattern)
            WHERE masked ~ pattern
        );
    END IF;
    RETURN terms;
END $$;

-- What two statements are compared by: their terms, and each character that is written without
-- spaces.
CREATE OR REPLACE FUNCTION masked_words(masked text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF NOT has_unspaced(masked) THEN
        RETURN masked_terms(masked);
    END IF;
    RETURN masked_terms(masked) || ARRAY(
        SELECT DISTINCT letter
        FROM unspaced_runs(masked) AS run, string_to_table(run, NULL) AS letter
    );
END $$;

-- The words in their order, without stop words and numbers.
CREATE OR REPLACE FUNCTION masked_order(masked text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT regexp_replace(
        string_agg(lexeme, ' ' ORDER BY place), ' ?([\u2e80-\U0010ffff]) ?', '\1', 'g'
    )
    FROM unnest(to_tsvector('pg_catalog.english', masked)) AS word,
        unnest(word.positions) AS place
);

-- The ten bands of the words, and two more if the statement has numbers.
CREATE OR REPLACE FUNCTION word_bands(terms text[], masked text, numbers numeric[])
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text[] := terms;
    bands bigint[];
BEGIN
    IF has_unspaced(masked) THEN
        words := words || ARRAY(SELECT * FROM unspaced_words(masked));
    END IF;
    IF words = '{}' THEN
        RETURN '{}';
    END IF;
    SELECT ARRAY[hashint8extended(min(rank_0), max(rank_0)), hashint8extended(min(rank_1), max(rank_1)), hashint8extended(min(rank_2), max(rank_2)), hashint8extended(min(rank_3), max(rank_3)), hashint8extended(min(rank_4), max(rank_4)), hashint8extended(min(rank_5), max(rank_5)), hashint8extended(min(rank_6), max(rank_6)), hashint8extended(min(rank_7), max(rank_7)), hashint8extended(min(rank_8), max(rank_8)), hashint8extended(min(rank_9), max(rank_9))] INTO bands
    FROM (SELECT hashtextextended(word, 0) AS rank_0, hashtextextended(word, 1) AS rank_1, hashtextextended(word, 2) AS rank_2, hashtextextended(word, 3) AS rank_3, hashtextextended(word, 4) AS rank_4, hashtextextended(word, 5) AS rank_5, hashtextextended(word, 6) AS rank_6, hashtextextended(word, 7) AS rank_7, hashtextextended(word, 8) AS rank_8, hashtextextended(word, 9) AS rank_9 FROM unnest(words) AS word OFFSET 0) AS ranked;
    IF numbers <> '{}' THEN
        bands := bands || hashtextextended(numbers::text, bands[1])
            || hashtextextended(numbers::text, bands[2]);
    END IF;
    RETURN bands;
END $$;

CREATE OR REPLACE FUNCTION statement_bands(statement text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    plain CONSTANT text := plain_statement(statement);
    masked CONSTANT text := masked_numbers(plain);
BEGIN
    RETURN word_bands(masked_terms(masked), masked, plain_numbers(plain));
END $$;

-- Bands of many claims are inserted together, in the order of the index. A migration that changes the
-- functions above has to fill the table anew.
CREATE OR REPLACE FUNCTION claims_add_bands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO claim_bands (band, claim_id)
    SELECT band, id FROM added, unnest(statement_bands(statement)) AS band
    WHERE deleted_at IS NULL
    ORDER BY band;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_add_bands AFTER INSERT ON claims
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_add_bands();

-- The bands of the old statement are computed again.
CREATE OR REPLACE FUNCTION claims_keep_bands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NULL THEN
        DELETE FROM claim_bands
        WHERE claim_id = OLD.id AND band = ANY (statement_bands(OLD.statement));
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.deleted_at IS NULL THEN
        INSERT INTO claim_bands (band, claim_id)
        SELECT unnest(statement_bands(NEW.statement)), NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_keep_bands AFTER DELETE OR UPDATE OF statement, deleted_at ON claims
FOR EACH ROW EXECUTE FUNCTION claims_keep_bands();
