"""New kinds of entities and relations."""

from alembic import op

revision = "one_identity"
down_revision = "superseded_claims"

# The terms before and those that are added.
_TERMS = {
    "entities": (
        "'person', 'organisation', 'place', 'zone', 'programme', 'facility', 'event'",
        "'group', 'product', 'law', 'industry', 'work'",
    ),
    "entity_relations": (
        "'part_of', 'located_in', 'works_for', 'holds_post', 'founded', 'operates',"
        + " 'partner_of', 'participated_in'",
        "'owned_by', 'member_of', 'controls'",
    ),
    "source_relations": (
        "'copy_of', 'syndicated_from', 'translation_of', 'rewrite_of', 'quotes', 'cites'",
        "'based_on', 'version_of', 'corrects', 'retracts', 'replies_to', 'part_of'",
    ),
    "claim_relations": (
        "'contradicts', 'supersedes', 'duplicate_of', 'refines', 'part_of'",
        "'denies', 'about', 'corrects'",
    ),
}


def upgrade() -> None:
    for table, (before, added) in _TERMS.items():
        _replace_check(table, "kind", f"kind IN ({before}, {added})")
    op.execute_file(f"{revision}/keeps_origin.sql")
    op.execute_file(f"{revision}/replaced_claims.sql")


def downgrade() -> None:
    op.execute_file(f"{revision}/replaced_claims_before.sql")
    op.execute_file(f"{revision}/keeps_origin_before.sql")
    for table, (before, _) in _TERMS.items():
        _refuse(
            f"{table} has kinds that it would not know", f"{table} WHERE kind NOT IN ({before})"
        )
        _replace_check(table, "kind", f"kind IN ({before})")


def _replace_check(table: str, name: str, rule: str) -> None:
    op.execute(f"""
        ALTER TABLE {table}
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT {table}_{name}_check,
            ADD CONSTRAINT {table}_{name}_check CHECK ({rule}) NOT VALID
    """)


def _refuse(reason: str, rows: str) -> None:
    """Refuse the downgrade if there are such rows, which the earlier schema cannot hold."""
    op.execute(f"""
DO $$
BEGIN
    IF EXISTS (SELECT FROM {rows}) THEN
        RAISE EXCEPTION 'The downgrade is impossible: {reason}.';
    END IF;
END $$
""")
