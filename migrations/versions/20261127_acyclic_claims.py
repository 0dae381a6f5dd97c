"""Claims may not replace each other, and the error of a cycle names its relations.

Cycles that are stored already stay until one of their relations is removed.
"""

from alembic import op

revision = "acyclic_claims"
down_revision = "next_whole_numbers"


def upgrade() -> None:
    op.execute_file(f"{revision}/cycles.sql")


def downgrade() -> None:
    op.execute("DROP TRIGGER claim_relations_refuse_cycle ON claim_relations")
    op.execute_file(f"{revision}/cycles_before.sql")
    op.execute("DROP FUNCTION claim_relations_refuse_cycle(), report_cycle(text, text, uuid)")
