"""Keys that were replaced by others, and are valid for a while beside them."""

from alembic import op

revision = "replaced_keys"
down_revision = "unsearched_submissions"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE replaced_keys (
            key_sha256 bytea NOT NULL,
            api_key_id uuid NOT NULL,
            valid_until timestamptz NOT NULL,
            last_used_at timestamptz,
            CONSTRAINT replaced_keys_pkey PRIMARY KEY (key_sha256),
            CONSTRAINT replaced_keys_key_sha256_check CHECK (octet_length(key_sha256) = 32),
            CONSTRAINT replaced_keys_api_key_id_fkey
                FOREIGN KEY (api_key_id) REFERENCES api_keys (id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX replaced_keys_api_key_id_idx ON replaced_keys (api_key_id)")


def downgrade() -> None:
    op.drop_tables("replaced_keys")
