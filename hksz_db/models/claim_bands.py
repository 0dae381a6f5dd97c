"""Bands: by which a claim finds those that are worded alike, without reading all the others.

MinHash (Broder, "On the resemblance and containment of documents", 1997) with locality-sensitive
hashing. A band is what two words of the statement hash to, the least and the greatest under one
of ten permutations of all words. Of two statements that have s of m words in common a band is
equal with a probability of s(s-1) / m(m-1): with half of the words in common, at least one of the
ten is in 92 of 100 cases. Numbers are no words; where there are some, two more bands join all of
them to a pair of words, so that one of thousands of statements that differ only in their numbers
is still found.

A table and not an array with a GIN index: what most claims have in common makes some bands
frequent, and only a B-tree gives the newest claims of a band without reading all of it.
"""

from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base, Kept, install

PERMUTATIONS = 10


class ClaimBand(Kept, Base):
    """That a live claim's statement has a band; kept by a trigger on the claims.

    There is no foreign key: it would lock and look up the claim once for each of its bands.
    """

    __tablename__ = "claim_bands"

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)


# A number is digits, in groups of three where a comma, a space or an apostrophe joins them, and
# with what follows a point; a sign may as well be a hyphen and is not read.
MASKED_STATEMENT = r"""
CREATE FUNCTION masked_statement(statement text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(
    lower(translate(
        statement, U&'\FF10\FF11\FF12\FF13\FF14\FF15\FF16\FF17\FF18\FF19', '0123456789'
    )),
    '[0-9]{1,3}(?:[ ,''\u00a0\u2009\u202f\u2019][0-9]{3})+(?![0-9])(?:\.[0-9]+)?'
    '|[0-9]+(?:\.[0-9]+)?',
    '#', 'g'
)
"""
STATEMENT_NUMBERS = r"""
CREATE FUNCTION statement_numbers(statement text) RETURNS numeric[]
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
)
"""
# Chinese and Japanese have no spaces: every character from U+2E80 on is taken for a word. Most of
# the words that turn a sentence are too common for the text search: they are kept as terms of
# their own. Points of a percentage are no percentage.
STATEMENT_WORDS = r"""
CREATE FUNCTION statement_words(statement text) RETURNS text[]
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
END $$
"""
# The words in their order, without those that the text search leaves out and without numbers.
STATEMENT_ORDER = r"""
CREATE FUNCTION statement_order(statement text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT regexp_replace(
        string_agg(lexeme, ' ' ORDER BY place), ' ?([\u2e80-\U0010ffff]) ?', '\1', 'g'
    )
    FROM unnest(to_tsvector('pg_catalog.english', masked_statement(statement))) AS word,
        unnest(word.positions) AS place
)
"""
_RANKS = ", ".join(f"hashtextextended(word, {n}) AS rank_{n}" for n in range(PERMUTATIONS))
_BANDS = ", ".join(f"hashint8extended(min(rank_{n}), max(rank_{n}))" for n in range(PERMUTATIONS))
STATEMENT_BANDS = f"""
CREATE FUNCTION statement_bands(statement text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    words text[] := statement_words(statement);
    numbers text := statement_numbers(statement);
    bands bigint[];
BEGIN
    IF words = '{{}}' THEN
        RETURN '{{}}';
    END IF;
    SELECT ARRAY[{_BANDS}] INTO bands
    FROM (SELECT {_RANKS} FROM unnest(words) AS word OFFSET 0) AS ranked;
    IF numbers <> '{{}}' THEN
        bands := bands || hashtextextended(numbers, bands[1])
            || hashtextextended(numbers, bands[2]);
    END IF;
    RETURN bands;
END $$
"""  # noqa: S608 - of nothing but numbers
# What the bands of the old statement were is worked out again: whoever changes the functions
# has to fill the table anew.
KEEP_BANDS = """
CREATE FUNCTION claims_keep_bands() RETURNS trigger LANGUAGE plpgsql AS $$
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
END $$
"""
KEEP_BANDS_TRIGGER = """
CREATE TRIGGER claims_keep_bands
AFTER INSERT OR DELETE OR UPDATE OF statement, deleted_at ON claims
FOR EACH ROW EXECUTE FUNCTION claims_keep_bands()
"""
install(
    MASKED_STATEMENT,
    STATEMENT_NUMBERS,
    STATEMENT_WORDS,
    STATEMENT_ORDER,
    STATEMENT_BANDS,
    before_tables=True,
)
install(KEEP_BANDS, KEEP_BANDS_TRIGGER)
