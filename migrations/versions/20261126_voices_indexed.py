"""The terms and indexes of corroboration by voices, made while the tables can be written.

It can be broken off and begun again.
"""

from alembic import op

revision = "voices_indexed"
down_revision = "voices"

VERDICTS = (
    "'unsupported', 'single_origin', 'confirmed_by_party', 'corroborated', 'shared', 'disputed',"
    " 'refuted'"
)
COUNTS = ("own", "independent", "parties", "pending")
SIDES = ("for", "against")
NEW_COUNTS = tuple(f"{count}_{side}" for side in SIDES for count in COUNTS)
# An interrupted run leaves an index that is not valid; those that it finished are kept.
DROP_UNFINISHED = """
DO $$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT indexrelid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
        WHERE NOT indisvalid AND relname ~ '^(corroborations|evidence)_'
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $$
"""
INDEXES = {
    "evidence_attributed_to_id_claim_id_idx": "evidence (attributed_to_id, claim_id)",
    "evidence_said_anchor_id_idx": "evidence (said_anchor_id)",
    **{
        f"corroborations_{count}_claim_id_idx": f"corroborations ({count}, claim_id)"
        for count in (*NEW_COUNTS, "sources_for", "sources_against")
    },
    "past.evidence_attributed_to_id_idx": "past.evidence (attributed_to_id)",
    "past.evidence_said_anchor_id_idx": "past.evidence (said_anchor_id)",
}


def upgrade() -> None:
    op.execute("SET LOCAL client_min_messages = warning")
    op.execute(f"""
        ALTER TABLE corroborations
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT IF EXISTS corroborations_verdict_check,
            ADD CONSTRAINT corroborations_verdict_check
                CHECK (verdict IN ({VERDICTS})) NOT VALID
    """)
    # The tables can be written meanwhile.
    with op.get_context().autocommit_block():
        op.execute(DROP_UNFINISHED)
        op.execute("SET client_min_messages = warning")
        for name, columns in INDEXES.items():
            op.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name.removeprefix('past.')} ON {columns}"
            )
        for side in SIDES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS past.corroborations_origins_{side}_idx")
        op.execute("RESET client_min_messages")
        op.execute("ALTER TABLE corroborations VALIDATE CONSTRAINT corroborations_verdict_check")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    op.execute("ALTER TABLE corroborations DROP CONSTRAINT corroborations_verdict_check")
    for side in SIDES:
        op.execute(
            f"CREATE INDEX corroborations_origins_{side}_idx"
            f" ON past.corroborations (origins_{side})"
        )
