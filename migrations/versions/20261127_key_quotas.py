"""Keys can have a quota of their own."""

from alembic import op

revision = "key_quotas"
down_revision = "indexed_terms"


def upgrade() -> None:
    op.add_columns("api_keys", "quota integer CONSTRAINT api_keys_quota_check CHECK (quota > 0)")


def downgrade() -> None:
    op.drop_columns("api_keys", "quota")
