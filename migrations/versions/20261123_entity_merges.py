"""Merges of entities: where each one went, and what was changed by that."""

from alembic import op

revision = "entity_merges"
down_revision = "count_origins"


def upgrade() -> None:
    # The column is new and empty, and there are thousands of entities, not millions: to check it
    # and to index it at once takes milliseconds, and leaves nothing half done.
    op.execute("""
        ALTER TABLE entities
            ADD COLUMN redirect_to uuid,
            -- squawk-ignore constraint-missing-not-valid
            ADD CONSTRAINT entities_redirect_deleted_check
                CHECK (redirect_to IS NULL OR deleted_at IS NOT NULL),
            -- squawk-ignore constraint-missing-not-valid
            ADD CONSTRAINT entities_redirect_to_another_check CHECK (redirect_to <> id),
            -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
            ADD CONSTRAINT entities_redirect_to_fkey
                FOREIGN KEY (redirect_to) REFERENCES entities (id);
        -- squawk-ignore require-concurrent-index-creation
        CREATE INDEX entities_redirect_to_idx ON entities (redirect_to)
    """)
    op.execute("""
        CREATE TABLE entity_merges (
            entity_id uuid NOT NULL,
            into_id uuid NOT NULL,
            merged_at timestamptz NOT NULL DEFAULT now(),
            merged_by text NOT NULL
                DEFAULT COALESCE(NULLIF(current_setting('hksz.actor', true), ''),
                    CURRENT_USER::text),
            undone_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT entity_merges_pkey PRIMARY KEY (id),
            CONSTRAINT entity_merges_not_itself_check CHECK (entity_id <> into_id),
            CONSTRAINT entity_merges_entity_id_fkey
                FOREIGN KEY (entity_id) REFERENCES entities (id) ON DELETE CASCADE,
            CONSTRAINT entity_merges_into_id_fkey
                FOREIGN KEY (into_id) REFERENCES entities (id) ON DELETE CASCADE
        );
        CREATE INDEX entity_merges_into_id_idx ON entity_merges (into_id);
        CREATE UNIQUE INDEX entity_merges_standing_idx ON entity_merges (entity_id)
            WHERE undone_at IS NULL
    """)
    op.execute("""
        CREATE TABLE entity_merge_moves (
            merge_id uuid NOT NULL,
            change text NOT NULL,
            table_name text NOT NULL,
            column_name text NOT NULL,
            row_id uuid NOT NULL,
            content jsonb,
            kept_id uuid,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT entity_merge_moves_pkey PRIMARY KEY (id),
            CONSTRAINT entity_merge_moves_change_check
                CHECK (change IN ('moved', 'copied', 'dropped')),
            CONSTRAINT entity_merge_moves_content_check
                CHECK ((change = 'dropped') = (content IS NOT NULL)),
            CONSTRAINT entity_merge_moves_kept_check
                CHECK (kept_id IS NULL OR change = 'dropped'),
            CONSTRAINT entity_merge_moves_merge_id_fkey
                FOREIGN KEY (merge_id) REFERENCES entity_merges (id) ON DELETE CASCADE
        );
        CREATE INDEX entity_merge_moves_kept_id_idx ON entity_merge_moves (kept_id);
        CREATE INDEX entity_merge_moves_merge_id_idx ON entity_merge_moves (merge_id);
        CREATE INDEX entity_merge_moves_row_id_idx ON entity_merge_moves (row_id)
    """)


def downgrade() -> None:
    op.drop_tables("entity_merge_moves", "entity_merges")
    op.execute("ALTER TABLE entities DROP COLUMN redirect_to")
