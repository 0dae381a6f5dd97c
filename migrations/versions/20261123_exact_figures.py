"""An exact figure has one value in base units, which may be rounded as its unit's factor is.

The rule is checked after it is in force, without keeping writers out. It can be broken off and
begun again.
"""

from alembic import op

revision = "exact_figures"
down_revision = "fill_claim_bands"

PRODUCT = "numrange(amount * unit_factor, amount * unit_factor, '[]')"


def upgrade() -> None:
    _replace("comparator <> 'eq' OR COALESCE(lower(value_range) = upper(value_range), false)")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE figures VALIDATE CONSTRAINT figures_eq_check")


def downgrade() -> None:
    op.execute("ALTER TABLE figures DROP CONSTRAINT figures_eq_check")
    # The old rule takes no rounded values.
    op.execute(f"""
        UPDATE figures SET value_range = {PRODUCT}, plausible_range = {PRODUCT}
        WHERE comparator = 'eq' AND value_range <> {PRODUCT}
    """)
    _replace(f"comparator <> 'eq' OR value_range = {PRODUCT}")
    op.execute("ALTER TABLE figures VALIDATE CONSTRAINT figures_eq_check")


def _replace(rule: str) -> None:
    op.execute(f"""
        ALTER TABLE figures
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT IF EXISTS figures_eq_check,
            ADD CONSTRAINT figures_eq_check CHECK ({rule}) NOT VALID
    """)
