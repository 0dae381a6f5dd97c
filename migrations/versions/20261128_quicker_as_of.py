"""Reads as of a moment look that moment up once, and not for each row."""

from alembic import op

revision = "quicker_as_of"
down_revision = "resting_claims"

WRITTEN = """CASE
    WHEN written_in <= (SELECT current_setting('hksz.as_of')::bigint)
        AND written_in <> ALL (
            (SELECT current_setting('hksz.as_of_missing')::bigint[])::bigint[]
        )
    THEN true
END IS NOT NULL"""
EARLIER_WRITTEN = """written_in <= current_setting('hksz.as_of')::bigint
    AND written_in <> ALL (current_setting('hksz.as_of_missing')::bigint[])"""
# Replaces the views alone, so that only what is read as of a moment waits for that.
REPLACE_VIEWS = """
DO $do$
DECLARE
    name text;
    listed text;
BEGIN
    FOR name IN SELECT tables.name FROM history.tables LOOP
        SELECT string_agg(format('%I', attname), ', ' ORDER BY attnum) INTO listed
        FROM pg_attribute WHERE attrelid = format('as_of.%I', name)::regclass AND attnum > 0;
        EXECUTE format($$
            CREATE OR REPLACE VIEW as_of.%1$I AS
            SELECT %2$s FROM (
                SELECT %2$s, NULL::bigint AS ended_in FROM %1$I
                UNION ALL
                SELECT %2$s, ended_in FROM past.%1$I
            ) AS kept
            WHERE {written}
                AND (
                    ended_in IS NULL
                    OR ended_in > current_setting('hksz.as_of')::bigint
                    OR ended_in = ANY (current_setting('hksz.as_of_missing')::bigint[])
                )
        $$, name, listed);
    END LOOP;
END $do$
"""


def upgrade() -> None:
    op.execute_file(f"{revision}/refresh_history.sql")
    op.execute(REPLACE_VIEWS.replace("{written}", WRITTEN))


def downgrade() -> None:
    op.execute_file("voices/refresh_history.sql")
    op.execute(REPLACE_VIEWS.replace("{written}", EARLIER_WRITTEN))
