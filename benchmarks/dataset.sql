-- Generates what claims refer to; the setting benchmark.claims is the number of claims. Run it in one
-- transaction as a superuser, on a migrated database. dataset_claims.sql then generates the claims.
--
-- The id of a row is computed from its number, so that this file and pgbench can refer to random
-- rows without a query.

CREATE SCHEMA benchmark;
GRANT USAGE ON SCHEMA benchmark TO PUBLIC;

-- Merged rows are in between, so that they are not the newest of all.
CREATE FUNCTION benchmark.id(kind text, number int, merged boolean DEFAULT false) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ('01900000-000' || kind || '-7000-8000-'
        || lpad(to_hex(2 * number + merged::int), 12, '0'))::uuid;

CREATE FUNCTION benchmark.claim_id(number int) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN benchmark.id('1', number);
CREATE FUNCTION benchmark.entity_id(number int) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN benchmark.id('2', number);
CREATE FUNCTION benchmark.source_id(number int) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN benchmark.id('3', number);
CREATE FUNCTION benchmark.metric_id(number int) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN benchmark.id('4', number);

CREATE FUNCTION benchmark.external_id(name text, number int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'bench:' || name || '-' || lpad(number::text, 8, '0');

-- For the claims that pgbench creates; their ids follow all others, like those of new rows.
CREATE FUNCTION benchmark.posted_id(run int, client int, number int) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ('01910000-' || lpad(to_hex(run), 4, '0') || '-7' || lpad(to_hex(client), 3, '0')
        || '-8000-' || lpad(to_hex(number), 12, '0'))::uuid;
CREATE FUNCTION benchmark.posted_name(run int, client int, number int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 'bench:post-' || run || '-' || client || '-' || number;

CREATE FUNCTION benchmark.year(number int) RETURNS daterange
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN daterange(make_date(number, 1, 1), make_date(number + 1, 1, 1));

-- The word of a rank. Its three syllables do not resemble an English stop word or stem.
CREATE FUNCTION benchmark.syllable(number int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN substr('bcdfghjklmnprstvz', number / 5 % 17 + 1, 1) || substr('aiuoe', number % 5 + 1, 1);
CREATE FUNCTION benchmark.word(rank int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN benchmark.syllable(rank) || benchmark.syllable(rank / 85)
        || benchmark.syllable(rank / 7225);

-- A Chinese word of a rank. Its two characters are as frequent as those of real texts.
CREATE FUNCTION benchmark.chinese_word(rank int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN chr(x'4E00'::int + rank % 141) || chr(x'5B50'::int + rank / 141);

-- The words of searches, from one in every thirtieth claim (step 0) to one in every two thousandth
-- claim (step 100).
CREATE FUNCTION benchmark.searched_word(step int) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN benchmark.word(floor(50 * 100 ^ (step / 100.0))::int);

-- A random rank from 1 to size. The frequency of rank r is proportional to 1 / (r + 9), as for words
-- and names (Zipf-Mandelbrot law).
CREATE FUNCTION benchmark.skewed(size int) RETURNS int
    LANGUAGE sql VOLATILE PARALLEL RESTRICTED
    RETURN floor(10 * exp(random() * ln((size + 10) / 10.0::float8)))::int - 9;

CREATE TABLE benchmark.dataset AS
SELECT claims,
    greatest(claims / 20, 20) AS sources,
    greatest(claims / 50, 20) AS entities,
    20 AS metrics,
    20000 AS words,
    2005 AS first_year,
    2025 AS last_year
FROM (SELECT current_setting('benchmark.claims')::int) AS given (claims);
GRANT SELECT ON benchmark.dataset TO PUBLIC;

-- Rows with higher numbers are younger.
CREATE TABLE benchmark.period AS SELECT now() - interval '3 years' AS beginning, now() AS ending;

-- A batch of claims, from the number in the setting benchmark.first to that in benchmark.last.
CREATE VIEW benchmark.batch AS
SELECT dataset.*, beginning, ending,
    current_setting('benchmark.first')::int AS first, current_setting('benchmark.last')::int AS last
FROM benchmark.dataset, benchmark.period;

CREATE VIEW benchmark.written AS
SELECT claims.* FROM claims, benchmark.batch
WHERE id BETWEEN benchmark.claim_id(first) AND benchmark.claim_id(last) AND redirect_to IS NULL;

SELECT setseed(0.5);

INSERT INTO units (external_id, code, label, dimension, factor)
VALUES ('bench:unit', '{case}', 'cases', 'count', 1);

INSERT INTO metrics (id, external_id, key, label, dimension, accumulation, nonnegative)
SELECT benchmark.metric_id(n), benchmark.external_id('metric', n),
    'bench-' || n, 'Cases of kind ' || n, 'count', 'flow', true
FROM benchmark.dataset, generate_series(1, metrics) AS n;

INSERT INTO entities (id, external_id, kind, name, name_language, created_at, updated_at)
SELECT benchmark.entity_id(n), benchmark.external_id('entity', n),
    (ARRAY['person', 'organisation', 'place', 'zone', 'programme', 'facility', 'event'])[n % 7 + 1],
    initcap(benchmark.word(n) || ' ' || benchmark.word(n * 7 % words)), 'en', at, at
FROM benchmark.dataset, benchmark.period, generate_series(1, entities) AS n,
    LATERAL (SELECT beginning + n * (ending - beginning) / entities) AS moment (at);

INSERT INTO entity_names (entity_id, name, language, kind, search)
SELECT *, search_vector(name, 'und') FROM (
    SELECT id, name, 'en', 'preferred' FROM entities WHERE external_id LIKE 'bench:%'
    UNION ALL
    SELECT id, 'The ' || name, 'en', 'alias' FROM entities WHERE external_id LIKE 'bench:%'
    UNION ALL
    SELECT benchmark.entity_id(n),
        benchmark.chinese_word(n % words) || benchmark.chinese_word(n * 7 % words),
        'zh-Hant', 'preferred'
    FROM benchmark.dataset, generate_series(1, entities) AS n
) AS named (id, name, language, kind);

-- A tree: the top is the most frequent entity, and each entity has up to ten within it.
INSERT INTO entity_relations (subject_id, kind, object_id)
SELECT benchmark.entity_id(n), 'located_in', benchmark.entity_id(n / 10)
FROM benchmark.dataset, generate_series(10, entities) AS n;

INSERT INTO sources (
    id, external_id, csl_type, title, container_title, url, language, issued_edtf, issued,
    created_at, updated_at, search
)
SELECT *, search_vector(concat_ws(' ', title, container_title), language) FROM (
SELECT benchmark.source_id(n), benchmark.external_id('source', n), 'article-newspaper',
    (SELECT string_agg(benchmark.word(rank), ' ') FROM (
        SELECT benchmark.skewed(words) FROM generate_series(n, n + 7)
    ) AS drawn (rank)),
    'The ' || initcap(benchmark.word(n % 97)) || ' Daily', 'https://example.org/' || n, 'en',
    to_char(issued, 'YYYY-MM-DD'), daterange(issued, issued, '[]'), at, at
FROM benchmark.dataset, benchmark.period, generate_series(1, sources) AS n,
    LATERAL (SELECT make_date(first_year, 1, 1) + n % (365 * (last_year - first_year)))
        AS publication (issued),
    LATERAL (SELECT beginning + n * (ending - beginning) / sources) AS moment (at)
) AS made (
    id, external_id, csl_type, title, container_title, url, language, issued_edtf, issued,
    created_at, updated_at
);

UPDATE sources SET retracted_at = created_at WHERE hashtext(id::text) % 100 = 0;

INSERT INTO source_contributors (source_id, entity_id, role, credited_name, ordinal)
SELECT benchmark.source_id(n), benchmark.entity_id(benchmark.skewed(entities)),
    role, CASE role WHEN 'author' THEN initcap(benchmark.word(n % words)) END, ordinal
FROM benchmark.dataset, generate_series(1, sources) AS n,
    (VALUES ('author', 0), ('publisher', 1)) AS part (role, ordinal);

INSERT INTO source_captures (source_id, media_type, normalization, char_length, text_sha256)
SELECT benchmark.source_id(n), 'text/html', 'nfc-ws1', 4000, encode(sha256(int4send(n)), 'hex')
FROM benchmark.dataset, generate_series(1, sources) AS n;

-- Every tenth source is a copy of another one.
INSERT INTO source_relations (from_id, to_id, kind)
SELECT benchmark.source_id(n), benchmark.source_id(n - 1), 'syndicated_from'
FROM benchmark.dataset, generate_series(2, sources, 10) AS n;

-- Merged rows: one in a hundred.
INSERT INTO entities (
    id, external_id, kind, name, name_language, deleted_at, redirect_to, created_at, updated_at
)
SELECT benchmark.id('2', 100 * n, true), benchmark.external_id('entity', entities + n),
    'organisation', 'Merged ' || n, 'en', now(), benchmark.entity_id(n), now(), now()
FROM benchmark.dataset, generate_series(1, entities / 100) AS n;
INSERT INTO entity_merges (entity_id, into_id)
SELECT id, redirect_to FROM entities WHERE redirect_to IS NOT NULL;

INSERT INTO sources (
    id, external_id, csl_type, title, url, deleted_at, redirect_to, created_at, updated_at, search
)
SELECT benchmark.id('3', 100 * n, true), benchmark.external_id('source', sources + n),
    'article-newspaper', 'Merged ' || n, 'https://example.org/' || sources + n, now(),
    benchmark.source_id(n), now(), now(), search_vector('Merged ' || n, 'en')
FROM benchmark.dataset, generate_series(1, sources / 100) AS n;
INSERT INTO source_merges (source_id, into_id)
SELECT id, redirect_to FROM sources WHERE redirect_to IS NOT NULL;
