-- Records who reviewed a row and when. A verdict without a note replaces the note of the last
-- review. A new time of review comes with a note: a row that is sent back has no verdict.
CREATE OR REPLACE FUNCTION mark_reviewed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.reviewed_by := COALESCE(
            NEW.reviewed_by, NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text
        );
        NEW.reviewed_at := COALESCE(NEW.reviewed_at, now());
    ELSIF NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at
        OR NEW.status IN ('accepted', 'rejected')
    THEN
        IF NEW.reviewed_at IS NOT DISTINCT FROM OLD.reviewed_at
            AND NEW.review_note IS NOT DISTINCT FROM OLD.review_note
        THEN
            NEW.review_note := NULL;
        END IF;
        NEW.reviewed_by := COALESCE(
            NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text
        );
        NEW.reviewed_at := now();
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER mark_reviewed_inserted BEFORE INSERT ON claims
FOR EACH ROW WHEN (NEW.status IN ('accepted', 'rejected')) EXECUTE FUNCTION mark_reviewed();

CREATE OR REPLACE TRIGGER mark_reviewed_updated BEFORE UPDATE OF status ON claims
FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION mark_reviewed();

CREATE OR REPLACE TRIGGER mark_reviewed_inserted BEFORE INSERT ON evidence
FOR EACH ROW WHEN (NEW.status IN ('accepted', 'rejected')) EXECUTE FUNCTION mark_reviewed();

CREATE OR REPLACE TRIGGER mark_reviewed_updated BEFORE UPDATE OF status ON evidence
FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION mark_reviewed();

-- Keeps the table of submissions. A claim that was changed is compared with others again.
CREATE OR REPLACE FUNCTION keep_new_submissions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO submissions (id, resource, likely_same)
    SELECT id, TG_TABLE_NAME, CASE TG_TABLE_NAME WHEN 'evidence' THEN false END
    FROM added WHERE status = 'submitted' AND deleted_at IS NULL;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION keep_submission() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.status <> 'submitted' OR NEW.deleted_at IS NOT NULL THEN
        DELETE FROM submissions WHERE id = OLD.id;
    ELSIF OLD.status <> 'submitted' OR OLD.deleted_at IS NOT NULL THEN
        INSERT INTO submissions (id, resource, likely_same)
        VALUES (
            NEW.id, TG_TABLE_NAME, CASE TG_TABLE_NAME WHEN 'evidence' THEN false END
        );
    ELSIF TG_TABLE_NAME = 'claims' THEN
        UPDATE submissions SET likely_same = NULL WHERE id = NEW.id AND likely_same IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER keep_submissions_inserted AFTER INSERT ON claims
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_new_submissions();

CREATE OR REPLACE TRIGGER keep_submissions_updated AFTER UPDATE ON claims FOR EACH ROW
WHEN (OLD.status = 'submitted' OR NEW.status = 'submitted') EXECUTE FUNCTION keep_submission();

CREATE OR REPLACE TRIGGER keep_submissions_deleted AFTER DELETE ON claims FOR EACH ROW
WHEN (OLD.status = 'submitted') EXECUTE FUNCTION keep_submission();

CREATE OR REPLACE TRIGGER keep_submissions_inserted AFTER INSERT ON evidence
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION keep_new_submissions();

CREATE OR REPLACE TRIGGER keep_submissions_updated AFTER UPDATE ON evidence FOR EACH ROW
WHEN (
    (OLD.status = 'submitted') <> (NEW.status = 'submitted')
    OR (OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)
) EXECUTE FUNCTION keep_submission();

CREATE OR REPLACE TRIGGER keep_submissions_deleted AFTER DELETE ON evidence FOR EACH ROW
WHEN (OLD.status = 'submitted') EXECUTE FUNCTION keep_submission();
