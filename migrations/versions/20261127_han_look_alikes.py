"""Similar statements in Chinese are found by pairs of characters, in either script.

Only claims in Chinese, Japanese or Korean get other bands. They lose the earlier ones first, a
thousand claims at a time, each thousand in a transaction of its own, and get the new ones in the
same way. In between, their words do not make them similar to others. The migration can be broken
off and begun again: what precedes the batches is committed with the first of them.
"""

from alembic import op

revision = "han_look_alikes"
down_revision = "counted_relations"

# Both the earlier and the new functions treat all other statements alike.
_UNSPACED = r"statement ~ '[\u2e80-\U0010ffff]'"
# What the trigger does while the functions are replaced.
_WITHOUT_BANDS = f"""
CREATE OR REPLACE FUNCTION claims_keep_bands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN
        DELETE FROM claim_bands
        WHERE claim_id = OLD.id AND band = ANY (statement_bands(OLD.statement));
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL AND NOT NEW.{_UNSPACED} THEN
        INSERT INTO claim_bands (band, claim_id)
        SELECT unnest(statement_bands(NEW.statement)), NEW.id;
    END IF;
    RETURN NULL;
END $$
"""
_EMPTY = "DELETE FROM claim_bands WHERE claim_id = one.id AND band = ANY (bands)"
# The queue of reviews looks for duplicates of submitted claims once more.
_FILL = """INSERT INTO claim_bands (band, claim_id)
            SELECT unnest(bands), one.id ON CONFLICT DO NOTHING;
            UPDATE submissions SET likely_same = NULL WHERE id = one.id"""
_EACH = f"""
DO $$
DECLARE
    one record;
    bands bigint[];
    last uuid := '00000000-0000-0000-0000-000000000000';
    is_done boolean;
BEGIN
    LOOP
        is_done := true;
        FOR one IN
            SELECT id, statement FROM claims
            WHERE id > last AND deleted_at IS NULL AND {_UNSPACED}
            ORDER BY id LIMIT 1000
            FOR SHARE
        LOOP
            bands := statement_bands(one.statement);
            %s;
            last := one.id;
            is_done := false;
        END LOOP;
        EXIT WHEN is_done;
        COMMIT;
    END LOOP;
END $$
"""


def upgrade() -> None:
    _empty()
    op.execute_file(f"{revision}/han.sql")
    op.execute_file(f"{revision}/claim_bands.sql")
    op.execute("""
        -- squawk-ignore ban-drop-function
        DROP FUNCTION IF EXISTS statement_words, statement_numbers, statement_order,
            masked_statement
    """)
    _fill()


def downgrade() -> None:
    _empty()
    op.execute_file(f"{revision}/earlier_claim_bands.sql")
    op.execute("""
        DROP FUNCTION IF EXISTS masked_order, masked_words, masked_terms, masked_wording,
            unspaced_words, unspaced_runs, plain_numbers, masked_numbers,
            plain_statement, han_number, folded_han
    """)
    _fill()


def _empty() -> None:
    op.execute(_WITHOUT_BANDS.replace(":", r"\:"))
    with op.get_context().autocommit_block():
        op.execute((_EACH % _EMPTY).replace(":", r"\:"))


def _fill() -> None:
    with op.get_context().autocommit_block():
        op.execute((_EACH % _FILL).replace(":", r"\:"))
