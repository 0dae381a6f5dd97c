"""Claims that supersede each other are not compared."""

from alembic import op

revision = "superseded_claims"
down_revision = "meaning_of_figures_checked"


def upgrade() -> None:
    op.execute_file(f"{revision}/superseded_claims.sql")


def downgrade() -> None:
    op.execute("DROP FUNCTION claim_supersedes(uuid, uuid)")
