"""List the counts whose ranges change: "more than 12" is plausibly 13.

All other ranges of counts have been rounded to whole numbers, so that both ends are included.
"""

from alembic import op

revision = "next_whole_numbers"
down_revision = "loose_locators_checked"


def upgrade() -> None:
    op.execute("""
        INSERT INTO stale_ranges SELECT id FROM figures
        WHERE dimension = 'count' AND range_rule = 'next_step' AND NOT upper_inc(plausible_range)
        ON CONFLICT DO NOTHING
    """)


def downgrade() -> None:
    # Ranges in both forms satisfy the earlier revision, too.
    pass
