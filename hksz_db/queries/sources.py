"""Sources as their readers see them."""

from sqlalchemy import Date, FromClause, func

from hksz_db.models import Entity, Source, SourceCapture, SourceContributor, SourceRelation
from hksz_db.queries.documents import Many, Node, period, timestamp
from hksz_db.queries.filters import Days, Plain, Related, Relation
from hksz_db.queries.resources import (
    Readable,
    Search,
    SortKey,
    common_fields,
    common_sorts,
    common_targets,
    summary,
    table_of,
)
from schemas.sources import SOURCE_FILTERS, SourceSchema

_sources = table_of(Source)
_contributors = table_of(SourceContributor).alias()
_contributor_entities = table_of(Entity).alias()
_relations = table_of(SourceRelation).alias()
_captures = table_of(SourceCapture).alias()


def contributors(source: FromClause) -> Many:
    """Who made the source, in the printed order."""
    table = table_of(SourceContributor).alias()
    return Many(
        table,
        table.c.source_id == source.c.id,
        {
            "entity": summary(Entity, table.c.entity_id, "name", "kind"),
            "role": table.c.role,
            "credited_name": table.c.credited_name,
            "credited_as": table.c.credited_as,
        },
        order_by=(table.c.ordinal, table.c.id),
    )


def source_fields(source: FromClause) -> dict[str, Node]:
    """The document of a source."""
    captures = table_of(SourceCapture).alias()
    relations = table_of(SourceRelation).alias()
    return {
        "id": source.c.id,
        "external_id": source.c.external_id,
        "csl_type": source.c.csl_type,
        "title": source.c.title,
        "title_supplied": source.c.title_supplied,
        "container_title": source.c.container_title,
        "url": source.c.url,
        "doi": source.c.doi,
        "language": source.c.language,
        "issued": period(source.c.issued_edtf, source.c.issued),
        "issued_note": source.c.issued_note,
        "rights": source.c.rights,
        "retracted_at": timestamp(source.c.retracted_at),
        "contributors": contributors(source),
        "captures": Many(
            captures,
            captures.c.source_id == source.c.id,
            {
                "id": captures.c.id,
                "retrieved_at": timestamp(captures.c.retrieved_at),
                "archive_url": captures.c.archive_url,
                "media_type": captures.c.media_type,
                "normalization": captures.c.normalization,
                "char_length": captures.c.char_length,
                "text_sha256": captures.c.text_sha256,
            },
            order_by=(captures.c.id,),
        ),
        "relations": Many(
            relations,
            relations.c.from_id == source.c.id,
            {"kind": relations.c.kind, "to": summary(Source, relations.c.to_id, "title")},
            order_by=(relations.c.id,),
        ),
        **common_fields(source),
    }


_CONTRIBUTORS = Relation(_contributors, _contributors.c.source_id == _sources.c.id)
_CONTRIBUTOR = Relation(
    _contributor_entities, _contributor_entities.c.id == _contributors.c.entity_id
)
_RELATIONS = Relation(_relations, _relations.c.from_id == _sources.c.id)
_CAPTURES = Relation(_captures, _captures.c.source_id == _sources.c.id)

SOURCES = Readable(
    name="sources",
    singular="source",
    table=_sources,
    fields=source_fields(_sources),
    embeds={},
    schema=SourceSchema,
    filters=SOURCE_FILTERS,
    targets={
        **common_targets(_sources),
        "csl_type": Plain(_sources.c.csl_type),
        "title": Plain(_sources.c.title),
        "title_supplied": Plain(_sources.c.title_supplied),
        "container_title": Plain(_sources.c.container_title),
        "url": Plain(_sources.c.url),
        "doi": Plain(_sources.c.doi),
        "language": Plain(_sources.c.language),
        "issued": Days(_sources.c.issued),
        "retracted_at": Plain(_sources.c.retracted_at),
        "contributors__entity_id": Related(_CONTRIBUTORS, Plain(_contributors.c.entity_id)),
        "contributors__role": Related(_CONTRIBUTORS, Plain(_contributors.c.role)),
        "contributors__name": Related(
            _CONTRIBUTORS, Related(_CONTRIBUTOR, Plain(_contributor_entities.c.name))
        ),
        "relations__to_id": Related(_RELATIONS, Plain(_relations.c.to_id)),
        "relations__kind": Related(_RELATIONS, Plain(_relations.c.kind)),
        "captures__text_sha256": Related(_CAPTURES, Plain(_captures.c.text_sha256)),
    },
    sorts={
        **common_sorts(_sources),
        "title": SortKey(_sources.c.title),
        "issued": SortKey(func.lower(_sources.c.issued, type_=Date()), nullable=True),
    },
    groups={
        "csl_type": _sources.c.csl_type,
        "language": _sources.c.language,
        "container_title": _sources.c.container_title,
    },
    search=Search(_sources.c.search, "english"),
)
