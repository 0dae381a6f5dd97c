"""The rules for the meaning of figures are checked, without keeping writers out.

It can be broken off and begun again.
"""

from alembic import op

revision = "meaning_of_figures_checked"
down_revision = "meaning_of_figures"

_CONSTRAINTS = {
    "metrics": ("measure_check", "description_not_blank_check", "holds_for_check"),
    "figures": (
        "unit_code_unit_factor_fkey",
        "range_rule_check",
        "estimate_check",
        "definition_not_blank_check",
        "breakdown_check",
        "exact_check",
        "known_at_with_edtf_check",
        "known_at_in_calendar_check",
    ),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, constraints in _CONSTRAINTS.items():
            for name in constraints:
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_{name}")


def downgrade() -> None:
    names = ", ".join(
        f"'{table}_{name}'" for table, constraints in _CONSTRAINTS.items() for name in constraints
    )
    op.execute(f"""
        DO $$
        DECLARE
            rule record;
        BEGIN
            FOR rule IN
                SELECT conrelid::regclass AS owner, conname, pg_get_constraintdef(oid) AS definition
                FROM pg_constraint
                WHERE connamespace = 'public'::regnamespace AND conname IN ({names})
            LOOP
                EXECUTE format(
                    'ALTER TABLE %s DROP CONSTRAINT %I, ADD CONSTRAINT %I %s NOT VALID',
                    rule.owner, rule.conname, rule.conname, rule.definition
                );
            END LOOP;
        END
        $$
    """)
