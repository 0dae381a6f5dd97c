CREATE OR REPLACE FUNCTION evidence_stay_within_capture() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1
        FROM evidence JOIN source_captures ON source_captures.id = evidence.capture_id
        WHERE (evidence.id = NEW.id OR source_captures.id = NEW.id)
            AND evidence.end_char > source_captures.char_length
    ) THEN
        RAISE EXCEPTION 'a locator may not end beyond its capture'
            USING ERRCODE = 'check_violation',
                  TABLE = 'evidence',
                  CONSTRAINT = 'evidence_within_capture_check';
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER evidence_stay_within_capture
AFTER INSERT OR UPDATE OF capture_id, end_char ON evidence
FOR EACH ROW WHEN (NEW.capture_id IS NOT NULL) EXECUTE FUNCTION evidence_stay_within_capture();

CREATE OR REPLACE TRIGGER evidence_stay_within_capture
AFTER UPDATE OF char_length ON source_captures
FOR EACH ROW WHEN (NEW.char_length < OLD.char_length)
EXECUTE FUNCTION evidence_stay_within_capture();
