"""Statements in ASCII are compared with fewer regular expressions.

The functions return what they returned before, so that no bands have to be computed anew.
"""

from alembic import op

revision = "ascii_statements"
down_revision = "chinese_figures"


def upgrade() -> None:
    op.execute_file(f"{revision}/claim_bands.sql")


def downgrade() -> None:
    op.execute_file("han_look_alikes/claim_bands.sql")
    op.execute("DROP FUNCTION has_unspaced")
