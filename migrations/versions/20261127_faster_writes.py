"""New claims are counted and compared in less time.

Evidence that waits for review is counted without weighing it, and the subjects of a claim are found
among its links only, however many entities there are. The origins of evidence are found without
reading all relations of sources.
"""

from alembic import op

revision = "faster_writes"
down_revision = "loose_locators_checked"

FUNCTIONS = (
    "evidence_walk",
    "weigh_evidence",
    "awaits_recount",
    "evidence_count_origins",
    "lost_evidence",
)


def upgrade() -> None:
    for name in FUNCTIONS:
        op.execute_file(f"{revision}/{name}.sql")


def downgrade() -> None:
    for name in ("origins", "corroborations"):
        op.execute_file(f"unnamed_voices/{name}.sql")
    op.execute("DROP FUNCTION lost_its_evidence(uuid)")
