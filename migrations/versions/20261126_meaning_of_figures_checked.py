"""The rules for the meaning of figures, which are checked without keeping writers out.

It can be broken off and begun again.
"""

from alembic import op

revision = "meaning_of_figures_checked"
down_revision = "meaning_of_figures"

_CHECKS = {
    "metrics": {
        "measure": "measure IN ('level', 'change', 'growth_rate', 'ratio_to_base', 'share', 'rank',"
        " 'index')",
        "description_not_blank": "btrim(description) <> ''",
        "holds_for": "holds_for ~ '^P[1-9][0-9]{0,3}[YMWD]$'",
    },
    "figures": {
        "range_rule": "range_rule IN ('exact', 'half_step', 'whole_step', 'next_step', 'fraction',"
        " 'explicit_bounds')",
        "estimate": "estimate IN ('provisional', 'revised', 'final')",
        "definition_not_blank": "btrim(definition) <> ''",
        "breakdown": "jsonb_typeof(breakdown) = 'object' AND breakdown <> '{}'",
        "exact": "NOT exact OR comparator <> 'eq' OR lower(value_range) = upper(value_range)",
        "known_at_with_edtf": "(known_at_edtf IS NULL) = (known_at IS NULL)",
        "known_at_in_calendar": "NOT isempty(known_at) AND lower(known_at) >= '0001-01-01'"
        " AND upper(known_at) <= '10000-01-01'",
    },
}
_KEY = "figures_unit_code_unit_factor_fkey"


def upgrade() -> None:
    op.execute("SET LOCAL client_min_messages = warning")
    for table, checks in _CHECKS.items():
        for name, rule in checks.items():
            op.execute(f"""
                ALTER TABLE {table}
                    -- squawk-ignore ban-drop-constraint
                    DROP CONSTRAINT IF EXISTS {table}_{name}_check,
                    ADD CONSTRAINT {table}_{name}_check CHECK ({rule}) NOT VALID
            """)
    op.execute(f"""
        ALTER TABLE figures
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT IF EXISTS {_KEY},
            -- squawk-ignore adding-foreign-key-constraint
            ADD CONSTRAINT {_KEY}
                FOREIGN KEY (unit_code, unit_factor) REFERENCES units (code, factor) NOT VALID
    """)
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE figures VALIDATE CONSTRAINT {_KEY}")
        for table, checks in _CHECKS.items():
            for name in checks:
                op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {table}_{name}_check")


def downgrade() -> None:
    op.execute(f"ALTER TABLE figures DROP CONSTRAINT {_KEY}")
    for table, checks in _CHECKS.items():
        for name in checks:
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{name}_check")
