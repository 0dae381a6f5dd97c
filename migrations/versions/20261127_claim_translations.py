"""Claims have their statements in further languages."""

from alembic import op

revision = "claim_translations"
down_revision = "ratings"

TABLE = """
CREATE TABLE claim_translations (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT claim_translations_pkey PRIMARY KEY,
    claim_id uuid NOT NULL
        CONSTRAINT claim_translations_claim_id_fkey REFERENCES claims (id) ON DELETE CASCADE,
    language text NOT NULL,
    text text NOT NULL,
    translated_by text NOT NULL,
    written_in bigint DEFAULT current_transaction() NOT NULL,
    CONSTRAINT claim_translations_text_not_blank_check CHECK (btrim(text) <> ''),
    CONSTRAINT claim_translations_translated_by_check
        CHECK (translated_by IN ('human', 'machine')),
    CONSTRAINT claim_translations_claim_id_language_key UNIQUE (claim_id, language)
)
"""
# Those who may read the topics of claims may read the translations.
READERS = """
DO $$
DECLARE
    read record;
BEGIN
    FOR read IN
        SELECT nspname AS home,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS reader
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace, aclexplode(relacl)
        WHERE relname = 'claim_topics' AND nspname IN ('public', 'past', 'as_of', 'history')
            AND privilege_type = 'SELECT' AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT SELECT ON %I.claim_translations TO %s', read.home, read.reader);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("SELECT keep_history('claim_translations', 'claims', 'claim_id', '{}', true)")
    op.execute(READERS)


def downgrade() -> None:
    op.drop_tables("claim_translations")
