"""The sessions of people who have signed in to the pages."""

from alembic import op

revision = "sessions"
down_revision = "suggested_names"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE sessions (
            token_sha256 bytea NOT NULL,
            api_key_id uuid NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            last_used_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz NOT NULL,
            CONSTRAINT sessions_pkey PRIMARY KEY (token_sha256),
            CONSTRAINT sessions_token_sha256_check CHECK (octet_length(token_sha256) = 32),
            CONSTRAINT sessions_api_key_id_fkey
                FOREIGN KEY (api_key_id) REFERENCES api_keys (id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX sessions_api_key_id_idx ON sessions (api_key_id)")
    op.execute("CREATE INDEX sessions_expires_at_idx ON sessions (expires_at)")


def downgrade() -> None:
    op.drop_tables("sessions")
