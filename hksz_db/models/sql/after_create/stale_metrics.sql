-- The ranges of the figures of a metric follow from its measure, too. Each change has an entry of its
-- own, so that no writer waits for those that work on an earlier one.
CREATE OR REPLACE FUNCTION metrics_queue_ranges() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stale_metrics (metric_id) VALUES (NEW.id);
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER metrics_queue_ranges AFTER UPDATE OF measure ON metrics
FOR EACH ROW WHEN (OLD.measure <> NEW.measure) EXECUTE FUNCTION metrics_queue_ranges();
