"""The bands of the claims that were there before: worked out a thousand claims at a time.

Each thousand is a transaction of its own, about 0.1 s long, during which those claims cannot be
written. It can be broken off and begun again.
"""

from alembic import op

revision = "fill_claim_bands"
down_revision = "similar_claims"

FILL = """
DO $$
DECLARE
    batch uuid[];
    last uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        -- Locked, so that what is worked out is of the statement that stands.
        WITH following AS (
            SELECT id, statement FROM claims
            WHERE id > last AND deleted_at IS NULL
            ORDER BY id LIMIT 1000
            FOR SHARE
        ), filled AS (
            INSERT INTO claim_bands (band, claim_id)
            SELECT unnest(statement_bands(statement)), id FROM following
            ON CONFLICT DO NOTHING
        )
        SELECT array_agg(id ORDER BY id) INTO batch FROM following;
        EXIT WHEN batch IS NULL;
        COMMIT;
        last := batch[cardinality(batch)];
    END LOOP;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(FILL)


def downgrade() -> None:
    """The bands go with their table."""
