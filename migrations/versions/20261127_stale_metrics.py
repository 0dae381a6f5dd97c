"""A queue of metrics whose measure has changed, so that the ranges of their figures change, too."""

from alembic import op

revision = "stale_metrics"
down_revision = "merges_indexed"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE stale_metrics (
            id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT stale_metrics_pkey PRIMARY KEY,
            metric_id uuid NOT NULL,
            done_to uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL
        )
    """)
    op.execute_file(f"{revision}/stale_metrics.sql")


def downgrade() -> None:
    op.execute("DROP TRIGGER metrics_queue_ranges ON metrics")
    op.execute("DROP FUNCTION metrics_queue_ranges()")
    op.drop_tables("stale_metrics")
