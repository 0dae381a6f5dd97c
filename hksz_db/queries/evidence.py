"""Evidence as its readers see it."""

from sqlalchemy import FromClause

from hksz_db.models import Claim, Entity, Evidence, Source, SourceContributor
from hksz_db.queries.documents import Node, One
from hksz_db.queries.filters import Days, Plain, Related, Relation, Target
from hksz_db.queries.resources import (
    Readable,
    common_fields,
    common_sorts,
    common_targets,
    summary,
    table_of,
)
from hksz_db.queries.sources import contributors
from schemas.evidence import EVIDENCE_FILTERS, EvidenceSchema

_evidence = table_of(Evidence)
_claims = table_of(Claim).alias()


def _source(evidence: FromClause) -> One:
    source = table_of(Source).alias()
    return One(
        source,
        source.c.id == evidence.c.source_id,
        {
            "id": source.c.id,
            "external_id": source.c.external_id,
            "title": source.c.title,
            "issued_edtf": source.c.issued_edtf,
            "contributors": contributors(source),
        },
    )


def evidence_fields(evidence: FromClause) -> dict[str, Node]:
    """The document of a piece of evidence, as it stands within its claim."""
    return {
        "id": evidence.c.id,
        "external_id": evidence.c.external_id,
        "source": _source(evidence),
        "stance": evidence.c.stance,
        "directness": evidence.c.directness,
        "interest": evidence.c.interest,
        "derived_from_id": evidence.c.derived_from_id,
        "capture_id": evidence.c.capture_id,
        "start_char": evidence.c.start_char,
        "end_char": evidence.c.end_char,
        "exact_sha256": evidence.c.exact_sha256,
        "prefix_sha256": evidence.c.prefix_sha256,
        "suffix_sha256": evidence.c.suffix_sha256,
        "page": evidence.c.page,
        "note": evidence.c.note,
        "status": evidence.c.status,
        "added_by": evidence.c.added_by,
        **common_fields(evidence),
    }


def _contributor_name(source: FromClause, role: str) -> Related:
    made = table_of(SourceContributor).alias()
    entities = table_of(Entity).alias()
    on = (made.c.source_id == source.c.id) & (made.c.role == role)
    named = Relation(entities, entities.c.id == made.c.entity_id)
    return Related(Relation(made, on), Related(named, Plain(entities.c.name)))


def evidence_filters(evidence: FromClause) -> dict[str, Target]:
    """The filters on a piece of evidence and on its source."""
    sources = table_of(Source).alias()
    source = Relation(sources, sources.c.id == evidence.c.source_id)
    return {
        "stance": Plain(evidence.c.stance),
        "directness": Plain(evidence.c.directness),
        "interest": Plain(evidence.c.interest),
        "status": Plain(evidence.c.status),
        "added_by": Plain(evidence.c.added_by),
        "source_id": Plain(evidence.c.source_id),
        "source__external_id": Related(source, Plain(sources.c.external_id)),
        "source__title": Related(source, Plain(sources.c.title)),
        "source__csl_type": Related(source, Plain(sources.c.csl_type)),
        "source__issued": Related(source, Days(sources.c.issued)),
        "source__publisher": Related(source, _contributor_name(sources, "publisher")),
        "source__author": Related(source, _contributor_name(sources, "author")),
    }


_CLAIM = Relation(_claims, _claims.c.id == _evidence.c.claim_id)

EVIDENCE = Readable(
    name="evidence",
    singular="evidence",
    table=_evidence,
    fields={
        **evidence_fields(_evidence),
        "claim": summary(Claim, _evidence.c.claim_id, "statement", "status"),
    },
    embeds={},
    schema=EvidenceSchema,
    filters=EVIDENCE_FILTERS,
    targets={
        **common_targets(_evidence),
        **evidence_filters(_evidence),
        "claim_id": Plain(_evidence.c.claim_id),
        "claim__status": Related(_CLAIM, Plain(_claims.c.status)),
        "capture_id": Plain(_evidence.c.capture_id),
        "derived_from_id": Plain(_evidence.c.derived_from_id),
        "start_char": Plain(_evidence.c.start_char),
    },
    sorts=common_sorts(_evidence),
    groups={
        "stance": _evidence.c.stance,
        "directness": _evidence.c.directness,
        "interest": _evidence.c.interest,
        "status": _evidence.c.status,
        "source_id": _evidence.c.source_id,
        "claim_id": _evidence.c.claim_id,
        "added_by": _evidence.c.added_by,
    },
)
