-- The words by which a claim is found: those of its statement in every language, and those of the
-- names of its claimant and of the entities that are linked to it. Between two texts is a gap, so
-- that no phrase reaches from one into the other. The ids of these entities are among the words.
-- It is volatile, because it reads what the statement that inserts a new claim has inserted already.
CREATE OR REPLACE FUNCTION claim_words(claim uuid, content text, language text, claimant uuid)
RETURNS tsvector LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    gap CONSTANT tsvector := '''#'':1';
    -- PostgreSQL allows words of 1 MB; the rest is not searched.
    most CONSTANT integer := 900000;
    words tsvector := search_vector(content, claim_words.language);
    linked uuid[] := ARRAY(
        SELECT claimant WHERE claimant IS NOT NULL
        UNION
        SELECT entity_id FROM claim_entities WHERE claim_id = claim
    );
    part tsvector;
BEGIN
    -- A loop over an array begins faster than one over a query.
    FOREACH part IN ARRAY ARRAY(
        SELECT search_vector(text, translated.language)
        FROM claim_translations AS translated WHERE claim_id = claim ORDER BY id
    ) LOOP
        EXIT WHEN pg_column_size(words) > most;
        words := words || gap || part;
    END LOOP;
    words := setweight(words, 'A');
    FOREACH part IN ARRAY ARRAY(
        SELECT named.search
        FROM unnest(linked) AS linked_id, LATERAL (
            SELECT entity_names.id, entity_names.search FROM entity_names
            WHERE entity_id = linked_id AND EXISTS (
                SELECT FROM entities WHERE entities.id = linked_id AND deleted_at IS NULL
            )
            OFFSET 0
        ) AS named
        ORDER BY linked_id, named.id
    ) LOOP
        EXIT WHEN pg_column_size(words) > most;
        words := words || gap || part;
    END LOOP;
    RETURN ts_delete(words, '#') || array_to_tsvector(linked::text[]);
END $$;

CREATE OR REPLACE FUNCTION claims_keep_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := claim_words(NEW.id, NEW.statement, NEW.language, NEW.claimant_id);
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER claims_keep_search
BEFORE INSERT OR UPDATE OF statement, language, claimant_id ON claims
FOR EACH ROW EXECUTE FUNCTION claims_keep_search();

CREATE OR REPLACE FUNCTION sources_keep_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := source_words(NEW.title, NEW.container_title, NEW.language);
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER sources_keep_search
BEFORE INSERT OR UPDATE OF title, container_title, language ON sources
FOR EACH ROW EXECUTE FUNCTION sources_keep_search();

CREATE OR REPLACE FUNCTION entity_names_keep_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := name_words(NEW.name);
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER entity_names_keep_search BEFORE INSERT OR UPDATE OF name ON entity_names
FOR EACH ROW EXECUTE FUNCTION entity_names_keep_search();

CREATE OR REPLACE FUNCTION renew_claim_words(claim_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF claim_ids = '{}' THEN
        -- An update of no rows runs triggers, too.
        RETURN;
    END IF;
    UPDATE claims SET search = renewed.words
    FROM (
        SELECT id, claim_words(id, statement, language, claimant_id) AS words
        FROM claims WHERE id = ANY (claim_ids) OFFSET 0
    ) AS renewed
    WHERE claims.id = renewed.id AND claims.search <> renewed.words;
END $$;

-- The links of a new claim are inserted before it, so that its words include them already. Few new
-- claims have translations.
CREATE OR REPLACE FUNCTION claim_parts_renew_search() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF TG_TABLE_NAME = 'claim_entities' THEN
            touched := ARRAY(
                SELECT DISTINCT claim_id FROM added
                WHERE NOT (
                    SELECT search @@ format('%L', entity_id)::tsquery
                    FROM claims WHERE claims.id = claim_id
                )
            );
        ELSE
            touched := ARRAY(SELECT DISTINCT claim_id FROM added);
        END IF;
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(SELECT DISTINCT claim_id FROM removed);
    ELSE
        touched := ARRAY(SELECT claim_id FROM added UNION SELECT claim_id FROM removed);
    END IF;
    IF cardinality(touched) < 300 THEN
        PERFORM renew_claim_words(touched);
    ELSE
        INSERT INTO stale_searches (resource, claim_ids, waits_for)
        SELECT 'claims', touched[place:place + 999], 0
        FROM generate_series(1, cardinality(touched), 1000) AS place;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claim_entities_renew_search_inserted AFTER INSERT ON claim_entities
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION claim_parts_renew_search();

CREATE OR REPLACE TRIGGER claim_entities_renew_search_updated AFTER UPDATE ON claim_entities
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claim_parts_renew_search();

CREATE OR REPLACE TRIGGER claim_entities_renew_search_deleted AFTER DELETE ON claim_entities
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claim_parts_renew_search();

CREATE OR REPLACE TRIGGER claim_translations_renew_search_inserted AFTER INSERT ON claim_translations
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION claim_parts_renew_search();

CREATE OR REPLACE TRIGGER claim_translations_renew_search_updated AFTER UPDATE ON claim_translations
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claim_parts_renew_search();

CREATE OR REPLACE TRIGGER claim_translations_renew_search_deleted AFTER DELETE ON claim_translations
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION claim_parts_renew_search();

-- Renews the words of the claims of entities at once if there are few, as far as no other writer
-- holds them, and queues the entities. A writer who does not see the new names yet may link a claim
-- to them: that is why the queue looks at all claims, once more after such writers have ended.
CREATE OR REPLACE FUNCTION renew_words_about(entity_ids uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    found uuid[] := ARRAY(SELECT *
        FROM claims_named_after(entity_ids, '00000000-0000-0000-0000-000000000000', 300)
    );
BEGIN
    IF cardinality(found) < 300 THEN
        PERFORM renew_claim_words(ARRAY(
            SELECT id FROM claims WHERE id = ANY (found) FOR NO KEY UPDATE SKIP LOCKED
        ));
    END IF;
    INSERT INTO stale_searches (resource, entity_id) SELECT 'claims', unnest(entity_ids);
END $$;

-- The first claims after an id whose claimant is one of the entities or that are linked to one.
CREATE OR REPLACE FUNCTION claims_named_after(entity_ids uuid[], after uuid, at_most integer)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY (
        SELECT id FROM claims WHERE claimant_id = ANY (entity_ids) AND id > after
        ORDER BY id LIMIT at_most
    ) UNION (
        SELECT claim_id FROM claim_entities WHERE entity_id = ANY (entity_ids) AND claim_id > after
        ORDER BY claim_id LIMIT at_most
    ) ORDER BY 1 LIMIT at_most;
END $$;

-- No other transaction can refer to an entity before the one that creates it ends, so that a new one
-- has only claims that this transaction sees.
CREATE OR REPLACE FUNCTION entity_names_renew_search() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    renamed uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        renamed := ARRAY(SELECT DISTINCT entity_id FROM added);
    ELSIF TG_OP = 'DELETE' THEN
        renamed := ARRAY(SELECT DISTINCT entity_id FROM removed);
    ELSE
        renamed := ARRAY(
            SELECT added.entity_id FROM added JOIN removed USING (id)
            WHERE added.name <> removed.name OR added.entity_id <> removed.entity_id
            UNION
            SELECT removed.entity_id FROM added JOIN removed USING (id)
            WHERE added.entity_id <> removed.entity_id
        );
    END IF;
    renamed := ARRAY(
        SELECT id FROM entities
        WHERE id = ANY (renamed) AND (
            created_at <> now() OR EXISTS (
                SELECT FROM claims_named_after(
                    ARRAY[id], '00000000-0000-0000-0000-000000000000', 1
                )
            )
        )
    );
    IF renamed <> '{}' THEN
        PERFORM renew_words_about(renamed);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER entity_names_renew_search_inserted AFTER INSERT ON entity_names
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION entity_names_renew_search();

CREATE OR REPLACE TRIGGER entity_names_renew_search_updated AFTER UPDATE ON entity_names
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION entity_names_renew_search();

CREATE OR REPLACE TRIGGER entity_names_renew_search_deleted AFTER DELETE ON entity_names
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION entity_names_renew_search();

CREATE OR REPLACE FUNCTION entities_renew_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM renew_words_about(ARRAY[NEW.id]);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER entities_renew_search AFTER UPDATE OF deleted_at ON entities
FOR EACH ROW WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL))
EXECUTE FUNCTION entities_renew_search();
