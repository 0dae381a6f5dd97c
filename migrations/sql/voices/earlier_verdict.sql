-- Earlier migrations list the columns of the views in the order of the table: verdict, written_in.
ALTER TABLE corroborations DISABLE TRIGGER USER;
DROP TRIGGER mark_written_inserted ON corroborations;
SELECT detach_history('corroborations');
ALTER TABLE corroborations RENAME written_in TO moved_written_in;
ALTER TABLE corroborations
    ADD COLUMN verdict text GENERATED ALWAYS AS (CASE
        WHEN origins_for > 0 AND origins_against > 0 THEN 'disputed'
        WHEN origins_against > 0 THEN 'refuted'
        WHEN origins_for > 1 THEN 'corroborated'
        WHEN origins_for = 1 THEN 'single_origin'
        ELSE 'unsupported'
    END) STORED NOT NULL CONSTRAINT corroborations_verdict_check CHECK (
        verdict IN ('unsupported', 'single_origin', 'corroborated', 'disputed', 'refuted')
    ),
    ADD COLUMN written_in bigint DEFAULT current_transaction();
UPDATE corroborations SET written_in = moved_written_in;
ALTER TABLE corroborations DROP COLUMN moved_written_in;
ALTER TABLE corroborations ALTER COLUMN written_in SET NOT NULL;
SELECT refresh_history('corroborations');
ALTER TABLE corroborations ENABLE TRIGGER USER;
CREATE INDEX corroborations_verdict_claim_id_idx ON corroborations (verdict, claim_id);
CREATE INDEX corroborations_verdict_idx ON past.corroborations (verdict);
