"""Evidence has a second locator, in the form of a text in which typography makes no difference.

It is null for the evidence that is there, because it follows from the text only. The next migration
adds the rules for the new columns.
"""

from alembic import op

revision = "loose_locators"
down_revision = "unnamed_voices"

_COLUMNS = {
    "loose_start_char": "integer",
    "loose_end_char": "integer",
    "loose_exact_sha256": "text",
    "loose_prefix_sha256": "text",
    "loose_suffix_sha256": "text",
}


def upgrade() -> None:
    op.add_columns("evidence", *(f"{name} {kind}" for name, kind in _COLUMNS.items()))


def downgrade() -> None:
    op.drop_columns("evidence", *_COLUMNS)
