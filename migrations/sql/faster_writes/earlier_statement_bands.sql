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
