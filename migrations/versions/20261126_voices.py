"""Corroboration counts voices; recounts that concern many claims wait in a queue.

Evidence has the entity that it is attributed to and the time at which that was said. The claims are
not counted in this migration: it puts one entry into the queue, and the service counts them while
it runs.
"""

from alembic import op

revision = "voices"
down_revision = "review_filled"

COUNTS = ("own", "independent", "parties", "pending")
SIDES = ("for", "against")
NEW_COUNTS = tuple(f"{count}_{side}" for side in SIDES for count in COUNTS)
# The triggers of the tables, and what is replaced by functions with other parameters or results.
OBSOLETE = """
-- squawk-ignore ban-drop-function
DROP FUNCTION verdict_if_accepted(uuid), claim_origins(uuid), evidence_walk(uuid[]),
    recount_claims(uuid[]), recount_passages(uuid[]), recount_sources(uuid[])
"""
ADDED = """
DROP TRIGGER claims_count_origins_updated ON claims;
DROP FUNCTION claim_entities_count_origins() CASCADE;
DROP FUNCTION source_contributors_count_origins() CASCADE;
DROP FUNCTION entity_relations_count_origins() CASCADE;
DROP FUNCTION evidence_walk(uuid[]), weigh_evidence(uuid, uuid), verdict_if_accepted(uuid),
    voice_of(uuid[], uuid[], uuid, uuid),
    sources_cited(uuid), entities_above(uuid[]), speaks_as(text), binds_entity(text),
    cites_origin(text), recount_claims(uuid[], uuid), claims_resting_on(uuid[], uuid[]),
    recount_resting(uuid[], uuid[]), recount_or_queue(uuid[], uuid), awaits_recount(uuid),
    corroboration_verdict(text, integer, integer, integer, integer)
"""
RECOUNTS = """
CREATE TABLE recounts (
    id uuid DEFAULT uuidv7() NOT NULL CONSTRAINT recounts_pkey PRIMARY KEY,
    source_id uuid,
    entity_id uuid,
    claim_ids uuid[],
    done_to uuid DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
    retry_at timestamp with time zone,
    written_in bigint DEFAULT current_transaction() NOT NULL,
    CONSTRAINT recounts_what_check CHECK (num_nonnulls(source_id, entity_id, claim_ids) <= 1)
)
"""
# Those who may read the counts may read whether they wait for a recount.
READERS = """
DO $$
DECLARE
    read record;
BEGIN
    FOR read IN
        SELECT nspname AS home,
            CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS reader
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace, aclexplode(relacl)
        WHERE relname = 'corroborations' AND nspname IN ('public', 'past', 'as_of', 'history')
            AND privilege_type = 'SELECT' AND grantee <> relowner
    LOOP
        EXECUTE format('GRANT SELECT ON %I.recounts TO %s', read.home, read.reader);
    END LOOP;
END $$
"""
PERIOD = """
said daterange
    CONSTRAINT evidence_said_with_edtf_check CHECK ((said_edtf IS NULL) = (said IS NULL))
    CONSTRAINT evidence_said_in_calendar_check CHECK (
        NOT isempty(said) AND lower(said) >= '0001-01-01' AND upper(said) <= '10000-01-01'
    )
"""
ANCHOR = """
said_anchor_id uuid
    -- squawk-ignore adding-foreign-key-constraint
    CONSTRAINT evidence_said_anchor_id_fkey REFERENCES sources (id)
"""
DURATION = """
said_duration text
    CONSTRAINT evidence_said_duration_check CHECK (said_duration ~ '^-?P[0-9]{1,4}[YMWD]$')
    CONSTRAINT evidence_said_duration_with_anchor_check
        CHECK ((said_anchor_id IS NULL) = (said_duration IS NULL))
    CONSTRAINT evidence_said_duration_with_edtf_check
        CHECK (said_duration IS NULL OR said_edtf IS NOT NULL)
"""
WEEKDAYS = "'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'"
MODIFIER = f"""
said_modifier text
    CONSTRAINT evidence_said_modifier_check
        CHECK (said_modifier IN ('about', 'within', {WEEKDAYS}))
    CONSTRAINT evidence_said_modifier_with_duration_check
        CHECK (said_modifier IS NULL OR said_duration IS NOT NULL)
    CONSTRAINT evidence_said_weekday_check
        CHECK (said_modifier NOT IN ({WEEKDAYS}) OR said_duration LIKE '%W')
"""
SPEAKER = """
attributed_to_id uuid
    -- squawk-ignore adding-foreign-key-constraint
    CONSTRAINT evidence_attributed_to_id_fkey REFERENCES entities (id)
"""


def upgrade() -> None:
    op.execute_file(f"{revision}/refresh_history.sql")
    op.add_columns("evidence", SPEAKER, "said_edtf text", PERIOD, ANCHOR, DURATION, MODIFIER)
    for table in ("past.corroborations", "corroborations"):
        op.execute(f"""
-- squawk-ignore ban-drop-generated-expression
ALTER TABLE {table} ALTER COLUMN verdict DROP EXPRESSION
""")
    op.execute("ALTER TABLE corroborations ALTER COLUMN verdict SET DEFAULT 'unsupported'")
    # The next migration adds it with the new verdicts.
    op.execute("""
-- squawk-ignore ban-drop-constraint
ALTER TABLE corroborations DROP CONSTRAINT corroborations_verdict_check
""")
    op.add_columns(
        "corroborations",
        *(f"{count} integer DEFAULT 0 NOT NULL" for count in NEW_COUNTS),
        "recount_id uuid",
    )
    op.execute(RECOUNTS)
    op.execute("SELECT keep_history('recounts', NULL, NULL, '{}', false)")
    op.execute(READERS)
    op.execute(OBSOLETE)
    op.execute_file(f"{revision}/origins.sql")
    op.execute_file(f"{revision}/corroborations.sql")
    op.execute("INSERT INTO recounts SELECT WHERE EXISTS (SELECT FROM claims)")


def downgrade() -> None:
    op.drop_columns(
        "evidence",
        "attributed_to_id",
        "said_modifier",
        "said_duration",
        "said_anchor_id",
        "said",
        "said_edtf",
    )
    op.execute(ADDED)
    op.drop_tables("recounts")
    op.drop_columns("corroborations", "verdict", "recount_id", *NEW_COUNTS)
    op.execute_file(f"{revision}/earlier_refresh_history.sql")
    op.execute_file(f"{revision}/earlier_verdict.sql")
    op.execute_file(f"{revision}/earlier_origins.sql")
    op.execute_file(f"{revision}/earlier_corroborations.sql")
    op.execute("SELECT recount_claims(array_agg(id)) FROM claims")
