"""List the figures whose ranges change: "more than 12" is plausibly 13, and what rose did not fall.

All other ranges of counts have been rounded to whole numbers, so that both ends are included. Words
in Chinese were not read before.
"""

from alembic import op

revision = "next_whole_numbers"
down_revision = "faster_writes"


def upgrade() -> None:
    op.execute(r"""
        INSERT INTO stale_ranges SELECT id FROM figures
        WHERE as_stated ~ '[\u3400-\u9fff]' OR range_rule = 'next_step'
            AND (dimension = 'count' AND NOT upper_inc(plausible_range) OR metric_id IN (
                SELECT id FROM metrics WHERE measure IN ('change', 'growth_rate')
            ))
        ON CONFLICT DO NOTHING
    """)


def downgrade() -> None:
    # Ranges in both forms satisfy the earlier revision, too.
    pass
