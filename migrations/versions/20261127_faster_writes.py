"""New claims are counted and compared in less time.

Evidence that waits for review is counted without weighing it.
"""

from alembic import op

revision = "faster_writes"
down_revision = "loose_locators_checked"


def upgrade() -> None:
    for name in ("evidence_count_origins", "lost_evidence"):
        op.execute_file(f"{revision}/{name}.sql")


def downgrade() -> None:
    op.execute_file(f"{revision}/earlier_evidence_count_origins.sql")
    op.execute("DROP FUNCTION lost_its_evidence(uuid)")
