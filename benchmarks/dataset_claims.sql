-- Generates a batch of the claims, as the settings benchmark.first and benchmark.last say. Run it in
-- one transaction as a superuser, after dataset.sql; several batches can be generated at a time.

SELECT setseed(first::float8 / claims) FROM benchmark.batch;

-- Without statistics of the new rows, PostgreSQL would make large hash tables for the words of each claim.
SET LOCAL enable_hashagg = off;

-- Every year has the same number. Each entity of a claim has a different role, so that no two rows
-- are equal. They come before the claims, whose words include the names of these entities.
INSERT INTO claim_entities (claim_id, entity_id, role)
SELECT benchmark.claim_id(n), benchmark.entity_id(benchmark.skewed(entities)),
    (ARRAY['subject', 'object', 'location'])[nth]
FROM benchmark.batch, generate_series(first, last) AS n, generate_series(1, 1 + n / 21 % 3) AS nth;

-- A third of the claims are in Chinese. Plans are due up to seven years after their year, and one
-- claim in a hundred is retracted, rejected or a draft.
INSERT INTO claims (
    id, external_id, statement, language, claimant_id, reported_by_id, modality, status,
    time_as_stated, time_edtf, time, due_edtf, due, created_at, updated_at, search
)
SELECT *, claim_words(id, statement, language, claimant_id) FROM (
SELECT benchmark.claim_id(n), benchmark.external_id('claim', n),
    (
        SELECT CASE n % 3
            WHEN 0 THEN string_agg(benchmark.chinese_word(rank), '')
            ELSE string_agg(benchmark.word(rank), ' ')
        END
        FROM (
            SELECT benchmark.skewed(words) FROM generate_series(n, n + 11 + n % 9)
        ) AS drawn (rank)
    ),
    CASE n % 3 WHEN 0 THEN 'zh-Hant' ELSE 'en' END,
    benchmark.entity_id(benchmark.skewed(entities)),
    CASE n % 4 WHEN 0 THEN benchmark.entity_id(benchmark.skewed(entities)) END,
    (ARRAY['actual', 'planned', 'forecast', 'opinion'])[n % 4 + 1],
    CASE n % 300 WHEN 7 THEN 'retracted' WHEN 107 THEN 'rejected' WHEN 207 THEN 'draft'
        ELSE (ARRAY['accepted', 'submitted'])[n % 2 + 1] END,
    'in ' || year, year::text, benchmark.year(year),
    due::text, CASE WHEN due IS NOT NULL THEN benchmark.year(due) END, at, at
FROM benchmark.batch, generate_series(first, last) AS n,
    LATERAL (SELECT first_year + (n::bigint * 7919 % (last_year - first_year + 1))::int)
        AS period (year),
    LATERAL (SELECT CASE WHEN n % 4 = 1 THEN year + n / 4 % 8 END) AS deadline (due),
    LATERAL (SELECT beginning + n * (ending - beginning) / claims) AS moment (at)
) AS made (
    id, external_id, statement, language, claimant_id, reported_by_id, modality, status,
    time_as_stated, time_edtf, time, due_edtf, due, created_at, updated_at
);

INSERT INTO submissions (id, resource, submitted_at, likely_same)
SELECT id, 'claims', created_at, hashtext(id::text) % 500 = 0
FROM benchmark.written WHERE status = 'submitted';

INSERT INTO claim_translations (claim_id, language, text, translated_by)
SELECT id, 'en', statement, 'machine' FROM benchmark.written
WHERE language <> 'en' AND hashtext(id::text) % 10 = 0;

INSERT INTO claim_bands (band, claim_id) SELECT unnest(statement_bands(statement)), id FROM benchmark.written;

INSERT INTO claim_topics (claim_id, topic)
SELECT benchmark.claim_id(n), 'topic-' || n % 50
FROM benchmark.batch, generate_series(first, last) AS n;

INSERT INTO claim_relations (from_id, to_id, kind)
SELECT benchmark.claim_id(n), benchmark.claim_id(n - 1), 'refines'
FROM benchmark.batch, generate_series(first, last) AS n WHERE n % 10 = 2;

INSERT INTO figures (
    claim_id, metric_id, subject_id, as_stated, amount, comparator, unit_code, dimension,
    nonnegative, unit_factor, value_range, plausible_range, range_rule, modality,
    period_edtf, period, breakdown, created_at, updated_at
)
SELECT benchmark.claim_id(n), benchmark.metric_id(n % metrics + 1),
    benchmark.entity_id(benchmark.skewed(entities)), 'over ' || amount, amount, 'gt', '{case}',
    'count', true, 1, numrange(amount, NULL, '()'), numrange(amount, amount + 1000, '()'),
    'next_step', 'actual', year::text, benchmark.year(year),
    CASE n % 10 WHEN 1 THEN '{"sex": "female"}'::jsonb WHEN 2 THEN '{"sex": "male"}' END, at, at
FROM benchmark.batch, generate_series(first, last) AS n,
    LATERAL (SELECT (n % 90 + 1) * 1000) AS number (amount),
    LATERAL (SELECT first_year + n % (last_year - first_year + 1)) AS period (year),
    LATERAL (SELECT beginning + n * (ending - beginning) / claims) AS moment (at)
WHERE n % 5 < 3;

-- Half of the passages have locators, because checking the hashes takes most of the time of an
-- insert. One claim in a hundred has six pieces of evidence.
INSERT INTO evidence (
    claim_id, source_id, stance, directness, interest, start_char, end_char,
    exact_sha256, prefix_sha256, suffix_sha256, page, status, added_by, attributed_to_id,
    said_edtf, said, created_at, updated_at
)
SELECT benchmark.claim_id(n), benchmark.source_id(1 + floor(random() * sources)::int),
    CASE WHEN nth = 1 THEN 'asserts' WHEN nth = 3 AND n % 100 > 0 THEN 'disputes'
        ELSE 'supports' END,
    'primary', 'third_party',
    begin, begin + 80, hash, hash, hash, nth::text, 'accepted', 'benchmark',
    CASE WHEN speaks THEN benchmark.entity_id(benchmark.skewed(entities)) END,
    CASE WHEN speaks THEN year::text END, CASE WHEN speaks THEN benchmark.year(year) END, at, at
FROM benchmark.batch, generate_series(first, last) AS n,
    generate_series(1, CASE WHEN n % 100 = 0 THEN 6 ELSE 1 + n / 63 % 3 END) AS nth,
    LATERAL (SELECT CASE nth WHEN 1 THEN n % 3000 END,
        CASE nth WHEN 1 THEN encode(sha256(int4send(n)), 'hex') END) AS located (begin, hash),
    LATERAL (SELECT n % 20 = 3, first_year + n % (last_year - first_year + 1))
        AS saying (speaks, year),
    LATERAL (SELECT beginning + n * (ending - beginning) / claims) AS moment (at);

INSERT INTO claims (
    id, external_id, statement, language, claimant_id, modality, status, time_as_stated, time_edtf,
    time, deleted_at, redirect_to, created_at, updated_at, search
)
SELECT benchmark.id('1', 100 * n, true), benchmark.external_id('claim', claims + n), statement,
    language, claimant_id, modality, status, time_as_stated, time_edtf, time, now(), id, now(),
    now(), search
FROM benchmark.batch, generate_series(first, least(last, claims / 100)) AS n,
    LATERAL (SELECT * FROM claims WHERE id = benchmark.claim_id(n)) AS remaining;
INSERT INTO claim_merges (claim_id, into_id)
SELECT benchmark.id('1', 100 * n, true), benchmark.claim_id(n)
FROM benchmark.batch, generate_series(first, least(last, claims / 100)) AS n;
