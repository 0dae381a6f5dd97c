-- Two concurrent writers that each see no cycle could close one together: the lock admits one at a
-- time.
CREATE OR REPLACE FUNCTION source_relations_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.to_id
            UNION
            SELECT source_relations.to_id
            FROM source_relations JOIN reached ON source_relations.from_id = reached.id
        )
        SELECT 1 FROM reached WHERE reached.id = NEW.from_id
    ) THEN
        RAISE EXCEPTION 'source relations may not form a circle'
            USING ERRCODE = 'check_violation',
                  TABLE = 'source_relations',
                  CONSTRAINT = 'source_relations_acyclic_check';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_relations_refuse_cycle
AFTER INSERT OR UPDATE OF from_id, to_id ON source_relations
FOR EACH ROW EXECUTE FUNCTION source_relations_refuse_cycle();

CREATE OR REPLACE FUNCTION evidence_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('evidence'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.derived_from_id
            UNION
            SELECT evidence.derived_from_id
            FROM evidence JOIN reached ON evidence.id = reached.id
        )
        SELECT 1 FROM reached WHERE reached.id = NEW.id
    ) THEN
        RAISE EXCEPTION 'evidence may not derive from itself'
            USING ERRCODE = 'check_violation',
                  TABLE = 'evidence',
                  CONSTRAINT = 'evidence_acyclic_check';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER evidence_refuse_cycle
AFTER INSERT OR UPDATE OF derived_from_id ON evidence
FOR EACH ROW WHEN (NEW.derived_from_id IS NOT NULL) EXECUTE FUNCTION evidence_refuse_cycle();
