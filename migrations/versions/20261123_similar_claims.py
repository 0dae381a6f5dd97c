"""Bands, by which a claim finds those that are worded alike, kept by a trigger from now on.

The claims are not rewritten; those that are there already get their bands by the next migration.
Downgrading drops the bands, which are worked out from the claims, and asks for no leave.
"""

from alembic import op

revision = "similar_claims"
down_revision = "comparisons"


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
_RANKS = ", ".join(f"hashtextextended(word, {n}) AS rank_{n}" for n in range(10))
_BANDS = ", ".join(f"hashint8extended(min(rank_{n}), max(rank_{n}))" for n in range(10))
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
"""
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


def upgrade() -> None:
    for function in (
        MASKED_STATEMENT,
        STATEMENT_NUMBERS,
        STATEMENT_WORDS,
        STATEMENT_ORDER,
        STATEMENT_BANDS,
        KEEP_BANDS,
    ):
        op.execute(function)
    op.execute("""
        CREATE TABLE claim_bands (
            band bigint NOT NULL,
            claim_id uuid NOT NULL,
            CONSTRAINT claim_bands_pkey PRIMARY KEY (band, claim_id)
        )
    """)
    op.execute(KEEP_BANDS_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER claims_keep_bands ON claims")
    op.execute("DROP TABLE claim_bands")
    op.execute("DROP FUNCTION claims_keep_bands, statement_bands, statement_words")
    op.execute("DROP FUNCTION statement_order, statement_numbers, masked_statement")
