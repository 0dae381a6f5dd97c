"""New kinds of entities and relations, and claims whose claimant is not known by name."""

from alembic import op

revision = "one_identity"
down_revision = "superseded_claims"

_ENTITY_RELATIONS = (
    "'part_of', 'located_in', 'works_for', 'holds_post', 'founded', 'operates', 'partner_of',"
    " 'participated_in'"
)
# The terms before and those that are added.
_TERMS = {
    "entities": (
        "'person', 'organisation', 'place', 'zone', 'programme', 'facility', 'event'",
        "'group', 'product', 'law', 'industry', 'work'",
    ),
    "entity_relations": (_ENTITY_RELATIONS, "'owned_by', 'member_of', 'controls'"),
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
    op.add_columns("claims", "claimant_as_stated text")
    op.execute("""
        ALTER TABLE claims
            -- squawk-ignore ban-drop-not-null
            ALTER COLUMN claimant_id DROP NOT NULL,
            ADD CONSTRAINT claims_claimant_check
                CHECK (num_nonnulls(claimant_id, claimant_as_stated) > 0) NOT VALID,
            ADD CONSTRAINT claims_claimant_as_stated_not_blank_check
                CHECK (btrim(claimant_as_stated) <> '') NOT VALID
    """)

    op.add_columns("sources", "canonical_url text")
    op.execute("""
        CREATE TABLE unfilled_urls (
            source_id uuid NOT NULL,
            taken_by uuid,
            CONSTRAINT unfilled_urls_pkey PRIMARY KEY (source_id)
        );
        -- squawk-ignore require-concurrent-index-creation
        CREATE INDEX unfilled_urls_taken_by_idx ON unfilled_urls (taken_by)
    """)
    op.execute("INSERT INTO unfilled_urls SELECT id FROM sources WHERE url IS NOT NULL")
    op.execute_file(f"{revision}/titles.sql")


def downgrade() -> None:
    op.execute("DROP FUNCTION title_hash(text)")
    op.drop_tables("unfilled_urls")
    # It follows from the URL, so that nothing is lost.
    op.execute("UPDATE sources SET canonical_url = NULL WHERE canonical_url IS NOT NULL")
    op.drop_columns("sources", "canonical_url")
    _refuse("claims have no claimant that is an entity", "claims WHERE claimant_id IS NULL")
    op.execute("""
        ALTER TABLE claims
            DROP CONSTRAINT claims_claimant_check,
            DROP CONSTRAINT claims_claimant_as_stated_not_blank_check,
            ALTER COLUMN claimant_id SET NOT NULL
    """)
    op.drop_columns("claims", "claimant_as_stated")
    op.execute_file(f"{revision}/replaced_claims_before.sql")
    op.execute_file(f"{revision}/keeps_origin_before.sql")
    for table, (before, _) in _TERMS.items():
        _refuse(
            f"{table} has kinds that it would not know", f"{table} WHERE kind NOT IN ({before})"
        )
        _replace_check(table, "kind", f"kind IN ({before})")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_kind_check")


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
