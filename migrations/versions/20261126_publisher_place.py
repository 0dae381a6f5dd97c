"""Sources have the place of their publisher (``publisher-place`` in CSL)."""

from alembic import op

revision = "publisher_place"
down_revision = "due_in_parts"


def upgrade() -> None:
    op.add_columns("sources", "publisher_place text")


def downgrade() -> None:
    op.drop_columns("sources", "publisher_place")
