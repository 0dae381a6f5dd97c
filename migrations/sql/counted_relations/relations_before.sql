CREATE OR REPLACE FUNCTION source_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[] := array_remove(ARRAY[
        CASE WHEN keeps_origin(OLD.kind) OR cites_origin(OLD.kind) THEN OLD.from_id END,
        CASE WHEN keeps_origin(NEW.kind) OR cites_origin(NEW.kind) THEN NEW.from_id END
    ], NULL);
BEGIN
    IF touched <> '{}' THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_resting(touched, '{}');
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_relations_count_origins
AFTER INSERT OR DELETE OR UPDATE OF from_id, to_id, kind ON source_relations
FOR EACH ROW EXECUTE FUNCTION source_relations_count_origins();

CREATE OR REPLACE FUNCTION entity_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owned uuid[] := array_remove(ARRAY[
        CASE WHEN binds_entity(OLD.kind) THEN OLD.subject_id END,
        CASE WHEN binds_entity(NEW.kind) THEN NEW.subject_id END
    ], NULL);
BEGIN
    IF owned <> '{}' THEN
        IF EXISTS (SELECT FROM entities WHERE id = ANY (owned) AND created_at <> now()) THEN
            PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        END IF;
        PERFORM recount_resting('{}', owned);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER entity_relations_count_origins
AFTER INSERT OR DELETE OR UPDATE OF subject_id, object_id, kind ON entity_relations
FOR EACH ROW EXECUTE FUNCTION entity_relations_count_origins();
