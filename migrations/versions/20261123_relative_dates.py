"""Dates relative to that of a source, and an index for the times of relations."""

from alembic import op

revision = "relative_dates"
down_revision = "keys_and_seeds"

DATES = (("claims", "time"), ("claims", "due"), ("figures", "period"))


# The new columns are empty, so that their rules hold without a look at the rows.
COLUMNS = """
ALTER TABLE {table}
    ADD COLUMN {date}_anchor_id uuid
        -- squawk-ignore adding-foreign-key-constraint
        CONSTRAINT {table}_{date}_anchor_id_fkey REFERENCES sources (id),
    ADD COLUMN {date}_duration text
        CONSTRAINT {table}_{date}_duration_check
            CHECK ({date}_duration ~ '^-?P[0-9]{{1,4}}[YMWD]$')
        CONSTRAINT {table}_{date}_duration_with_anchor_check
            CHECK (({date}_anchor_id IS NULL) = ({date}_duration IS NULL))
        CONSTRAINT {table}_{date}_duration_with_edtf_check
            CHECK ({date}_duration IS NULL OR {date}_edtf IS NOT NULL),
    ADD COLUMN {date}_modifier text
        CONSTRAINT {table}_{date}_modifier_check
            CHECK ({date}_modifier IN ('about', 'within', 'monday', 'tuesday', 'wednesday',
                'thursday', 'friday', 'saturday', 'sunday'))
        CONSTRAINT {table}_{date}_modifier_with_duration_check
            CHECK ({date}_modifier IS NULL OR {date}_duration IS NOT NULL)
        CONSTRAINT {table}_{date}_weekday_check
            CHECK ({date}_modifier NOT IN ('monday', 'tuesday', 'wednesday', 'thursday', 'friday',
                'saturday', 'sunday') OR {date}_duration LIKE '%W')
"""
# One that is made concurrently cannot be part of a transaction, as every migration is here.
INDEX = """
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX {name} ON {table} USING {method} ({column})
"""


def upgrade() -> None:
    for table, date in DATES:
        op.execute(COLUMNS.format(table=table, date=date))
    for table, date in DATES:
        column = f"{date}_anchor_id"
        name = f"{table}_{column}_idx"
        op.execute(INDEX.format(name=name, table=table, method="btree", column=column))
    op.execute(
        INDEX.format(
            name="entity_relations_during_idx",
            table="entity_relations",
            method="gist",
            column="during",
        )
    )


def downgrade() -> None:
    op.execute("DROP INDEX entity_relations_during_idx")
    for table, date in DATES:
        op.drop_columns(table, f"{date}_anchor_id", f"{date}_duration", f"{date}_modifier")
