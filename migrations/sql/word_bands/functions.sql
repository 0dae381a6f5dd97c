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

CREATE OR REPLACE FUNCTION claims_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(
            SELECT id FROM added WHERE NOT EXISTS (SELECT FROM evidence WHERE claim_id = added.id)
        );
        -- To insert nothing would take as long as to insert a row: the table has many indexes.
        IF touched <> '{}' THEN
            INSERT INTO corroborations (claim_id) SELECT unnest(touched) ON CONFLICT DO NOTHING;
        END IF;
        RETURN NULL;
    END IF;
    SELECT array_agg(added.id) INTO touched FROM added JOIN removed USING (id)
    WHERE (added.claimant_id, added.reported_by_id, added.modality, added.time)
        IS DISTINCT FROM
        (removed.claimant_id, removed.reported_by_id, removed.modality, removed.time);
    IF touched IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
        PERFORM recount_or_queue(touched);
    END IF;
    RETURN NULL;
END $$;
