"""The feed finds the claims that rest on a source or an entity by their ids, if there are many."""

from alembic import op

revision = "resting_claims"
down_revision = "weighed_evidence"


def upgrade() -> None:
    op.execute_file(f"{revision}/claims_resting_on.sql")


def downgrade() -> None:
    op.execute_file(f"{revision}/earlier_claims_resting_on.sql")
    op.execute("DROP FUNCTION claims_resting_on(uuid[], uuid[], uuid, uuid)")
    op.execute("DROP FUNCTION resting_sources(uuid[], uuid[])")
    op.execute("DROP FUNCTION bound_entities(uuid[])")
