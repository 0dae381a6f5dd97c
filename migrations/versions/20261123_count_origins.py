"""The origins of the claims that were there before: counted a thousand at a time.

Each thousand is a transaction of its own, so that nobody waits for long. It can be broken off and
begun again: what is counted twice comes to the same.
"""

from alembic import op

revision = "count_origins"
down_revision = "corroborations"

COUNT = """
DO $$
DECLARE
    batch uuid[];
    last uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY id) INTO batch
        FROM (SELECT id FROM claims WHERE id > last ORDER BY id LIMIT 1000) AS following;
        EXIT WHEN batch IS NULL;
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
        PERFORM recount_claims(batch);
        COMMIT;
        last := batch[cardinality(batch)];
    END LOOP;
END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(COUNT)


def downgrade() -> None:
    """The counts go with their table."""
