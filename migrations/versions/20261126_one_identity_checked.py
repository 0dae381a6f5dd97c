"""The new rules are checked and indexed, without keeping writers out.

An external id becomes unique among the rows that are not deleted.

It can be broken off and begun again.
"""

from alembic import op

revision = "one_identity_checked"
down_revision = "one_identity"

_CHECKS = {
    "entities": ("kind",),
    "entity_relations": ("kind",),
    "source_relations": ("kind",),
    "claim_relations": ("kind",),
    "claims": ("claimant", "claimant_as_stated_not_blank"),
}
_MERGEABLE = ("entities",)
_RESOURCES = ("sources", "claims", "entities", "figures", "evidence", "metrics", "units")
# An interrupted run leaves an index that is not valid; those that it finished are kept.
_DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid
            AND relname ~ '_(live_key|(canonical_url|title_hash|text_sha256)_idx)$'
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $$
"""

_LIVE_KEY = """
    CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS {table}_{column}_live_key
        ON {table} ({column}, (CASE WHEN deleted_at IS NULL{merged} THEN NULL ELSE id END))
        NULLS NOT DISTINCT WHERE {column} IS NOT NULL
"""
_DOUBT = """
DO $$
DECLARE
    rule text := (
        SELECT pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = '{table}'::regclass AND conname = '{name}'
    );
BEGIN
    EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT {name},'
        ' ADD CONSTRAINT {name} %s NOT VALID', rule);
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(_DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        for table in _RESOURCES:
            merged = " OR redirect_to IS NOT NULL" if table in _MERGEABLE else ""
            op.execute(_LIVE_KEY.format(table=table, column="external_id", merged=merged))
            op.execute(f"""
                ALTER TABLE {table}
                    -- squawk-ignore ban-drop-constraint
                    DROP CONSTRAINT IF EXISTS {table}_external_id_key
            """)
        op.execute(_LIVE_KEY.format(table="sources", column="canonical_url", merged=""))
        op.execute("""
            CREATE INDEX CONCURRENTLY IF NOT EXISTS sources_canonical_url_idx
                ON past.sources (canonical_url)
        """)
        op.execute("""
            CREATE INDEX CONCURRENTLY IF NOT EXISTS sources_title_hash_idx
                ON sources (title_hash(title), id)
        """)
        for schema in ("public", "past"):
            op.execute(f"""
                CREATE INDEX CONCURRENTLY IF NOT EXISTS source_captures_text_sha256_idx
                    ON {schema}.source_captures (text_sha256)
            """)
        op.execute("RESET client_min_messages")
        for table, names in _CHECKS.items():
            for name in names:
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_{name}_check")


def downgrade() -> None:
    for schema in ("public", "past"):
        op.execute(f"DROP INDEX {schema}.source_captures_text_sha256_idx")
    op.execute("DROP INDEX sources_title_hash_idx")
    op.execute("DROP INDEX past.sources_canonical_url_idx")
    op.execute("DROP INDEX sources_canonical_url_live_key")
    for table in _RESOURCES:
        op.execute(f"""
DO $$
BEGIN
    IF EXISTS (SELECT FROM {table} GROUP BY external_id HAVING count(external_id) > 1) THEN
        RAISE EXCEPTION 'The downgrade is impossible: {table} has an external_id twice.';
    END IF;
END $$
""")
        op.execute(f"""
            ALTER TABLE {table}
                ADD CONSTRAINT {table}_external_id_key UNIQUE (external_id)
        """)
        op.execute(f"DROP INDEX {table}_external_id_live_key")
    for table, names in _CHECKS.items():
        for name in names:
            op.execute(_DOUBT.format(table=table, name=f"{table}_{name}_check"))
