"""Renewals of searches that fail are tried again; hyphens and signs separate searched words.

The words of all rows are computed anew while the service runs.
"""

from alembic import op

revision = "patient_searches"
down_revision = "search_words"

TABLES = ("entity_names", "sources", "claims")


def upgrade() -> None:
    op.execute("ALTER TABLE stale_searches ADD COLUMN retry_at timestamp with time zone")
    op.execute_file(f"{revision}/search_text.sql")
    renew_all()


def downgrade() -> None:
    op.execute_file(f"{revision}/search_text_before.sql")
    renew_all()
    op.execute("ALTER TABLE stale_searches DROP COLUMN retry_at")


def renew_all() -> None:
    """List all rows, once more when the transactions have ended that use the earlier function."""
    op.execute("""
        UPDATE stale_searches
        SET waits_for = NULL, done_to = '00000000-0000-0000-0000-000000000000'
        WHERE num_nonnulls(entity_id, claim_ids) = 0
    """)
    for table in TABLES:
        op.execute(f"""
            INSERT INTO stale_searches (resource)
            SELECT '{table}' WHERE EXISTS (SELECT FROM {table}) AND NOT EXISTS (
                SELECT FROM stale_searches
                WHERE resource = '{table}' AND num_nonnulls(entity_id, claim_ids) = 0
            )
        """)
