"""A search for claims that look alike reads the terms of its claim once, and fewer queries begin.

The functions return what they returned before, so that no bands have to be computed anew.
"""

from alembic import op

revision = "word_bands"
down_revision = "replicas"


def upgrade() -> None:
    op.execute_file(f"{revision}/functions.sql")


def downgrade() -> None:
    op.execute_file(f"{revision}/earlier_functions.sql")
    op.execute("DROP FUNCTION word_bands")
