"""Pairs of passages that may be copies of each other are found."""

from alembic import op

revision = "possible_copies"
down_revision = "stale_metrics"


def upgrade() -> None:
    op.execute_file(f"{revision}/possible_copies.sql")


def downgrade() -> None:
    op.execute("DROP FUNCTION possible_copies(uuid)")
