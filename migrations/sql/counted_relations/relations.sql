-- A merge moves thousands of relations in one statement.
CREATE OR REPLACE FUNCTION source_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        touched := ARRAY(
            SELECT DISTINCT from_id FROM added WHERE keeps_origin(kind) OR cites_origin(kind)
        );
    ELSIF TG_OP = 'DELETE' THEN
        touched := ARRAY(
            SELECT DISTINCT from_id FROM removed WHERE keeps_origin(kind) OR cites_origin(kind)
        );
    ELSE
        touched := ARRAY(
            SELECT sides.from_id
            FROM added JOIN removed USING (id), LATERAL (
                VALUES (added.from_id, added.kind), (removed.from_id, removed.kind)
            ) AS sides (from_id, kind)
            WHERE (added.from_id, added.to_id, added.kind)
                <> (removed.from_id, removed.to_id, removed.kind)
                AND (keeps_origin(sides.kind) OR cites_origin(sides.kind))
            GROUP BY sides.from_id
        );
    END IF;
    IF touched <> '{}' THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_resting(touched, '{}');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_relations_count_origins_inserted AFTER INSERT ON source_relations
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE TRIGGER source_relations_count_origins_updated AFTER UPDATE ON source_relations
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE TRIGGER source_relations_count_origins_deleted AFTER DELETE ON source_relations
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE FUNCTION entity_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owned uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        owned := ARRAY(SELECT DISTINCT subject_id FROM added WHERE binds_entity(kind));
    ELSIF TG_OP = 'DELETE' THEN
        owned := ARRAY(SELECT DISTINCT subject_id FROM removed WHERE binds_entity(kind));
    ELSE
        owned := ARRAY(
            SELECT sides.subject_id
            FROM added JOIN removed USING (id), LATERAL (
                VALUES (added.subject_id, added.kind), (removed.subject_id, removed.kind)
            ) AS sides (subject_id, kind)
            WHERE (added.subject_id, added.object_id, added.kind)
                <> (removed.subject_id, removed.object_id, removed.kind)
                AND binds_entity(sides.kind)
            GROUP BY sides.subject_id
        );
    END IF;
    IF owned <> '{}' THEN
        IF EXISTS (SELECT FROM entities WHERE id = ANY (owned) AND created_at <> now()) THEN
            PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        END IF;
        PERFORM recount_resting('{}', owned);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER entity_relations_count_origins_inserted AFTER INSERT ON entity_relations
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION entity_relations_count_origins();

CREATE OR REPLACE TRIGGER entity_relations_count_origins_updated AFTER UPDATE ON entity_relations
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION entity_relations_count_origins();

CREATE OR REPLACE TRIGGER entity_relations_count_origins_deleted AFTER DELETE ON entity_relations
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION entity_relations_count_origins();
