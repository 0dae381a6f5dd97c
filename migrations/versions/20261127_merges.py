"""Sources and claims can be merged, as entities can."""

from alembic import op

revision = "merges"
down_revision = "voices_indexed"

ACTOR = "COALESCE(NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text)"
RESOURCES = {"source": "sources", "claim": "claims"}
TABLES = """
CREATE TABLE {one}_merges (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT {one}_merges_pkey PRIMARY KEY,
    {one}_id uuid NOT NULL
        CONSTRAINT {one}_merges_{one}_id_fkey REFERENCES {many} (id) ON DELETE CASCADE,
    into_id uuid NOT NULL
        CONSTRAINT {one}_merges_into_id_fkey REFERENCES {many} (id) ON DELETE CASCADE,
    merged_at timestamptz DEFAULT now() NOT NULL,
    merged_by text DEFAULT {actor} NOT NULL,
    undone_at timestamptz,
    written_in bigint DEFAULT current_transaction() NOT NULL,
    CONSTRAINT {one}_merges_not_itself_check CHECK ({one}_id <> into_id)
);
CREATE INDEX {one}_merges_into_id_idx ON {one}_merges (into_id);
CREATE UNIQUE INDEX {one}_merges_standing_idx ON {one}_merges ({one}_id)
    WHERE undone_at IS NULL;
CREATE TABLE {one}_merge_moves (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT {one}_merge_moves_pkey PRIMARY KEY,
    merge_id uuid NOT NULL
        CONSTRAINT {one}_merge_moves_merge_id_fkey REFERENCES {one}_merges (id) ON DELETE CASCADE,
    change text NOT NULL,
    table_name text NOT NULL,
    column_name text NOT NULL,
    row_id uuid NOT NULL,
    content jsonb,
    kept_id uuid,
    written_in bigint DEFAULT current_transaction() NOT NULL,
    CONSTRAINT {one}_merge_moves_change_check
        CHECK (change IN ('moved', 'copied', 'dropped', 'deleted')),
    CONSTRAINT {one}_merge_moves_content_check
        CHECK ((change = 'dropped') = (content IS NOT NULL)),
    CONSTRAINT {one}_merge_moves_kept_check
        CHECK (kept_id IS NULL OR change IN ('dropped', 'deleted'))
);
CREATE INDEX {one}_merge_moves_kept_id_idx ON {one}_merge_moves (kept_id);
CREATE INDEX {one}_merge_moves_merge_id_idx ON {one}_merge_moves (merge_id);
CREATE INDEX {one}_merge_moves_row_id_idx ON {one}_merge_moves (row_id)
"""
# Those who may read the merges of entities may read the others.
READERS = """
DO $$
DECLARE
    read record;
BEGIN
    FOR read IN
        SELECT nspname AS home, replace(relname, 'entity', '{one}') AS name,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS reader
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace, aclexplode(relacl)
        WHERE relname IN ('entity_merges', 'entity_merge_moves')
            AND nspname IN ('public', 'past', 'as_of', 'history')
            AND privilege_type = 'SELECT' AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT SELECT ON %I.%I TO %s', read.home, read.name, read.reader);
    END LOOP;
END $$
"""
REDIRECT = """
redirect_to uuid
    -- squawk-ignore adding-foreign-key-constraint
    CONSTRAINT {many}_redirect_to_fkey REFERENCES {many} (id)
    CONSTRAINT {many}_redirect_deleted_check CHECK (redirect_to IS NULL OR deleted_at IS NOT NULL)
    CONSTRAINT {many}_redirect_to_another_check CHECK (redirect_to <> id)
"""


def upgrade() -> None:
    for one, many in RESOURCES.items():
        op.add_columns(many, REDIRECT.format(many=many))
        op.execute(TABLES.format(one=one, many=many, actor=ACTOR))
        for table in (f"{one}_merges", f"{one}_merge_moves"):
            op.execute(f"SELECT keep_history('{table}', NULL, NULL, '{{}}', true)")
        op.execute(READERS.format(one=one))
    # A merge of sources moves captures and evidence one after the other.
    op.execute("""
        ALTER TABLE evidence
            ALTER CONSTRAINT evidence_capture_id_source_id_fkey DEFERRABLE INITIALLY IMMEDIATE
    """)
    _check_moves_of_entities(
        "change IN ('moved', 'copied', 'dropped', 'deleted')",
        "kept_id IS NULL OR change IN ('dropped', 'deleted')",
    )


def downgrade() -> None:
    _check_moves_of_entities(
        "change IN ('moved', 'copied', 'dropped')", "kept_id IS NULL OR change = 'dropped'"
    )
    op.execute("""
        ALTER TABLE evidence ALTER CONSTRAINT evidence_capture_id_source_id_fkey NOT DEFERRABLE
    """)
    for one, many in RESOURCES.items():
        op.drop_tables(f"{one}_merge_moves", f"{one}_merges")
        op.drop_columns(many, "redirect_to")


def _check_moves_of_entities(change: str, kept: str) -> None:
    # Merges of entities are few, so that it takes a moment to check their rows.
    op.execute(f"""
        ALTER TABLE entity_merge_moves
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT entity_merge_moves_change_check,
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT entity_merge_moves_kept_check,
            -- squawk-ignore constraint-missing-not-valid
            ADD CONSTRAINT entity_merge_moves_change_check CHECK ({change}),
            -- squawk-ignore constraint-missing-not-valid
            ADD CONSTRAINT entity_merge_moves_kept_check CHECK ({kept})
    """)
