"""Corroborations: on how many independent origins each claim rests, kept by the database itself.

Every change that bears on the numbers counts anew what it touched, in its own transaction, whoever
makes it. Writers of evidence hold a lock in common; whoever changes what rests on what holds it
alone. So each count sees all that was written before it, and no two wait for each other in turn.
"""

from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import CorroborationVerdict, SourceRelationKind
from hksz_db.models.base import Base, Kept, install, one_of, quoted

_VERDICT = """CASE
    WHEN origins_for > 0 AND origins_against > 0 THEN 'disputed'
    WHEN origins_against > 0 THEN 'refuted'
    WHEN origins_for > 1 THEN 'corroborated'
    WHEN origins_for = 1 THEN 'single_origin'
    ELSE 'unsupported'
END"""
_ZERO = text("0")
_KEEPING_ORIGIN = (
    SourceRelationKind.COPY_OF,
    SourceRelationKind.SYNDICATED_FROM,
    SourceRelationKind.TRANSLATION_OF,
    SourceRelationKind.REWRITE_OF,
)


class Corroboration(Kept, Base):
    """How many sources and origins speak for a claim and against it, and what that amounts to."""

    __tablename__ = "corroborations"
    __table_args__ = (
        one_of("verdict", CorroborationVerdict),
        CheckConstraint("0 <= origins_for AND origins_for <= sources_for", name="origins_for"),
        CheckConstraint(
            "0 <= origins_against AND origins_against <= sources_against", name="origins_against"
        ),
        Index("corroborations_verdict_claim_id_idx", "verdict", "claim_id"),
        Index("corroborations_origins_for_claim_id_idx", "origins_for", "claim_id"),
        Index("corroborations_origins_against_claim_id_idx", "origins_against", "claim_id"),
    )

    claim_id: Mapped[UUID] = mapped_column(
        ForeignKey("claims.id", ondelete="CASCADE"), primary_key=True
    )
    sources_for: Mapped[int] = mapped_column(server_default=_ZERO)
    origins_for: Mapped[int] = mapped_column(server_default=_ZERO)
    sources_against: Mapped[int] = mapped_column(server_default=_ZERO)
    origins_against: Mapped[int] = mapped_column(server_default=_ZERO)
    verdict: Mapped[str] = mapped_column(Computed(_VERDICT, persisted=True))


# A source that stands so to another is no new origin.
KEEPS_ORIGIN = f"""
CREATE FUNCTION keeps_origin(kind text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind IN ({quoted(_KEEPING_ORIGIN)})
"""
# The three that follow are asked for one claim or passage a time: to plan anew for each would take
# longer than to answer.
# What a passage leads to: through what it derives from, and through the relations of its source
# that make no new origin. The end of each way is an origin.
EVIDENCE_WALK = """
CREATE FUNCTION evidence_walk(passages uuid[])
RETURNS TABLE (evidence_id uuid, passage_id uuid, source_id uuid, is_origin boolean)
LANGUAGE plpgsql STABLE ROWS 4 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE walk AS (
        SELECT id AS evidence_id, id AS passage_id, source_id
        FROM evidence WHERE id = ANY (passages)
        UNION
        SELECT walk.evidence_id, step.passage_id, step.source_id
        FROM walk, LATERAL (
            SELECT original.id AS passage_id, original.source_id
            FROM evidence AS passage
                JOIN evidence AS original ON original.id = passage.derived_from_id
            WHERE passage.id = walk.passage_id
            UNION ALL
            SELECT NULL, to_id FROM source_relations
            WHERE from_id = walk.source_id AND keeps_origin(kind)
        ) AS step
    )
    SELECT walk.evidence_id, walk.passage_id, walk.source_id,
        NOT EXISTS (
            SELECT FROM source_relations WHERE from_id = walk.source_id AND keeps_origin(kind)
        ) AND NOT EXISTS (
            SELECT FROM evidence WHERE id = walk.passage_id AND derived_from_id IS NOT NULL
        )
    FROM walk;
END $$
"""
# The origins of a claim, a row for each passage and each origin that it leads to. ``stands`` is
# false where the source or the origin was retracted; ``counted`` marks the origins that count:
# sources with one origin first, then those with several of which none is counted already, and of
# their origins one. Each side is counted by itself.
CLAIM_ORIGINS = """
CREATE FUNCTION claim_origins(claim uuid)
RETURNS TABLE (
    in_favour boolean, evidence_id uuid, source_id uuid, origin_id uuid,
    stands boolean, counted boolean
) LANGUAGE plpgsql STABLE ROWS 4 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    -- Most claims rest on sources that rest on nothing: it takes a tenth of the time.
    IF NOT EXISTS (
        SELECT FROM evidence
        WHERE claim_id = claim AND (
            derived_from_id IS NOT NULL
            OR EXISTS (
                SELECT FROM source_relations
                WHERE from_id = evidence.source_id
                    AND keeps_origin(kind)
            )
        )
    ) THEN
        RETURN QUERY SELECT evidence.stance <> 'disputes', evidence.id, sources.id, sources.id,
            sources.retracted_at IS NULL, sources.retracted_at IS NULL
        FROM evidence JOIN sources ON sources.id = evidence.source_id
        WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
            AND evidence.status <> 'rejected' AND evidence.stance <> 'mentions';
        RETURN;
    END IF;
    RETURN QUERY WITH RECURSIVE passages AS (
        SELECT evidence.id, evidence.stance <> 'disputes' AS in_favour, evidence.source_id,
            sources.retracted_at IS NULL AS stands
        FROM evidence JOIN sources ON sources.id = evidence.source_id
        WHERE evidence.claim_id = claim AND evidence.deleted_at IS NULL
            AND evidence.status <> 'rejected' AND evidence.stance <> 'mentions'
    ), reached AS (
        SELECT DISTINCT passages.in_favour, passages.id AS evidence_id, passages.source_id,
            sources.id AS origin_id, passages.stands AND sources.retracted_at IS NULL AS stands
        FROM evidence_walk(ARRAY(SELECT id FROM passages)) AS walk
            JOIN passages ON passages.id = walk.evidence_id
            JOIN sources ON sources.id = walk.source_id
        WHERE walk.is_origin
    ), resting AS (
        SELECT in_favour, source_id, array_agg(DISTINCT origin_id) AS origins
        FROM reached WHERE stands GROUP BY in_favour, source_id
    ), queue AS (
        SELECT in_favour, origins, row_number() OVER (
            PARTITION BY in_favour ORDER BY cardinality(origins), source_id
        ) AS place
        FROM resting
    ), counting (in_favour, place, taken, counted) AS (
        SELECT DISTINCT in_favour, 0::bigint, '{}'::uuid[], '{}'::uuid[] FROM reached
        UNION ALL
        SELECT queue.in_favour, queue.place,
            CASE WHEN origins && taken THEN taken ELSE taken || origins END,
            CASE WHEN origins && taken THEN counted ELSE counted || origins[1] END
        FROM counting JOIN queue
            ON queue.in_favour = counting.in_favour AND queue.place = counting.place + 1
    ), final AS (
        SELECT DISTINCT ON (in_favour) in_favour, counted
        FROM counting ORDER BY in_favour, place DESC
    )
    SELECT reached.in_favour, evidence_id, source_id, origin_id, stands,
        origin_id = ANY (final.counted)
    FROM reached JOIN final ON final.in_favour = reached.in_favour;
END $$
"""
# One way from a passage to an origin, step by step from the passage's source on. Where ways part
# and meet again there are more than anybody could list: of the steps that lead there, the first.
ORIGIN_STEPS = """
CREATE FUNCTION origin_steps(passage uuid, origin uuid)
RETURNS TABLE (step integer, kind text, source_id uuid)
LANGUAGE plpgsql STABLE ROWS 2 SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE walk AS MATERIALIZED (
        SELECT COALESCE(passage_id, source_id) AS node, passage_id, source_id, is_origin
        FROM evidence_walk(ARRAY[passage])
    ), edges AS MATERIALIZED (
        SELECT walk.node, original.node AS next_node, original.source_id, 'derived_from' AS kind
        FROM walk
            JOIN evidence ON evidence.id = walk.passage_id
            JOIN walk AS original ON original.passage_id = evidence.derived_from_id
        UNION ALL
        SELECT walk.node, to_id, to_id, kind
        FROM walk JOIN source_relations ON from_id = walk.source_id AND keeps_origin(kind)
    ), onward AS (
        SELECT node FROM walk WHERE source_id = origin AND is_origin
        UNION
        SELECT edges.node FROM edges JOIN onward ON onward.node = edges.next_node
    ), way AS (
        SELECT 0 AS step, NULL::text AS kind, passage AS node, NULL::uuid AS source_id
        UNION ALL
        SELECT way.step + 1, chosen.kind, chosen.next_node, chosen.source_id
        FROM way, LATERAL (
            SELECT edges.* FROM edges JOIN onward ON onward.node = edges.next_node
            WHERE edges.node = way.node
            ORDER BY edges.source_id <> origin, edges.source_id, edges.kind
            LIMIT 1
        ) AS chosen
    )
    SELECT step, kind, source_id FROM way WHERE step > 0 ORDER BY step;
END $$
"""
RECOUNT_CLAIMS = """
CREATE FUNCTION recount_claims(claim_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Who waits here counts afterwards what the one before has written.
    PERFORM FROM corroborations WHERE claim_id = ANY (claim_ids) ORDER BY claim_id FOR UPDATE;
    INSERT INTO corroborations AS known (
        claim_id, sources_for, origins_for, sources_against, origins_against
    )
    SELECT claims.id,
        count(DISTINCT source_id) FILTER (WHERE in_favour AND stands),
        count(DISTINCT origin_id) FILTER (WHERE in_favour AND stands AND counted),
        count(DISTINCT source_id) FILTER (WHERE NOT in_favour AND stands),
        count(DISTINCT origin_id) FILTER (WHERE NOT in_favour AND stands AND counted)
    FROM claims LEFT JOIN LATERAL claim_origins(claims.id) ON true
    WHERE claims.id = ANY (claim_ids)
    GROUP BY claims.id ORDER BY claims.id
    ON CONFLICT (claim_id) DO UPDATE SET
        sources_for = excluded.sources_for,
        origins_for = excluded.origins_for,
        sources_against = excluded.sources_against,
        origins_against = excluded.origins_against
    WHERE (
        known.sources_for, known.origins_for, known.sources_against, known.origins_against
    ) <> (
        excluded.sources_for, excluded.origins_for,
        excluded.sources_against, excluded.origins_against
    );
END $$
"""
# All claims that these passages bear on, or those that derive from them.
RECOUNT_PASSAGES = """
CREATE FUNCTION recount_passages(passage_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM recount_claims(ARRAY(
        WITH RECURSIVE resting AS (
            SELECT id, claim_id FROM evidence WHERE id = ANY (passage_ids)
            UNION
            SELECT evidence.id, evidence.claim_id
            FROM evidence JOIN resting ON evidence.derived_from_id = resting.id
        )
        SELECT DISTINCT claim_id FROM resting
    ));
END $$
"""
# All claims that rest on these sources, or on those that rest on them.
RECOUNT_SOURCES = """
CREATE FUNCTION recount_sources(source_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM recount_passages(ARRAY(
        WITH RECURSIVE resting AS (
            SELECT unnest(source_ids) AS id
            UNION
            SELECT from_id
            FROM source_relations JOIN resting ON source_relations.to_id = resting.id
            WHERE keeps_origin(kind)
        )
        SELECT evidence.id FROM evidence JOIN resting ON evidence.source_id = resting.id
    ));
END $$
"""
COUNT_CLAIMS = """
CREATE FUNCTION claims_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO corroborations (claim_id)
    SELECT id FROM added
    WHERE NOT EXISTS (SELECT FROM evidence WHERE claim_id = added.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$
"""
COUNT_EVIDENCE = """
CREATE FUNCTION evidence_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[];
    touched uuid[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(id) FILTER (WHERE derived_from_id IS NOT NULL), array_agg(claim_id)
        INTO moved, touched FROM added;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT NULL, array_agg(claim_id) INTO moved, touched FROM removed;
    ELSE
        SELECT
            array_agg(added.id) FILTER (
                WHERE (added.derived_from_id, added.source_id)
                    IS DISTINCT FROM (removed.derived_from_id, removed.source_id)
            ),
            array_agg(added.claim_id) || array_agg(removed.claim_id)
        INTO moved, touched
        FROM added JOIN removed USING (id)
        WHERE (
            added.claim_id, added.source_id, added.derived_from_id,
            added.stance, added.status, added.deleted_at IS NULL
        ) IS DISTINCT FROM (
            removed.claim_id, removed.source_id, removed.derived_from_id,
            removed.stance, removed.status, removed.deleted_at IS NULL
        );
    END IF;
    IF moved IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_passages(moved);
    END IF;
    IF touched IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock_shared(hashtext('source_relations'));
        PERFORM recount_claims(touched);
    END IF;
    RETURN NULL;
END $$
"""
COUNT_RELATIONS = """
CREATE FUNCTION source_relations_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF keeps_origin(OLD.kind) OR keeps_origin(NEW.kind) THEN
        PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
        PERFORM recount_sources(ARRAY[OLD.from_id, NEW.from_id]);
    END IF;
    RETURN NULL;
END $$
"""
COUNT_SOURCES = """
CREATE FUNCTION sources_count_origins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    PERFORM recount_sources(ARRAY[NEW.id]);
    RETURN NULL;
END $$
"""
TRIGGERS = (
    """
CREATE TRIGGER claims_count_origins AFTER INSERT ON claims
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION claims_count_origins()
""",
    """
CREATE TRIGGER evidence_count_origins_inserted AFTER INSERT ON evidence
REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins()
""",
    """
CREATE TRIGGER evidence_count_origins_updated AFTER UPDATE ON evidence
REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins()
""",
    """
CREATE TRIGGER evidence_count_origins_deleted AFTER DELETE ON evidence
REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION evidence_count_origins()
""",
    """
CREATE TRIGGER source_relations_count_origins
AFTER INSERT OR DELETE OR UPDATE OF from_id, to_id, kind ON source_relations
FOR EACH ROW EXECUTE FUNCTION source_relations_count_origins()
""",
    """
CREATE TRIGGER sources_count_origins AFTER UPDATE OF retracted_at ON sources
FOR EACH ROW WHEN ((OLD.retracted_at IS NULL) <> (NEW.retracted_at IS NULL))
EXECUTE FUNCTION sources_count_origins()
""",
)
install(
    KEEPS_ORIGIN,
    EVIDENCE_WALK,
    CLAIM_ORIGINS,
    ORIGIN_STEPS,
    RECOUNT_CLAIMS,
    RECOUNT_PASSAGES,
    RECOUNT_SOURCES,
    COUNT_CLAIMS,
    COUNT_EVIDENCE,
    COUNT_RELATIONS,
    COUNT_SOURCES,
    *TRIGGERS,
)
