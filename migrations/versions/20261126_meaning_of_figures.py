"""Figures and metrics say more precisely what they mean.

Figures have ``exact``, ``breakdown``, ``definition``, ``estimate`` and ``known_at``, and their unit
may be ``1`` for any ratio; metrics have ``description``, ``measure`` and ``holds_for``. The ranges
of all figures follow from other rules now: ``stale_ranges`` lists the figures to recompute, which
happens while the service runs. The next migration adds the rules for the new columns.
"""

from alembic import op

revision = "meaning_of_figures"
down_revision = "publisher_place"

_PRODUCT = "numrange(amount * unit_factor, amount * unit_factor, '[]')"
_UNITS_KEY = "units_code_dimension_factor_key"
_FIGURES_KEY = "figures_unit_code_dimension_unit_factor_fkey"


def upgrade() -> None:
    op.add_columns(
        "metrics",
        "description text",
        "measure text NOT NULL DEFAULT 'level'",
        "holds_for text",
    )
    op.add_columns(
        "figures",
        "exact boolean NOT NULL DEFAULT false",
        "breakdown jsonb",
        "definition text",
        "estimate text",
        "known_at_edtf text",
        "known_at daterange",
    )
    for name in ("eq", "range_rule"):
        op.execute(f"""
            ALTER TABLE figures
                -- squawk-ignore ban-drop-constraint
                DROP CONSTRAINT figures_{name}_check
        """)
    # A unit has a handful of rows, so that its key takes no time.
    op.execute("""
        ALTER TABLE units
            -- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint
            ADD CONSTRAINT units_code_factor_key UNIQUE (code, factor)
    """)
    op.execute(f"""
        ALTER TABLE figures
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT {_FIGURES_KEY}
    """)
    op.execute(f"""
        ALTER TABLE units
            -- squawk-ignore ban-drop-constraint
            DROP CONSTRAINT {_UNITS_KEY}
    """)
    op.execute(
        "CREATE TABLE stale_ranges (figure_id uuid CONSTRAINT stale_ranges_pkey PRIMARY KEY)"
    )
    op.execute("INSERT INTO stale_ranges SELECT id FROM figures")


def downgrade() -> None:
    op.execute("""
DO $$
BEGIN
    IF EXISTS (SELECT FROM figures WHERE dimension = 'ratio' AND unit_code = '1') THEN
        RAISE EXCEPTION 'In earlier revisions no ratio has the unit 1: give such figures in %%.';
    END IF;
END $$
""")
    op.drop_tables("stale_ranges")
    op.execute(f"ALTER TABLE units ADD CONSTRAINT {_UNITS_KEY} UNIQUE (code, dimension, factor)")
    op.execute(
        f"ALTER TABLE figures ADD CONSTRAINT {_FIGURES_KEY} FOREIGN KEY"
        " (unit_code, dimension, unit_factor) REFERENCES units (code, dimension, factor)"
    )
    op.execute("ALTER TABLE units DROP CONSTRAINT units_code_factor_key")
    # The old rules are narrower; a figure in per cent of a ratio keeps its ranges.
    op.execute(f"""
        UPDATE figures SET value_range = {_PRODUCT}, plausible_range = {_PRODUCT},
            range_rule = 'exact'
        WHERE comparator = 'eq' AND lower(value_range) IS DISTINCT FROM upper(value_range)
    """)
    op.execute(
        "UPDATE figures SET range_rule = 'half_step' WHERE range_rule IN ('whole_step', 'fraction')"
    )
    op.execute(
        "ALTER TABLE figures ADD CONSTRAINT figures_eq_check CHECK (comparator <> 'eq'"
        " OR COALESCE(lower(value_range) = upper(value_range), false))"
    )
    op.execute(
        "ALTER TABLE figures ADD CONSTRAINT figures_range_rule_check CHECK (range_rule IN"
        " ('exact', 'half_step', 'next_step', 'explicit_bounds'))"
    )
    op.drop_columns(
        "figures", "exact", "breakdown", "definition", "estimate", "known_at_edtf", "known_at"
    )
    op.drop_columns("metrics", "description", "measure", "holds_for")
