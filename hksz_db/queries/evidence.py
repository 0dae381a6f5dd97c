"""How evidence is read."""

from sqlalchemy import FromClause

from hksz_db.models import Entity, Evidence, Source, SourceContributor, table_of
from hksz_db.queries.derivation import Declared, Targets, document
from hksz_db.queries.documents import One
from hksz_db.queries.filters import Plain, Related, Relation, Target
from hksz_db.queries.readable import Readable
from hksz_db.queries.sources import CONTRIBUTORS
from schemas.evidence import EVIDENCE_FILTERS, EVIDENCE_KINDS, EvidenceSchema, EvidenceSourceSchema

_evidence = table_of(Evidence)


def evidence_fields(evidence: FromClause) -> Declared:
    """The source in the document of a piece of evidence, with its contributors."""
    source = table_of(Source).alias()
    fields = document(source, EvidenceSourceSchema, {"contributors": CONTRIBUTORS})
    return {"source": One(source, source.c.id == evidence.c.source_id, fields)}


def evidence_targets(evidence: FromClause) -> dict[str, Target]:
    """The filters on a piece of evidence and on its source."""
    sources = table_of(Source).alias()
    source = Relation(sources, sources.c.id == evidence.c.source_id)
    declared: dict[str, Target] = {
        f"source__{role}": Related(source, _contributor_name(sources, role))
        for role in ("publisher", "author")
    }
    return Targets(evidence, declared, {"source": source}).of(EVIDENCE_KINDS)


def _contributor_name(source: FromClause, role: str) -> Related:
    contributors = table_of(SourceContributor).alias()
    entities = table_of(Entity).alias()
    on = (contributors.c.source_id == source.c.id) & (contributors.c.role == role)
    entity = Relation(entities, entities.c.id == contributors.c.entity_id)
    return Related(Relation(contributors, on), Related(entity, Plain(entities.c.name)))


EVIDENCE = Readable(
    model=Evidence,
    schema=EvidenceSchema,
    filters=EVIDENCE_FILTERS,
    declared=evidence_fields(_evidence),
    declared_targets=evidence_targets(_evidence),
    tabled=("source.contributors.entity.name",),
    sorted_by=("start_char",),
    grouped_by=("stance", "directness", "interest", "status", "source_id", "claim_id", "added_by"),
)
