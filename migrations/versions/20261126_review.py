"""Reviews: notes, who reviewed a row and when, drafts of evidence, and the queue."""

from alembic import op

revision = "review"
down_revision = "superseded_claims"

# The submissions that were there before. The rows are locked, so that what is filled in is still
# submitted. Each thousand is a transaction of its own, and the step can be repeated.
FILL = """
DO $$
DECLARE
    batch uuid[];
    last uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        WITH following AS (
            SELECT id FROM {table} WHERE id > last ORDER BY id LIMIT 1000
        ), submitted AS (
            SELECT id, updated_at FROM {table}
            WHERE id IN (SELECT id FROM following)
                AND status = 'submitted' AND deleted_at IS NULL
            FOR SHARE
        ), filled AS (
            INSERT INTO submissions (id, resource, submitted_at, likely_same)
            SELECT id, '{table}', updated_at, {likely_same} FROM submitted
            ON CONFLICT DO NOTHING
        )
        SELECT array_agg(id ORDER BY id) INTO batch FROM following;
        EXIT WHEN batch IS NULL;
        COMMIT;
        last := batch[cardinality(batch)];
    END LOOP;
END $$
"""
COLUMNS = ("review_note", "reviewed_by", "reviewed_at")
CHECK = "CHECK (status IN ({terms})) NOT VALID"


def upgrade() -> None:
    for table in ("claims", "evidence"):
        op.add_columns(table, "review_note text", "reviewed_by text", "reviewed_at timestamptz")
    _allow("'draft', 'submitted', 'accepted', 'rejected'")
    op.execute("""
        CREATE TABLE submissions (
            id uuid NOT NULL,
            resource text NOT NULL,
            submitted_at timestamptz NOT NULL DEFAULT now(),
            likely_same boolean,
            CONSTRAINT submissions_pkey PRIMARY KEY (id)
        )
    """)
    for name, condition in (
        ("submitted_at_id", ""),
        ("claims", "WHERE resource = 'claims'"),
        ("likely_same", "WHERE likely_same IS NOT FALSE"),
    ):
        op.execute(
            f"CREATE INDEX submissions_{name}_idx ON submissions (submitted_at, id) {condition}"
        )
    op.execute_file(f"{revision}/claim_origins.sql")
    op.execute_file(f"{revision}/review.sql")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE evidence VALIDATE CONSTRAINT evidence_status_check")
        op.execute(FILL.format(table="claims", likely_same="NULL"))
        op.execute(FILL.format(table="evidence", likely_same="false"))


def downgrade() -> None:
    op.execute("""
DO $$
BEGIN
    IF EXISTS (SELECT FROM evidence WHERE status = 'draft') THEN
        RAISE EXCEPTION 'Evidence has no drafts in the revision publisher_place:'
            ' submit or reject those with the status draft.';
    END IF;
END $$
""")
    for table in ("claims", "evidence"):
        for event in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER keep_submissions_{event} ON {table}")
        for event in ("inserted", "updated"):
            op.execute(f"DROP TRIGGER mark_reviewed_{event} ON {table}")
    op.execute("""
        DROP FUNCTION keep_new_submissions(), keep_submission(), mark_reviewed(),
            verdict_if_accepted(uuid)
    """)
    op.execute("DROP TABLE submissions")
    op.execute_file(f"{revision}/claim_origins_before.sql")
    _allow("'submitted', 'accepted', 'rejected'")
    op.execute("ALTER TABLE evidence VALIDATE CONSTRAINT evidence_status_check")
    for table in ("claims", "evidence"):
        op.drop_columns(table, *COLUMNS)


def _allow(terms: str) -> None:
    op.execute("""
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE evidence DROP CONSTRAINT evidence_status_check
    """)
    op.execute(f"""
        ALTER TABLE evidence ADD CONSTRAINT evidence_status_check
        {CHECK.format(terms=terms)}
    """)
