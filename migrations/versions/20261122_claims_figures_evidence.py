"""Claims, with what they measure and what stands behind them."""

from alembic import op

revision = "claims_figures_evidence"
down_revision = "sources_and_entities"


# Two writers that each see no circle could close one together: the lock lets one in at a time.
REFUSE_CYCLE = """
CREATE FUNCTION evidence_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('evidence'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.derived_from_id
            UNION
            SELECT evidence.derived_from_id
            FROM evidence JOIN reached ON evidence.id = reached.id
        )
        SELECT 1 FROM reached WHERE reached.id = NEW.id
    ) THEN
        RAISE EXCEPTION 'evidence may not derive from itself'
            USING ERRCODE = 'check_violation',
                  TABLE = 'evidence',
                  CONSTRAINT = 'evidence_acyclic_check';
    END IF;
    RETURN NULL;
END $$
"""
REFUSE_CYCLE_TRIGGER = """
CREATE TRIGGER evidence_refuse_cycle
AFTER INSERT OR UPDATE OF derived_from_id ON evidence
FOR EACH ROW WHEN (NEW.derived_from_id IS NOT NULL) EXECUTE FUNCTION evidence_refuse_cycle()
"""
STAY_WITHIN_CAPTURE = """
CREATE FUNCTION evidence_stay_within_capture() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1
        FROM evidence JOIN source_captures ON source_captures.id = evidence.capture_id
        WHERE (evidence.id = NEW.id OR source_captures.id = NEW.id)
            AND evidence.end_char > source_captures.char_length
    ) THEN
        RAISE EXCEPTION 'a locator may not end beyond its capture'
            USING ERRCODE = 'check_violation',
                  TABLE = 'evidence',
                  CONSTRAINT = 'evidence_within_capture_check';
    END IF;
    RETURN NULL;
END $$
"""
STAY_WITHIN_CAPTURE_TRIGGER = """
CREATE TRIGGER evidence_stay_within_capture
AFTER INSERT OR UPDATE OF capture_id, end_char ON evidence
FOR EACH ROW WHEN (NEW.capture_id IS NOT NULL) EXECUTE FUNCTION evidence_stay_within_capture()
"""
KEEP_CAPTURE_TRIGGER = """
CREATE TRIGGER evidence_stay_within_capture
AFTER UPDATE OF char_length ON source_captures
FOR EACH ROW WHEN (NEW.char_length < OLD.char_length)
EXECUTE FUNCTION evidence_stay_within_capture()
"""


def upgrade() -> None:
    op.execute("""
        CREATE TABLE claims (
            statement text NOT NULL,
            language text NOT NULL,
            claimant_id uuid NOT NULL,
            reported_by_id uuid,
            modality text NOT NULL,
            status text NOT NULL DEFAULT 'submitted',
            time_as_stated text,
            time_edtf text,
            time daterange,
            due_edtf text,
            due daterange,
            search tsvector GENERATED ALWAYS AS (to_tsvector('english', statement)) STORED NOT NULL,
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT claims_pkey PRIMARY KEY (id),
            CONSTRAINT claims_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT claims_version_check CHECK (version >= 1),
            CONSTRAINT claims_statement_not_blank_check CHECK (btrim(statement) <> ''),
            CONSTRAINT claims_modality_check
                CHECK (modality IN ('actual', 'planned', 'forecast', 'opinion')),
            CONSTRAINT claims_status_check
                CHECK (status IN ('draft', 'submitted', 'accepted', 'rejected', 'retracted')),
            CONSTRAINT claims_time_with_edtf_check CHECK ((time_edtf IS NULL) = (time IS NULL)),
            CONSTRAINT claims_time_in_calendar_check
                CHECK (NOT isempty(time) AND lower(time) >= '0001-01-01'
                    AND upper(time) <= '10000-01-01'),
            CONSTRAINT claims_due_with_edtf_check CHECK ((due_edtf IS NULL) = (due IS NULL)),
            CONSTRAINT claims_due_in_calendar_check
                CHECK (NOT isempty(due) AND lower(due) >= '0001-01-01'
                    AND upper(due) <= '10000-01-01'),
            CONSTRAINT claims_claimant_id_fkey FOREIGN KEY (claimant_id) REFERENCES entities (id),
            CONSTRAINT claims_reported_by_id_fkey
                FOREIGN KEY (reported_by_id) REFERENCES entities (id),
            CONSTRAINT claims_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX claims_claimant_id_id_idx ON claims (claimant_id, id);
        CREATE INDEX claims_created_at_id_idx ON claims (created_at, id);
        CREATE INDEX claims_due_idx ON claims USING gist (due);
        CREATE INDEX claims_reported_by_id_idx ON claims (reported_by_id);
        CREATE INDEX claims_search_idx ON claims USING gin (search);
        CREATE INDEX claims_statement_trgm_idx ON claims USING gin (statement gin_trgm_ops);
        CREATE INDEX claims_time_asc_idx ON claims (lower(time), id);
        CREATE INDEX claims_time_desc_idx ON claims (lower(time) DESC NULLS LAST, id DESC);
        CREATE INDEX claims_time_idx ON claims USING gist (time);
        CREATE INDEX claims_updated_at_id_idx ON claims (updated_at, id)
    """)
    op.execute("""
        CREATE TABLE claim_entities (
            claim_id uuid NOT NULL,
            entity_id uuid NOT NULL,
            role text NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT claim_entities_pkey PRIMARY KEY (id),
            CONSTRAINT claim_entities_role_check
                CHECK (role IN ('subject', 'object', 'location', 'speaker', 'partner',
                    'beneficiary', 'audience', 'occasion')),
            CONSTRAINT claim_entities_claim_id_entity_id_role_key
                UNIQUE (claim_id, entity_id, role),
            CONSTRAINT claim_entities_claim_id_fkey
                FOREIGN KEY (claim_id) REFERENCES claims (id) ON DELETE CASCADE,
            CONSTRAINT claim_entities_entity_id_fkey
                FOREIGN KEY (entity_id) REFERENCES entities (id)
        );
        CREATE INDEX claim_entities_entity_id_claim_id_idx ON claim_entities (entity_id, claim_id)
    """)
    op.execute("""
        CREATE TABLE claim_topics (
            claim_id uuid NOT NULL,
            topic text NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT claim_topics_pkey PRIMARY KEY (id),
            CONSTRAINT claim_topics_topic_check CHECK (topic ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
            CONSTRAINT claim_topics_claim_id_topic_key UNIQUE (claim_id, topic),
            CONSTRAINT claim_topics_claim_id_fkey
                FOREIGN KEY (claim_id) REFERENCES claims (id) ON DELETE CASCADE
        );
        CREATE INDEX claim_topics_topic_claim_id_idx ON claim_topics (topic, claim_id)
    """)
    op.execute("""
        CREATE TABLE claim_relations (
            from_id uuid NOT NULL,
            to_id uuid NOT NULL,
            kind text NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT claim_relations_pkey PRIMARY KEY (id),
            CONSTRAINT claim_relations_kind_check
                CHECK (kind IN ('contradicts', 'supersedes', 'duplicate_of', 'refines', 'part_of')),
            CONSTRAINT claim_relations_not_itself_check CHECK (from_id <> to_id),
            CONSTRAINT claim_relations_from_id_to_id_kind_key UNIQUE (from_id, to_id, kind),
            CONSTRAINT claim_relations_from_id_fkey
                FOREIGN KEY (from_id) REFERENCES claims (id) ON DELETE CASCADE,
            CONSTRAINT claim_relations_to_id_fkey FOREIGN KEY (to_id) REFERENCES claims (id)
        );
        CREATE INDEX claim_relations_to_id_idx ON claim_relations (to_id)
    """)
    op.execute("""
        CREATE TABLE entity_relations (
            subject_id uuid NOT NULL,
            kind text NOT NULL,
            object_id uuid NOT NULL,
            qualifier text,
            during_edtf text,
            during daterange,
            claim_id uuid,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT entity_relations_pkey PRIMARY KEY (id),
            CONSTRAINT entity_relations_kind_check
                CHECK (kind IN ('part_of', 'located_in', 'works_for', 'holds_post',
                    'founded', 'operates', 'partner_of', 'participated_in')),
            CONSTRAINT entity_relations_not_itself_check CHECK (subject_id <> object_id),
            CONSTRAINT entity_relations_during_with_edtf_check
                CHECK ((during_edtf IS NULL) = (during IS NULL)),
            CONSTRAINT entity_relations_during_in_calendar_check
                CHECK (NOT isempty(during) AND lower(during) >= '0001-01-01'
                    AND upper(during) <= '10000-01-01'),
            CONSTRAINT entity_relations_statement_key
                UNIQUE NULLS NOT DISTINCT
                (subject_id, kind, object_id, qualifier, during_edtf, claim_id),
            CONSTRAINT entity_relations_subject_id_fkey
                FOREIGN KEY (subject_id) REFERENCES entities (id) ON DELETE CASCADE,
            CONSTRAINT entity_relations_object_id_fkey
                FOREIGN KEY (object_id) REFERENCES entities (id),
            CONSTRAINT entity_relations_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES claims (id)
        );
        CREATE INDEX entity_relations_claim_id_idx ON entity_relations (claim_id);
        CREATE INDEX entity_relations_object_id_idx ON entity_relations (object_id)
    """)
    op.execute("""
        CREATE TABLE metrics (
            key text NOT NULL,
            label text NOT NULL,
            dimension text NOT NULL,
            accumulation text NOT NULL,
            nonnegative boolean NOT NULL,
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT metrics_pkey PRIMARY KEY (id),
            CONSTRAINT metrics_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT metrics_version_check CHECK (version >= 1),
            CONSTRAINT metrics_dimension_check
                CHECK (dimension IN ('count', 'ratio', 'length', 'area', 'volume', 'mass',
                    'duration', 'speed', 'energy', 'power', 'money')),
            CONSTRAINT metrics_accumulation_check
                CHECK (accumulation IN ('flow', 'stock', 'ratio', 'event')),
            CONSTRAINT metrics_label_not_blank_check CHECK (btrim(label) <> ''),
            CONSTRAINT metrics_id_dimension_nonnegative_key UNIQUE (id, dimension, nonnegative),
            CONSTRAINT metrics_key_key UNIQUE (key),
            CONSTRAINT metrics_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX metrics_created_at_id_idx ON metrics (created_at, id);
        CREATE INDEX metrics_updated_at_id_idx ON metrics (updated_at, id)
    """)
    op.execute("""
        CREATE TABLE units (
            code text NOT NULL,
            label text NOT NULL,
            dimension text NOT NULL,
            factor numeric NOT NULL,
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT units_pkey PRIMARY KEY (id),
            CONSTRAINT units_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT units_version_check CHECK (version >= 1),
            CONSTRAINT units_dimension_check
                CHECK (dimension IN ('count', 'ratio', 'length', 'area', 'volume', 'mass',
                    'duration', 'speed', 'energy', 'power', 'money')),
            CONSTRAINT units_label_not_blank_check CHECK (btrim(label) <> ''),
            CONSTRAINT units_factor_check CHECK (factor > 0 AND factor < 'infinity'),
            CONSTRAINT units_code_key UNIQUE (code),
            CONSTRAINT units_code_dimension_factor_key UNIQUE (code, dimension, factor),
            CONSTRAINT units_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX units_created_at_id_idx ON units (created_at, id);
        CREATE INDEX units_updated_at_id_idx ON units (updated_at, id)
    """)
    op.execute("""
        CREATE TABLE figures (
            claim_id uuid NOT NULL,
            metric_id uuid NOT NULL,
            subject_id uuid NOT NULL,
            as_stated text NOT NULL,
            amount numeric,
            comparator text NOT NULL,
            lower_bound numeric,
            upper_bound numeric,
            unit_code text NOT NULL,
            dimension text NOT NULL,
            nonnegative boolean NOT NULL,
            unit_factor numeric NOT NULL,
            value_range numrange NOT NULL,
            plausible_range numrange NOT NULL,
            range_rule text NOT NULL,
            modality text NOT NULL,
            period_as_stated text,
            period_edtf text,
            period daterange,
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT figures_pkey PRIMARY KEY (id),
            CONSTRAINT figures_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT figures_version_check CHECK (version >= 1),
            CONSTRAINT figures_comparator_check
                CHECK (comparator IN ('eq', 'approx', 'gt', 'ge', 'lt', 'le', 'between')),
            CONSTRAINT figures_modality_check
                CHECK (modality IN ('actual', 'planned', 'forecast', 'opinion')),
            CONSTRAINT figures_range_rule_check
                CHECK (range_rule IN ('exact', 'half_step', 'next_step', 'explicit_bounds')),
            CONSTRAINT figures_as_stated_not_blank_check CHECK (btrim(as_stated) <> ''),
            CONSTRAINT figures_amount_finite_check
                CHECK (amount NOT IN ('NaN', 'infinity', '-infinity')),
            CONSTRAINT figures_lower_bound_finite_check
                CHECK (lower_bound NOT IN ('NaN', 'infinity', '-infinity')),
            CONSTRAINT figures_upper_bound_finite_check
                CHECK (upper_bound NOT IN ('NaN', 'infinity', '-infinity')),
            CONSTRAINT figures_value_range_finite_check
                CHECK (NOT isempty(value_range)
                    AND NOT (lower_inf(value_range) AND upper_inf(value_range))
                    AND COALESCE(lower(value_range), 0)
                        NOT IN ('NaN', 'infinity', '-infinity')
                    AND COALESCE(upper(value_range), 0)
                        NOT IN ('NaN', 'infinity', '-infinity')),
            CONSTRAINT figures_plausible_range_finite_check
                CHECK (NOT isempty(plausible_range)
                    AND NOT (lower_inf(plausible_range) AND upper_inf(plausible_range))
                    AND COALESCE(lower(plausible_range), 0)
                        NOT IN ('NaN', 'infinity', '-infinity')
                    AND COALESCE(upper(plausible_range), 0)
                        NOT IN ('NaN', 'infinity', '-infinity')),
            CONSTRAINT figures_amount_check CHECK ((amount IS NULL) = (comparator = 'between')),
            CONSTRAINT figures_between_check
                CHECK (comparator <> 'between'
                    OR (lower_bound IS NOT NULL AND upper_bound IS NOT NULL)),
            CONSTRAINT figures_bounds_check CHECK (lower_bound <= upper_bound),
            CONSTRAINT figures_eq_check
                CHECK (comparator <> 'eq'
                    OR value_range = numrange(amount * unit_factor, amount * unit_factor, '[]')),
            CONSTRAINT figures_plausible_check CHECK (plausible_range <@ value_range),
            CONSTRAINT figures_nonnegative_check
                CHECK (NOT nonnegative OR COALESCE(lower(value_range) >= 0, false)),
            CONSTRAINT figures_period_with_edtf_check
                CHECK ((period_edtf IS NULL) = (period IS NULL)),
            CONSTRAINT figures_period_in_calendar_check
                CHECK (NOT isempty(period) AND lower(period) >= '0001-01-01'
                    AND upper(period) <= '10000-01-01'),
            CONSTRAINT figures_metric_id_dimension_nonnegative_fkey
                FOREIGN KEY (metric_id, dimension, nonnegative)
                REFERENCES metrics (id, dimension, nonnegative),
            CONSTRAINT figures_unit_code_dimension_unit_factor_fkey
                FOREIGN KEY (unit_code, dimension, unit_factor)
                REFERENCES units (code, dimension, factor),
            CONSTRAINT figures_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES claims (id),
            CONSTRAINT figures_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES entities (id),
            CONSTRAINT figures_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX figures_claim_id_id_idx ON figures (claim_id, id);
        CREATE INDEX figures_created_at_id_idx ON figures (created_at, id);
        CREATE INDEX figures_metric_id_value_idx ON figures (metric_id, lower(value_range));
        CREATE INDEX figures_period_idx ON figures USING gist (period);
        CREATE INDEX figures_subject_id_id_idx ON figures (subject_id, id);
        CREATE INDEX figures_unit_code_idx ON figures (unit_code);
        CREATE INDEX figures_updated_at_id_idx ON figures (updated_at, id);
        CREATE INDEX figures_value_idx
            ON figures (COALESCE(lower(value_range), upper(value_range)), id)
    """)
    op.execute("""
        CREATE TABLE evidence (
            claim_id uuid NOT NULL,
            source_id uuid NOT NULL,
            capture_id uuid,
            stance text NOT NULL,
            directness text,
            interest text,
            derived_from_id uuid,
            start_char integer,
            end_char integer,
            exact_sha256 text,
            prefix_sha256 text,
            suffix_sha256 text,
            page text,
            note text,
            status text NOT NULL DEFAULT 'submitted',
            added_by text NOT NULL DEFAULT COALESCE(
                NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text
            ),
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT evidence_pkey PRIMARY KEY (id),
            CONSTRAINT evidence_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT evidence_version_check CHECK (version >= 1),
            CONSTRAINT evidence_stance_check
                CHECK (stance IN ('asserts', 'supports', 'disputes', 'mentions')),
            CONSTRAINT evidence_directness_check CHECK (directness IN ('primary', 'secondary')),
            CONSTRAINT evidence_interest_check CHECK (interest IN ('self', 'third_party')),
            CONSTRAINT evidence_status_check
                CHECK (status IN ('submitted', 'accepted', 'rejected')),
            CONSTRAINT evidence_exact_sha256_check CHECK (exact_sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT evidence_prefix_sha256_check CHECK (prefix_sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT evidence_suffix_sha256_check CHECK (suffix_sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT evidence_locator_whole_check
                CHECK (num_nulls(start_char, end_char, exact_sha256, prefix_sha256, suffix_sha256)
                    IN (0, 5)),
            CONSTRAINT evidence_span_check CHECK (0 <= start_char AND start_char < end_char),
            CONSTRAINT evidence_not_itself_check CHECK (derived_from_id <> id),
            CONSTRAINT evidence_capture_id_source_id_fkey
                FOREIGN KEY (capture_id, source_id) REFERENCES source_captures (id, source_id),
            CONSTRAINT evidence_claim_id_fkey FOREIGN KEY (claim_id) REFERENCES claims (id),
            CONSTRAINT evidence_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources (id),
            CONSTRAINT evidence_derived_from_id_fkey
                FOREIGN KEY (derived_from_id) REFERENCES evidence (id),
            CONSTRAINT evidence_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX evidence_capture_id_idx ON evidence (capture_id);
        CREATE INDEX evidence_claim_id_id_idx ON evidence (claim_id, id);
        CREATE INDEX evidence_created_at_id_idx ON evidence (created_at, id);
        CREATE INDEX evidence_derived_from_id_idx ON evidence (derived_from_id);
        CREATE INDEX evidence_source_id_claim_id_idx ON evidence (source_id, claim_id);
        CREATE INDEX evidence_updated_at_id_idx ON evidence (updated_at, id);
        CREATE UNIQUE INDEX evidence_once_idx
            ON evidence (claim_id, source_id, stance, start_char, end_char, page)
            NULLS NOT DISTINCT WHERE deleted_at IS NULL
    """)
    op.execute(REFUSE_CYCLE)
    op.execute(REFUSE_CYCLE_TRIGGER)
    op.execute(STAY_WITHIN_CAPTURE)
    op.execute(STAY_WITHIN_CAPTURE_TRIGGER)
    op.execute(KEEP_CAPTURE_TRIGGER)


def downgrade() -> None:
    op.execute("DROP TRIGGER evidence_stay_within_capture ON source_captures")
    op.drop_tables(
        "claims",
        "claim_entities",
        "claim_topics",
        "claim_relations",
        "entity_relations",
        "metrics",
        "units",
        "figures",
        "evidence",
    )
    op.execute("DROP FUNCTION evidence_refuse_cycle(), evidence_stay_within_capture()")
