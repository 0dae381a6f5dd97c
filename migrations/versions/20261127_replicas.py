"""The horizon of the feed is recorded for replicas; the database knows which code works with it.

Reads of moments that a replica does not know yet are refused there.
"""

from alembic import op

revision = "replicas"
down_revision = "key_quotas"
# It cannot ask whether it is known.
breaks_older_code = True


def upgrade() -> None:
    op.execute("""
        CREATE TABLE feed_horizons (
            timeline text NOT NULL,
            settled timestamptz NOT NULL,
            CONSTRAINT feed_horizons_pkey PRIMARY KEY (timeline)
        )
    """)
    op.execute(
        "CREATE INDEX feed_horizons_settled_timeline_idx ON feed_horizons (settled, timeline)"
    )
    op.execute("""
        CREATE TABLE known_revisions (
            revision text NOT NULL,
            CONSTRAINT known_revisions_pkey PRIMARY KEY (revision)
        )
    """)
    op.execute_file(f"{revision}/horizons.sql")
    op.execute_file(f"{revision}/as_of_moment.sql")


def downgrade() -> None:
    op.execute_file(f"{revision}/as_of_moment_before.sql")
    op.execute("DROP FUNCTION feed_has(timestamptz, text, timestamptz, text)")
    op.execute("DROP FUNCTION feed_mark(timestamptz)")
    op.execute("DROP FUNCTION transactions_digest(timestamptz, timestamptz)")
    op.execute("DROP FUNCTION record_horizon()")
    op.execute("DROP FUNCTION feed_horizon()")
    op.execute("DROP FUNCTION current_timeline()")
    # Both are written again by an upgrade.
    op.execute("DROP TABLE known_revisions, feed_horizons")
