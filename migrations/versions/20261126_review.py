"""Reviews: notes, who reviewed a row and when, drafts of evidence, and the queue.

The next migration fills the queue.
"""

from alembic import op

revision = "review"
down_revision = "one_identity_checked"

COLUMNS = ("review_note", "reviewed_by", "reviewed_at")


def upgrade() -> None:
    for table in ("claims", "evidence"):
        op.add_columns(table, "review_note text", "reviewed_by text", "reviewed_at timestamptz")
    op.execute("""
        -- squawk-ignore ban-drop-constraint
        ALTER TABLE evidence DROP CONSTRAINT evidence_status_check
    """)
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


def downgrade() -> None:
    op.execute("""
DO $$
BEGIN
    IF EXISTS (SELECT FROM evidence WHERE status = 'draft') THEN
        RAISE EXCEPTION 'Evidence has no drafts in earlier revisions:'
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
    op.execute("""
        ALTER TABLE evidence ADD CONSTRAINT evidence_status_check
            CHECK (status IN ('submitted', 'accepted', 'rejected'))
    """)
    for table in ("claims", "evidence"):
        op.drop_columns(table, *COLUMNS)
