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
        PERFORM report_cycle(
            'source_relations', 'SELECT from_id, kind, to_id FROM source_relations', NEW.from_id
        );
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER source_relations_refuse_cycle
AFTER INSERT OR UPDATE OF from_id, to_id ON source_relations
FOR EACH ROW EXECUTE FUNCTION source_relations_refuse_cycle();

CREATE OR REPLACE FUNCTION claim_relations_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('claim_relations'));
    IF claim_supersedes(NEW.to_id, NEW.from_id) THEN
        PERFORM report_cycle(
            'claim_relations',
            'SELECT from_id, kind, to_id FROM claim_relations'
                ' WHERE kind IN (''supersedes'', ''corrects'')',
            NEW.from_id
        );
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claim_relations_refuse_cycle
AFTER INSERT OR UPDATE OF from_id, to_id, kind ON claim_relations
FOR EACH ROW WHEN (NEW.kind IN ('supersedes', 'corrects'))
EXECUTE FUNCTION claim_relations_refuse_cycle();

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
        PERFORM report_cycle(
            'evidence',
            'SELECT id AS from_id, ''derived_from'' AS kind, derived_from_id AS to_id FROM evidence',
            NEW.id
        );
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER evidence_refuse_cycle
AFTER INSERT OR UPDATE OF derived_from_id ON evidence
FOR EACH ROW WHEN (NEW.derived_from_id IS NOT NULL) EXECUTE FUNCTION evidence_refuse_cycle();

-- Raises the error that a row is on a cycle. The detail names all relations on such a cycle, or
-- twenty of them.
CREATE OR REPLACE FUNCTION report_cycle(related text, relations text, member uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    named text;
BEGIN
    EXECUTE format($query$
        WITH RECURSIVE relations AS NOT MATERIALIZED (%s),
        after_it(id) AS (
            SELECT $1
            UNION
            SELECT to_id FROM after_it JOIN relations ON from_id = after_it.id
        ),
        before_it(id) AS (
            SELECT $1
            UNION
            SELECT from_id FROM before_it JOIN relations ON to_id = before_it.id
        ),
        members AS (SELECT id FROM after_it INTERSECT SELECT id FROM before_it),
        closing AS (
            SELECT concat_ws(' ', from_id, kind, to_id) AS relation
            FROM relations
            WHERE from_id IN (SELECT id FROM members) AND to_id IN (SELECT id FROM members)
            ORDER BY from_id, to_id, kind
            LIMIT 20
        )
        SELECT string_agg(relation, ', ') FROM closing
    $query$, relations) INTO named USING member;
    RAISE EXCEPTION 'the rows of % may not form a cycle', related
        USING ERRCODE = 'check_violation',
              DETAIL = named,
              TABLE = related,
              CONSTRAINT = related || '_acyclic_check';
END $$;
