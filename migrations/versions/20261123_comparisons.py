"""An index for the figures that can be compared with each other."""

from alembic import op

revision = "comparisons"
down_revision = "entity_merges"


def upgrade() -> None:
    # Figures can be written meanwhile. When it is broken off, an index stays that cannot be used.
    with op.get_context().autocommit_block():
        op.execute("SET client_min_messages = warning")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS figures_comparison_idx")
        op.execute("RESET client_min_messages")
        op.execute("""
            CREATE INDEX CONCURRENTLY figures_comparison_idx
                ON figures (metric_id, subject_id, modality, id) WHERE deleted_at IS NULL
        """)


def downgrade() -> None:
    # A script whose next step is refused has done this one already when it is run again.
    op.execute("DROP INDEX IF EXISTS figures_comparison_idx")
