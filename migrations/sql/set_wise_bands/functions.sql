CREATE OR REPLACE FUNCTION claims_add_bands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO claim_bands (band, claim_id)
    SELECT band, id FROM added, unnest(statement_bands(statement)) AS band
    WHERE deleted_at IS NULL
    ORDER BY band;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_add_bands AFTER INSERT ON claims
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_add_bands();

CREATE OR REPLACE FUNCTION claims_keep_bands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.deleted_at IS NULL THEN
        DELETE FROM claim_bands
        WHERE claim_id = OLD.id AND band = ANY (statement_bands(OLD.statement));
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.deleted_at IS NULL THEN
        INSERT INTO claim_bands (band, claim_id)
        SELECT unnest(statement_bands(NEW.statement)), NEW.id;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER claims_keep_bands AFTER DELETE OR UPDATE OF statement, deleted_at ON claims
FOR EACH ROW EXECUTE FUNCTION claims_keep_bands();
