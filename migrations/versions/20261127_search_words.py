"""Words are found in Chinese, and claims by the names of those that they are about.

The columns that were generated keep their values, and triggers maintain them from now on. The
server renews them in the background.
"""

from alembic import op

revision = "search_words"
down_revision = "claim_translations"

# The expressions of the generated columns. The words of names are among those of claims, so that
# they are renewed before.
GENERATED = {
    "entity_names": "to_tsvector('simple', name)",
    "sources": "to_tsvector('english', title || ' ' || COALESCE(container_title, ''))",
    "claims": "to_tsvector('english', statement)",
}


def upgrade() -> None:
    op.execute_file(f"{revision}/search_text.sql")
    for table in GENERATED:
        for home in ("past", "public"):
            op.execute(f"""
                -- squawk-ignore ban-drop-generated-expression
                ALTER TABLE {home}.{table} ALTER COLUMN search DROP EXPRESSION
            """)
        op.execute(f"UPDATE history.tables SET ignored = '{{search}}' WHERE name = '{table}'")
        op.execute(f"SELECT refresh_history('{table}')")
    op.execute("""
        CREATE TABLE stale_searches (
            id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT stale_searches_pkey PRIMARY KEY,
            resource text NOT NULL,
            entity_id uuid,
            claim_ids uuid[],
            waits_for bigint,
            done_to uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
            CONSTRAINT stale_searches_what_check CHECK (num_nonnulls(entity_id, claim_ids) <= 1)
        )
    """)
    op.execute_file(f"{revision}/search.sql")
    for table in GENERATED:
        op.execute(f"""
            INSERT INTO stale_searches (resource, waits_for)
            SELECT '{table}', 0 WHERE EXISTS (SELECT FROM {table})
        """)


def downgrade() -> None:
    op.execute("""
        DROP FUNCTION claims_keep_search, sources_keep_search, entity_names_keep_search,
            claim_parts_renew_search, entity_names_renew_search, entities_renew_search CASCADE
    """)
    op.execute("DROP FUNCTION renew_words_about, renew_claim_words, claims_named_after")
    op.execute("DROP FUNCTION claim_words, source_words, name_words")
    op.execute("DROP FUNCTION search_query, search_vector, search_text")
    # What waits in the queue follows from the rows, so that nothing is lost.
    op.execute("DROP TABLE stale_searches")
    for table, words in GENERATED.items():
        op.execute(f"UPDATE history.tables SET ignored = '{{}}' WHERE name = '{table}'")
        op.execute(f"SELECT detach_history('{table}')")
        op.execute(f"ALTER TABLE past.{table} DROP COLUMN search")
        op.execute(f"""
            ALTER TABLE {table}
                DROP COLUMN search,
                ADD COLUMN search tsvector GENERATED ALWAYS AS ({words}) STORED NOT NULL
        """)
        op.execute(f"SELECT refresh_history('{table}')")
        op.execute(f"CREATE INDEX {table}_search_idx ON {table} USING gin (search)")
