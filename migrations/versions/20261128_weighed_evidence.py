"""Corroborations keep how the evidence was weighed, so that reads need not weigh it again.

Claims that are counted again get it; the others are weighed when they are read, as before.
"""

from alembic import op

revision = "weighed_evidence"
down_revision = "compact_checks"


def upgrade() -> None:
    op.execute("ALTER TABLE corroborations ADD COLUMN weighed jsonb")
    op.execute("SELECT refresh_history('corroborations')")
    op.execute_file(f"{revision}/recount_claims.sql")


def downgrade() -> None:
    op.execute_file(f"{revision}/earlier_recount_claims.sql")
    op.execute("SELECT detach_history('corroborations')")
    op.execute("ALTER TABLE corroborations DROP COLUMN weighed")
    op.execute("ALTER TABLE past.corroborations DROP COLUMN weighed")
    op.execute("SELECT refresh_history('corroborations')")
