"""The bands of claims that are inserted together are inserted by one statement.

The bands stay the same.
"""

from alembic import op

revision = "set_wise_bands"
down_revision = "sorted_lists"


def upgrade() -> None:
    op.execute_file(f"{revision}/functions.sql")


def downgrade() -> None:
    op.execute("DROP TRIGGER claims_add_bands ON claims")
    op.execute_file(f"{revision}/earlier_functions.sql")
    op.execute("DROP FUNCTION claims_add_bands")
