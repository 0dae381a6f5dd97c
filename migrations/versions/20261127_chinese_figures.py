"""List the figures with words in Chinese, whose rules have changed: 20多 is 21 to 29."""

from alembic import op

revision = "chinese_figures"
down_revision = "patient_searches"


def upgrade() -> None:
    op.execute(r"""
        INSERT INTO stale_ranges SELECT id FROM figures WHERE as_stated ~ '[\u3400-\u9fff]'
        ON CONFLICT DO NOTHING
    """)


def downgrade() -> None:
    # Ranges in both forms satisfy the earlier revision, too.
    pass
