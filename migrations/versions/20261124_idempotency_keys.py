"""What was answered to requests that may be repeated."""

from alembic import op

revision = "idempotency_keys"
down_revision = "exact_figures"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE idempotency_keys (
            api_key_id uuid NOT NULL,
            key text NOT NULL,
            request_sha256 bytea NOT NULL,
            status integer NOT NULL,
            etag text,
            location text,
            body bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT idempotency_keys_pkey PRIMARY KEY (api_key_id, key),
            CONSTRAINT idempotency_keys_key_check CHECK (key ~ '^[!-~]{1,255}$'),
            CONSTRAINT idempotency_keys_request_sha256_check
                CHECK (octet_length(request_sha256) = 32),
            CONSTRAINT idempotency_keys_status_check CHECK (status BETWEEN 200 AND 299),
            CONSTRAINT idempotency_keys_api_key_id_fkey
                FOREIGN KEY (api_key_id) REFERENCES api_keys (id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX idempotency_keys_created_at_idx ON idempotency_keys (created_at)")


def downgrade() -> None:
    op.drop_tables("idempotency_keys")
