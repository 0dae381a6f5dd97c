-- The text as it is searched: compatibility forms such as full-width letters as ordinary ones, "/"
-- and dots between names as spaces, and every Han character as a word.
-- hksz_db/domain/search_terms.py does the same to the words that are searched for.
CREATE OR REPLACE FUNCTION search_text(content text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
    translate(normalize(content, NFKC), U&'/\00B7\2027\30FB\2022', '     '),
    '[\u3005-\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]', ' \& ', 'g'
);
