"""Entities and sources: who and what is spoken of, and the works that speak."""

from alembic import op

revision = "sources_and_entities"
down_revision = None

# Two writers that each see no circle could close one together: the lock lets one in at a time.
REFUSE_CYCLE = """
CREATE FUNCTION source_relations_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.to_id
            UNION
            SELECT source_relations.to_id
            FROM source_relations JOIN reached ON source_relations.from_id = reached.id
        )
        SELECT 1 FROM reached WHERE reached.id = NEW.from_id
    ) THEN
        RAISE EXCEPTION 'source relations may not form a circle'
            USING ERRCODE = 'check_violation',
                  TABLE = 'source_relations',
                  CONSTRAINT = 'source_relations_acyclic_check';
    END IF;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    # A trusted extension: the owner of the database may create it.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("""
        CREATE TABLE entities (
            kind text NOT NULL,
            name text NOT NULL,
            name_language text NOT NULL,
            description text,
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT entities_pkey PRIMARY KEY (id),
            CONSTRAINT entities_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT entities_version_check CHECK (version >= 1),
            CONSTRAINT entities_kind_check
                CHECK (kind IN ('person', 'organisation', 'place', 'zone', 'programme',
                    'facility', 'event')),
            CONSTRAINT entities_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX entities_created_at_id_idx ON entities (created_at, id);
        CREATE INDEX entities_name_id_idx ON entities (name, id);
        CREATE INDEX entities_updated_at_id_idx ON entities (updated_at, id)
    """)
    op.execute("""
        CREATE TABLE entity_names (
            entity_id uuid NOT NULL,
            name text NOT NULL,
            language text NOT NULL,
            kind text NOT NULL,
            search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT entity_names_pkey PRIMARY KEY (id),
            CONSTRAINT entity_names_kind_check
                CHECK (kind IN ('preferred', 'alias', 'abbreviation')),
            CONSTRAINT entity_names_name_not_blank_check CHECK (btrim(name) <> ''),
            CONSTRAINT entity_names_entity_id_name_language_key UNIQUE (entity_id, name, language),
            CONSTRAINT entity_names_entity_id_fkey
                FOREIGN KEY (entity_id) REFERENCES entities (id) ON DELETE CASCADE
        );
        CREATE INDEX entity_names_name_trgm_idx ON entity_names USING gin (name gin_trgm_ops);
        CREATE INDEX entity_names_search_idx ON entity_names USING gin (search);
        CREATE UNIQUE INDEX entity_names_one_preferred_idx
            ON entity_names (entity_id, language) WHERE kind = 'preferred'
    """)
    # They need each other: the name may follow the entity within the transaction.
    op.execute("""
        ALTER TABLE entities ADD CONSTRAINT entities_id_name_name_language_fkey
            FOREIGN KEY (id, name, name_language)
            REFERENCES entity_names (entity_id, name, language) DEFERRABLE INITIALLY DEFERRED
    """)
    op.execute("""
        CREATE TABLE entity_identifiers (
            entity_id uuid NOT NULL,
            scheme text NOT NULL,
            value text NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT entity_identifiers_pkey PRIMARY KEY (id),
            CONSTRAINT entity_identifiers_scheme_check
                CHECK (scheme IN ('wikidata', 'ror', 'isni', 'orcid', 'viaf', 'geonames', 'lei')),
            CONSTRAINT entity_identifiers_value_not_blank_check CHECK (btrim(value) <> ''),
            CONSTRAINT entity_identifiers_scheme_value_key UNIQUE (scheme, value),
            CONSTRAINT entity_identifiers_entity_id_fkey
                FOREIGN KEY (entity_id) REFERENCES entities (id) ON DELETE CASCADE
        );
        CREATE INDEX entity_identifiers_entity_id_idx ON entity_identifiers (entity_id)
    """)
    op.execute("""
        CREATE TABLE sources (
            csl_type text NOT NULL,
            title text NOT NULL,
            title_supplied boolean NOT NULL DEFAULT false,
            container_title text,
            url text,
            doi text,
            language text,
            issued_edtf text,
            issued daterange,
            issued_note text,
            rights text,
            retracted_at timestamptz,
            search tsvector NOT NULL GENERATED ALWAYS AS
                (to_tsvector('english', title || ' ' || COALESCE(container_title, ''))) STORED,
            external_id text,
            version integer NOT NULL DEFAULT 1,
            created_at timestamptz NOT NULL DEFAULT now(),
            updated_at timestamptz NOT NULL DEFAULT now(),
            deleted_at timestamptz,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT sources_pkey PRIMARY KEY (id),
            CONSTRAINT sources_external_id_check
                CHECK (external_id ~ '^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$'
                    AND char_length(external_id) <= 200),
            CONSTRAINT sources_version_check CHECK (version >= 1),
            CONSTRAINT sources_csl_type_check
                CHECK (csl_type IN ('article', 'article-journal', 'article-magazine',
                    'article-newspaper', 'bill', 'book', 'broadcast', 'chapter', 'classic',
                    'collection', 'dataset', 'document', 'entry', 'entry-dictionary',
                    'entry-encyclopedia', 'event', 'figure', 'graphic', 'hearing',
                    'interview', 'legal_case', 'legislation', 'manuscript', 'map',
                    'motion_picture', 'musical_score', 'pamphlet', 'paper-conference',
                    'patent', 'performance', 'periodical', 'personal_communication', 'post',
                    'post-weblog', 'regulation', 'report', 'review', 'review-book',
                    'software', 'song', 'speech', 'standard', 'thesis', 'treaty',
                    'webpage')),
            CONSTRAINT sources_title_not_blank_check CHECK (btrim(title) <> ''),
            CONSTRAINT sources_issued_with_edtf_check
                CHECK ((issued_edtf IS NULL) = (issued IS NULL)),
            CONSTRAINT sources_issued_in_calendar_check
                CHECK (NOT isempty(issued) AND lower(issued) >= '0001-01-01'
                    AND upper(issued) <= '10000-01-01'),
            CONSTRAINT sources_doi_key UNIQUE (doi),
            CONSTRAINT sources_external_id_key UNIQUE (external_id)
        );
        CREATE INDEX sources_created_at_id_idx ON sources (created_at, id);
        CREATE INDEX sources_issued_asc_idx ON sources (lower(issued), id);
        CREATE INDEX sources_issued_desc_idx ON sources (lower(issued) DESC NULLS LAST, id DESC);
        CREATE INDEX sources_issued_idx ON sources USING gist (issued);
        CREATE INDEX sources_search_idx ON sources USING gin (search);
        CREATE INDEX sources_title_id_idx ON sources (title, id);
        CREATE INDEX sources_title_trgm_idx ON sources USING gin (title gin_trgm_ops);
        CREATE INDEX sources_updated_at_id_idx ON sources (updated_at, id)
    """)
    op.execute("""
        CREATE TABLE source_contributors (
            source_id uuid NOT NULL,
            entity_id uuid NOT NULL,
            role text NOT NULL,
            credited_name text,
            credited_as text,
            ordinal integer NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT source_contributors_pkey PRIMARY KEY (id),
            CONSTRAINT source_contributors_role_check
                CHECK (role IN ('author', 'editor', 'publisher', 'translator')),
            CONSTRAINT source_contributors_source_id_entity_id_role_key
                UNIQUE (source_id, entity_id, role),
            CONSTRAINT source_contributors_source_id_fkey
                FOREIGN KEY (source_id) REFERENCES sources (id) ON DELETE CASCADE,
            CONSTRAINT source_contributors_entity_id_fkey
                FOREIGN KEY (entity_id) REFERENCES entities (id)
        );
        CREATE INDEX source_contributors_entity_id_source_id_idx
            ON source_contributors (entity_id, source_id)
    """)
    op.execute("""
        CREATE TABLE source_captures (
            source_id uuid NOT NULL,
            retrieved_at timestamptz,
            archive_url text,
            media_type text,
            normalization text NOT NULL,
            char_length integer NOT NULL,
            text_sha256 text NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT source_captures_pkey PRIMARY KEY (id),
            CONSTRAINT source_captures_normalization_check CHECK (normalization IN ('nfc-ws1')),
            CONSTRAINT source_captures_text_sha256_check CHECK (text_sha256 ~ '^[0-9a-f]{64}$'),
            CONSTRAINT source_captures_char_length_check CHECK (char_length > 0),
            CONSTRAINT source_captures_source_id_text_sha256_key UNIQUE (source_id, text_sha256),
            CONSTRAINT source_captures_id_source_id_key UNIQUE (id, source_id),
            CONSTRAINT source_captures_source_id_fkey
                FOREIGN KEY (source_id) REFERENCES sources (id) ON DELETE CASCADE
        )
    """)
    op.execute("""
        CREATE TABLE source_relations (
            from_id uuid NOT NULL,
            to_id uuid NOT NULL,
            kind text NOT NULL,
            id uuid NOT NULL DEFAULT uuidv7(),
            CONSTRAINT source_relations_pkey PRIMARY KEY (id),
            CONSTRAINT source_relations_kind_check
                CHECK (kind IN ('copy_of', 'syndicated_from', 'translation_of',
                    'rewrite_of', 'quotes', 'cites')),
            CONSTRAINT source_relations_from_id_to_id_kind_key UNIQUE (from_id, to_id, kind),
            CONSTRAINT source_relations_not_itself_check CHECK (from_id <> to_id),
            CONSTRAINT source_relations_from_id_fkey
                FOREIGN KEY (from_id) REFERENCES sources (id) ON DELETE CASCADE,
            CONSTRAINT source_relations_to_id_fkey FOREIGN KEY (to_id) REFERENCES sources (id)
        );
        CREATE INDEX source_relations_to_id_idx ON source_relations (to_id)
    """)
    op.execute(REFUSE_CYCLE)
    op.execute("""
        CREATE TRIGGER source_relations_refuse_cycle
        AFTER INSERT OR UPDATE OF from_id, to_id ON source_relations
        FOR EACH ROW EXECUTE FUNCTION source_relations_refuse_cycle()
    """)


def downgrade() -> None:
    op.drop_tables(
        "entities",
        "entity_names",
        "entity_identifiers",
        "sources",
        "source_contributors",
        "source_captures",
        "source_relations",
    )
    op.execute("DROP FUNCTION source_relations_refuse_cycle()")
    # The extension stays: it may have been there before.
