"""API keys, and a record of the seed data that was loaded."""

from alembic import op

revision = "keys_and_seeds"
down_revision = "claims_figures_evidence"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE api_keys (
            label text NOT NULL,
            key_sha256 bytea NOT NULL,
            scopes text[] NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            expires_at timestamptz,
            revoked_at timestamptz,
            last_used_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT api_keys_pkey PRIMARY KEY (id),
            CONSTRAINT api_keys_label_not_blank_check CHECK (btrim(label) <> ''),
            CONSTRAINT api_keys_scopes_check
                CHECK (scopes <@ ARRAY['sources:write', 'claims:write', 'entities:write',
                    'review', 'admin']),
            CONSTRAINT api_keys_key_sha256_check CHECK (octet_length(key_sha256) = 32),
            CONSTRAINT api_keys_label_key UNIQUE (label),
            CONSTRAINT api_keys_key_sha256_key UNIQUE (key_sha256)
        )
    """)
    op.execute("""
        CREATE TABLE seed_items (
            file text NOT NULL,
            external_id text NOT NULL,
            content_sha256 text NOT NULL,
            loaded_at timestamptz NOT NULL DEFAULT now(),
            CONSTRAINT seed_items_pkey PRIMARY KEY (file, external_id),
            CONSTRAINT seed_items_content_sha256_check CHECK (content_sha256 ~ '^[0-9a-f]{64}$')
        )
    """)


def downgrade() -> None:
    op.drop_tables("api_keys", "seed_items")
