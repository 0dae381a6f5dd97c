"""Evidence has the rating that a fact check gives to the claim, as it is stated."""

from alembic import op

revision = "ratings"
down_revision = "han_look_alikes"


def upgrade() -> None:
    op.add_columns("evidence", "rating_as_stated text")


def downgrade() -> None:
    op.drop_columns("evidence", "rating_as_stated")
