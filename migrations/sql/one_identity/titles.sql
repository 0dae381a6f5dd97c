-- A hash of a title without white space, punctuation and letter case, by which sources with the same
-- title are found; null if nothing remains.
CREATE OR REPLACE FUNCTION title_hash(title text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN hashtextextended(
    NULLIF(
        regexp_replace(
            lower(title),
            '[\s\u0021-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f'
            '\ufe30-\ufe4f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+',
            '', 'g'
        ),
        ''
    ),
    0
);
