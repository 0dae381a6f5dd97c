"""The history of every table begins: what its rows were, and which transaction wrote them.

A table a time, each in a transaction of its own, so that nobody waits for two of them and none is
locked for long: nothing is rewritten. It can be broken off and begun again. The rows that are there
are of transaction 0, which stands for all that was before; its time is when the last table was
done. Downgrading forgets what was, and refuses to unless told so.
"""

from alembic import op

revision = "histories"
down_revision = "history"

# A constant default takes no time; from then on the transaction says its number.
BEGIN = """
DO $$
BEGIN
    ALTER TABLE {table} ADD COLUMN IF NOT EXISTS written_in bigint DEFAULT 0 NOT NULL;
    ALTER TABLE {table} ALTER COLUMN written_in SET DEFAULT current_transaction();
    PERFORM keep_history({arguments});
END $$
"""
TABLES = {
    "sources": "'sources', 'sources', 'id', '{}', true",
    "source_contributors": "'source_contributors', 'sources', 'source_id', '{}', true",
    "source_captures": "'source_captures', 'sources', 'source_id', '{}', true",
    "source_relations": "'source_relations', 'sources', 'from_id', '{}', true",
    "entities": "'entities', 'entities', 'id', '{}', true",
    "entity_names": "'entity_names', 'entities', 'entity_id', '{}', true",
    "entity_identifiers": "'entity_identifiers', 'entities', 'entity_id', '{}', true",
    "entity_relations": "'entity_relations', 'entities', 'subject_id', '{}', true",
    "entity_merges": "'entity_merges', NULL, NULL, '{}', true",
    "entity_merge_moves": "'entity_merge_moves', NULL, NULL, '{}', true",
    "claims": "'claims', 'claims', 'id', '{}', true",
    "claim_entities": "'claim_entities', 'claims', 'claim_id', '{}', true",
    "claim_topics": "'claim_topics', 'claims', 'claim_id', '{}', true",
    "claim_relations": "'claim_relations', 'claims', 'from_id', '{}', true",
    "figures": "'figures', 'figures', 'id', '{}', true",
    "evidence": "'evidence', 'evidence', 'id', '{}', true",
    "corroborations": "'corroborations', 'claims', 'claim_id', '{}', true",
    "claim_bands": "'claim_bands', NULL, NULL, '{}', false",
    "metrics": "'metrics', 'metrics', 'id', '{}', true",
    "units": "'units', 'units', 'id', '{}', true",
    "api_keys": "'api_keys', NULL, NULL, '{last_used_at}', true",
    "seed_items": "'seed_items', NULL, NULL, '{}', true",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, arguments in TABLES.items():
            op.execute(BEGIN.format(table=table, arguments=arguments))
        op.execute(
            "INSERT INTO transactions (id, actor) VALUES (0, session_user) ON CONFLICT DO NOTHING"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"SELECT loosen_history('{table}')")
    op.drop_tables(*(f"past.{table}" for table in TABLES))
    for table in TABLES:
        for trigger in ("mark_written_inserted", "refuse_truncation"):
            op.execute(f"DROP TRIGGER {trigger} ON {table}")
        for operation in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER IF EXISTS keep_history_{operation} ON {table}")
        op.execute(f"DROP FUNCTION past.keep_{table}")
        op.execute(f"ALTER TABLE {table} DROP COLUMN written_in")
    # It holds nothing that was written.
    op.execute("ALTER TABLE transactions DISABLE TRIGGER USER")
    op.execute("DELETE FROM transactions WHERE id = 0")
    op.execute("ALTER TABLE transactions ENABLE TRIGGER USER")
