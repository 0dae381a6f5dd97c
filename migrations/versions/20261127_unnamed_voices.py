"""Sources without a publisher and an author count together at most once; counting is faster.

The claims are not counted in this migration: it puts one entry into the queue, and the service
counts them while it runs.
"""

from alembic import op

revision = "unnamed_voices"
down_revision = "possible_copies"


def upgrade() -> None:
    _replace(revision)


def downgrade() -> None:
    _replace("voices")


def _replace(version: str) -> None:
    for name in ("origins", "corroborations"):
        op.execute_file(f"{version}/{name}.sql")
    op.execute("INSERT INTO recounts SELECT WHERE EXISTS (SELECT FROM evidence)")
