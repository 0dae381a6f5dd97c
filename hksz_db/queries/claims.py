"""How claims are read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    Numeric,
    Text,
    Uuid,
    column,
    func,
    literal_column,
    select,
    text,
    true,
)

from hksz_db.models import (
    Claim,
    ClaimEntity,
    ClaimRelation,
    ClaimTopic,
    ClaimTranslation,
    Corroboration,
    Entity,
    EntityName,
    Evidence,
    Figure,
    Source,
    table_of,
)
from hksz_db.models.claims import COUNTS
from hksz_db.queries.comparisons import claim_comparisons, contested_by, may_have_comparisons
from hksz_db.queries.derivation import Rows, listed
from hksz_db.queries.documents import Group, Json, Many, One, Opaque, Values, decimal, sql_file
from hksz_db.queries.evidence import evidence_fields, evidence_targets
from hksz_db.queries.figures import figure_targets
from hksz_db.queries.filters import InSubquery, Plain, Related, Relation, Target
from hksz_db.queries.keysets import Key
from hksz_db.queries.places import claim_is_under, claims_under
from hksz_db.queries.readable import Joined, Readable, Search
from hksz_db.queries.sources import SOURCE_LISTS
from schemas.claims import CLAIM_FILTERS, ClaimSchema
from schemas.evidence import ClaimEvidenceSchema
from schemas.figures import ClaimFigureSchema
from schemas.sources import ClaimSourceSchema

_claims = table_of(Claim)
_topics = table_of(ClaimTopic).alias()
_linked = table_of(Entity).alias()
_linked_names = table_of(EntityName).alias()
_figures = table_of(Figure).alias()
_evidence = table_of(Evidence).alias()
_sources = table_of(Source).alias()
_counts = table_of(Corroboration).alias("corroborated")  # so named in origins.sql
_sorted_counts = table_of(Corroboration).alias()

_TOPICS = Relation(_topics, _topics.c.claim_id == _claims.c.id, part_of=_topics.c.claim_id)
_LINKS = Rows(ClaimEntity)
_ENTITIES = _LINKS.of(_claims)
_LINK_KEY = _ENTITIES.table.c.entity_id
_ENTITY = Relation(_linked, _linked.c.id == _LINK_KEY, by_key=(_LINK_KEY, _linked.c.id))
_ENTITY_NAMES = Relation(
    _linked_names,
    _linked_names.c.entity_id == _LINK_KEY,
    by_key=(_LINK_KEY, _linked_names.c.entity_id),
)
_FIGURES, _EVIDENCE = (
    Relation(
        part,
        (part.c.claim_id == _claims.c.id) & part.c.deleted_at.is_(None),
        part_of=part.c.claim_id,
    )
    for part in (_figures, _evidence)
)
_SOURCES = Relation(
    _sources,
    _sources.c.id.in_(select(_evidence.c.source_id).where(_EVIDENCE.on).correlate(_claims)),
)
_COUNTS = Relation(_counts, _counts.c.claim_id == _claims.c.id, part_of=_counts.c.claim_id)

# As text, because they call functions of the database whose rows no table describes.
_ORIGINS: ColumnElement[Any] = literal_column(f"({sql_file('origins.sql')})", Json())
_WEIGHED: ColumnElement[Any] = literal_column(f"({sql_file('weighed_evidence.sql')})", Json())
# Once for both of them; the fence keeps it from being repeated.
_WEIGHED_ONCE = (
    text(f"SELECT {sql_file('weighed_passages.sql')} AS passages OFFSET 0")
    .columns(column("passages"))
    .lateral("weighed")
)
_HINTS: ColumnElement[Any] = literal_column(f"({sql_file('hints.sql')})", Json())
# Other changes that affect the origins and the voices cause a recount of the claim, which changes
# its counts or at least their recount_id.
_READ: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sources": {"sources": ("external_id", "title", "retracted_at")},
    "entities": {"entities": ("external_id", "name", "kind")},
}
_AFFECTED = "SELECT claim_id FROM claims_resting_on({sources}, {entities}{between})"
# A hint depends on relations of every kind, some of which bear on no count. The titles in it are
# those of the evidence.
_RELATED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sources": {"source_relations": ("from_id", "to_id", "kind")}
}
_HINTED = """
    SELECT claim_id
    FROM (
        SELECT ARRAY(
            WITH RECURSIVE below AS (
                SELECT unnest({sources}) AS id
                UNION
                SELECT further.id FROM below, LATERAL (
                    SELECT from_id AS id FROM source_relations WHERE to_id = below.id OFFSET 0
                ) AS further
            )
            SELECT id FROM below
        ) AS sources OFFSET 0
    ) AS relating, LATERAL claims_resting_on(relating.sources, '{{}}'{between})
"""
_SIDES = ("for", "against")

_CORROBORATION = One(
    _counts,
    _COUNTS.on,
    {
        "verdict": _counts.c.verdict,
        "recounting": func.awaits_recount(_counts.c.claim_id, type_=Boolean()),
        **{
            side: Group({count: _counts.c[f"{count}_{side}"] for count in COUNTS})
            for side in _SIDES
        },
        "origins": Opaque(_ORIGINS, _counts.c.claim_id, _READ, _AFFECTED),
        "evidence": Opaque(_WEIGHED, _counts.c.claim_id, _READ, _AFFECTED),
        "hints": Opaque(_HINTS, _counts.c.claim_id, _RELATED, _HINTED),
    },
    beside=_WEIGHED_ONCE,
)


def _counts_of(table: FromClause) -> Mapping[str, ColumnElement[int]]:
    """The counts by the name of their filter, which for a claim is the name of the count alone."""
    columns = {f"corroboration__{count}": table.c[f"{count}_for"] for count in COUNTS}
    against = {f"corroboration__{n}_against": table.c[f"{n}_against"] for n in COUNTS}
    return columns | against


def similar_claims(condition: str) -> str:
    """The query for the claims that look like ``claims`` and meet a condition (see its file)."""
    return sql_file("similar_claims.sql").format(condition=condition)


_FINDINGS = ("words", "numbers", "figures", "period")
_found = (
    text(similar_claims("likeness.similarity >= 0.45 OR near.has_equal_figure"))
    .columns(
        column("id", Uuid()),
        *(column(name, Text()) for name in ("external_id", "statement", "status", *_FINDINGS)),
        column("similarity", Numeric()),
        column("likely_same", Boolean()),
    )
    .subquery("found")
)

SIMILAR_CLAIMS = Many(
    _found,
    true(),
    {
        "claim": Group({n: _found.c[n] for n in ("id", "external_id", "statement", "status")}),
        "similarity": decimal(_found.c.similarity),
        **{name: _found.c[name] for name in _FINDINGS},
        "likely_same": _found.c.likely_same,
    },
    order_by=(
        _found.c.likely_same.desc(),
        (_found.c.figures == literal_column("'same'")).desc(),
        _found.c.similarity.desc(),
        _found.c.id.desc(),
    ),
)
"""At most ten live claims that look like a claim, those that are likely the same first.

Claims that share a band (``hksz_db/models/claims.py``) are candidates, and so are those with an
equal figure, whatever their words. Some of them are compared word by word. The cost does not grow
with the number of claims.

``similarity`` compares the trigrams (pg_trgm) of both statements without their numbers. By itself
it would call 47,000 and 41,000 the same, and hardly notice one exchanged word. So two claims are
likely the same only if their modality is the same and neither numbers, figures nor times differ. If
each has words that the other lacks, or the same words in another order (who sold what to whom),
their figures have to agree as well. A word that inverts the meaning of one of them always rules it
out.
"""


def _on(name: str, relation: Relation, targets: dict[str, Target]) -> dict[str, Target]:
    return {f"{name}__{rest}": Related(relation, target) for rest, target in targets.items()}


CLAIMS = Readable(
    model=Claim,
    schema=ClaimSchema,
    filters=CLAIM_FILTERS,
    declared={
        "statements": Rows(ClaimTranslation, ("language",)),
        "topics": Values(_topics.c.topic, _TOPICS.on),
        "relations": Rows(ClaimRelation),
        "entities": _LINKS,
        "figures": listed(_FIGURES, ClaimFigureSchema),
        "evidence": listed(_EVIDENCE, ClaimEvidenceSchema, evidence_fields(_evidence)),
        "sources": listed(_SOURCES, ClaimSourceSchema, SOURCE_LISTS),
        "corroboration": _CORROBORATION,
        "comparisons": claim_comparisons(_claims),
        "contested_by": contested_by(_claims),
        "similar": SIMILAR_CLAIMS,
    },
    default_embeds=("entities", "figures", "evidence"),
    further_embeds=("statements", "sources", "corroboration"),
    asked_embeds=("contested_by", "similar", "comparisons"),
    rare_embeds={"comparisons": may_have_comparisons(_claims)},
    repeating_embeds=("contested_by",),
    parts=("corroboration", "contested_by", "similar"),
    relations={
        "entities": _ENTITIES,
        "figures": _FIGURES,
        "evidence": _EVIDENCE,
        "corroboration": _COUNTS,
    },
    declared_targets={
        "topics": Related(_TOPICS, Plain(_topics.c.topic)),
        "entities__id": Related(_ENTITIES, Plain(_ENTITIES.table.c.entity_id)),
        "entities__external_id": Related(_ENTITIES, Related(_ENTITY, Plain(_linked.c.external_id))),
        "entities__kind": Related(_ENTITIES, Related(_ENTITY, Plain(_linked.c.kind))),
        "entities__name": Related(_ENTITIES, Related(_ENTITY_NAMES, Plain(_linked_names.c.name))),
        "place": InSubquery(_claims.c.id, claims_under, claim_is_under(_claims.c.id)),
        **_on("figures", _FIGURES, figure_targets(_figures)),
        **_on("evidence", _EVIDENCE, evidence_targets(_evidence)),
        **{name: Related(_COUNTS, Plain(column)) for name, column in _counts_of(_counts).items()},
    },
    internal=("redirect_to",),
    tabled=(
        "statements.language",
        "statements.text",
        "statements.translated_by",
        "relations.kind",
        "relations.to.id",
        "entities.entity.name",
        "entities.role",
        "entities.entity.id",
        "figures.as_stated",
        "evidence.stance",
        "evidence.source.id",
        "evidence.source.title",
        "corroboration.verdict",
        *(f"corroboration.{side}.{count}" for side in _SIDES for count in COUNTS),
    ),
    sorted_by=("time", "due"),
    declared_sorts={
        name: Key(column, foreign_id=_sorted_counts.c.claim_id)
        for name, column in _counts_of(_sorted_counts).items()
    },
    grouped_by=("status", "modality", "language", "claimant_id", "reported_by_id"),
    declared_groups={
        "corroboration__verdict": Joined(
            _sorted_counts.c.verdict, _sorted_counts.c.claim_id == _claims.c.id, is_complete=True
        )
    },
    search=Search(_claims.c.search),
)
