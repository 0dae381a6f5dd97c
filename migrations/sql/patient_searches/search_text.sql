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
