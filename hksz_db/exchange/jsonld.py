"""JSON-LD 1.1 of claims, sources and entities: one document with its context.

The output says nothing that the documents do not say; docs/reference/formats.md describes it.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

from hksz_db.domain.strict_json import compact
from hksz_db.exchange.format import (
    Document,
    Format,
    Rows,
    array,
    drop_empty,
    of_resources,
    parsed,
)
from hksz_db.queries.document_types import (
    Claim,
    Contributor,
    Entity,
    Evidence,
    Named,
    Reference,
    Row,
    Source,
)
from hksz_db.queries.pages import PageShape

_SCHEMA = "https://schema.org/"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_REFERENCES = (
    *("author", "editor", "publisher", "translator", "about", "appearance", "citation"),
    *("isPartOf", "itemReviewed", "review", "reviewRating", "sameAs", "url", "archivedAt"),
    *("worksFor", "memberOf", "location", "containedInPlace"),
)
_PROV = ("wasAttributedTo", "wasDerivedFrom")
_CITO = ("isSupportedBy", "isDisputedBy", "isDiscussedBy", "corrects", "retracts", "repliesTo")
CONTEXT: Mapping[str, object] = {
    "@version": 1.1,
    "@vocab": _SCHEMA,
    "schema": _SCHEMA,
    "prov": "http://www.w3.org/ns/prov#",
    "cito": "http://purl.org/spar/cito/",
    "dcterms": "http://purl.org/dc/terms/",
    **{name: {"@id": f"schema:{name}", "@type": "@id"} for name in _REFERENCES},
    **{f"prov:{name}": {"@type": "@id"} for name in _PROV},
    **{f"cito:{name}": {"@type": "@id"} for name in _CITO},
    # The type of schema.org, because the value may be a year.
    "datePublished": {"@id": "schema:datePublished", "@type": "schema:Date"},
    "prov:generatedAtTime": {"@type": f"{_XSD}dateTime"},
    "prov:invalidatedAtTime": {"@type": f"{_XSD}dateTime"},
    "dcterms:modified": {"@type": f"{_XSD}dateTime"},
    "dcterms:issued": {"@type": "http://id.loc.gov/datatypes/edtf/EDTF"},
}
_ALIKE = "article book chapter collection dataset legislation manuscript map periodical report"
WORK_TYPES = {
    **{term: term.title() for term in (*_ALIKE.split(), "review", "thesis")},
    "article-journal": "ScholarlyArticle",
    "article-magazine": "Article",
    "article-newspaper": "NewsArticle",
    "motion_picture": "Movie",
    "musical_score": "SheetMusic",
    "paper-conference": "ScholarlyArticle",
    "post": "SocialMediaPosting",
    "post-weblog": "BlogPosting",
    "review-book": "Review",
    "webpage": "WebPage",
}
"""The classes of schema.org for types of CSL; other works are a ``CreativeWork``."""

_ENTITIES = {
    "person": "Person",
    "organisation": "Organization",
    "place": "Place",
    "zone": "Place",
    "facility": "Place",
    "event": "Event",
    "programme": "Thing",
    "group": "Thing",
    "product": "Product",
    "law": "Legislation",
    "industry": "Thing",
    "work": "CreativeWork",
}
AUTHORS = {"Person", "Organization"}
"""The classes of schema.org that can be the author of a work, and a member."""

_WHERE = {"Place": "containedInPlace", "Organization": "location", "Event": "location"}
_STANCES = {
    "supports": "cito:isSupportedBy",
    "disputes": "cito:isDisputedBy",
    "mentions": "cito:isDiscussedBy",
}
_REGISTERS = {
    "wikidata": "http://www.wikidata.org/entity/",
    "ror": "https://ror.org/",
    "isni": "https://isni.org/isni/",
    "orcid": "https://orcid.org/",
    "viaf": "http://viaf.org/viaf/",
    "geonames": "https://sws.geonames.org/",
}
_RELATIONS = {
    **dict.fromkeys(
        ("copy_of", "syndicated_from", "translation_of", "rewrite_of", "version_of", "based_on"),
        "prov:wasDerivedFrom",
    ),
    **dict.fromkeys(("quotes", "cites"), "citation"),
    "corrects": "cito:corrects",
    "retracts": "cito:retracts",
    "replies_to": "cito:repliesTo",
    "part_of": "isPartOf",
}

EntityNode = TypedDict(
    "EntityNode",
    {"@id": str, "@type": str, "name": str, "alternateName": NotRequired[str]},
)
"""A reference to an entity."""

_CERTAIN = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?")


def _write(shape: PageShape, rows: Rows) -> Iterator[bytes]:
    describe = _DESCRIBE[shape.resource]
    head = b'{"@context":' + compact(CONTEXT) + b',\n"@graph":[\n'
    return array((_node(row, describe(row)) for row in parsed(rows)), head, b"\n]}\n")


def _node(row: Row, description: Document) -> Document:
    return drop_empty(
        {
            "@id": iri(row),
            **description,
            "identifier": row["external_id"],
            "prov:generatedAtTime": row["created_at"],
            "dcterms:modified": row["updated_at"],
        }
    )


def iri(row: Reference) -> str:
    """The IRI of a row."""
    return f"urn:uuid:{row['id']}"


def entity_reference(entity: Named) -> EntityNode:
    """The reference to an entity, with its class and its name."""
    return {"@id": iri(entity), "@type": _ENTITIES[entity["kind"]], "name": entity["name"]}


def _claim(claim: Claim) -> Document:
    passages = [
        passage for passage in claim["evidence"] if passage["status"] not in {"draft", "rejected"}
    ]
    by_stance = {
        stance: _sources(passage for passage in passages if passage["stance"] == stance)
        for stance in ("asserts", *_STANCES)
    }
    citing = {source["@id"]: source for stance in _STANCES for source in by_stance[stance]}
    return {
        "@type": "Claim",
        "text": claim["statement"],
        "inLanguage": claim["language"],
        "workTranslation": [
            {"@type": "Claim", "inLanguage": each["language"], "text": each["text"]}
            for each in claim["statements"]
        ],
        "creativeWorkStatus": claim["status"],
        "keywords": claim["topics"],
        **claimant(claim),
        "prov:wasAttributedTo": claim["claimant"] and iri(claim["claimant"]),
        "about": [entity_reference(link["entity"]) for link in claim["entities"]],
        "appearance": by_stance["asserts"],
        "prov:wasDerivedFrom": [source["@id"] for source in by_stance["asserts"]],
        "citation": list(citing.values()),
        **{term: [s["@id"] for s in by_stance[stance]] for stance, term in _STANCES.items()},
        "review": _review(claim),
    }


def claimant(claim: Claim) -> Mapping[str, object]:
    """The author of the claim, or the words for those whom schema.org does not accept as one."""
    stated, entity = claim["claimant_as_stated"], claim["claimant"]
    if entity is None:
        return {"creditText": stated}
    author = with_alternate_name(entity_reference(entity), stated)
    return {"author": author} if author["@type"] in AUTHORS else {"creditText": author["name"]}


def _sources(passages: Iterator[Evidence]) -> list[dict[str, str]]:
    sources = {passage["source"]["id"]: passage["source"] for passage in passages}
    return [
        {"@id": iri(source), "@type": "CreativeWork", "name": source["title"]}
        for source in sources.values()
    ]


def _review(claim: Claim) -> Document:
    counts = claim["corroboration"]
    sides = (
        f"{side['origins']} origins {word} it ({side['sources']} sources)"
        for word, side in (("for", counts["for"]), ("against", counts["against"]))
    )
    return {
        "@type": "ClaimReview",
        "itemReviewed": iri(claim),
        "reviewAspect": "corroboration",
        "reviewRating": {
            "@type": "Rating",
            "alternateName": counts["verdict"],
            "ratingExplanation": ", ".join(sides),
        },
    }


def _source(source: Source) -> Document:
    edtf = source["issued"]["edtf"]
    related: dict[str, list[object]] = defaultdict(list)
    if source["container_title"]:
        related["isPartOf"].append({"@type": "CreativeWork", "name": source["container_title"]})
    for relation in source["relations"]:
        related[_RELATIONS[relation["kind"]]].append(iri(relation["to"]))
    roles = {
        role: [
            credited(contributor)
            for contributor in source["contributors"]
            if contributor["role"] == role
        ]
        for role in ("author", "editor", "publisher", "translator")
    }
    return {
        "@type": WORK_TYPES.get(source["csl_type"], "CreativeWork"),
        "name": source["title"],
        "inLanguage": source["language"],
        "url": source["url"],
        "sameAs": f"https://doi.org/{source['doi']}" if source["doi"] else None,
        "archivedAt": [c["archive_url"] for c in source["captures"] if c["archive_url"]],
        "datePublished": certain_date(edtf),
        "dcterms:issued": edtf,
        "dcterms:rights": source["rights"],
        **roles,
        "prov:wasAttributedTo": [author["@id"] for author in roles["author"]],
        **related,
        "prov:invalidatedAtTime": source["retracted_at"],
    }


def certain_date(edtf: str | None) -> str | None:
    """The date, unless it is uncertain, approximate or a range."""
    return edtf if edtf and _CERTAIN.fullmatch(edtf) else None


def credited(contributor: Contributor) -> EntityNode:
    """The reference to the entity of a contributor, with the name that is printed."""
    reference = entity_reference(contributor["entity"])
    return with_alternate_name(reference, contributor["credited_name"])


def with_alternate_name(reference: EntityNode, name: str | None) -> EntityNode:
    """The reference to an entity, with the name that it has in the text."""
    if name is None or name == reference["name"]:
        return reference
    return {**reference, "alternateName": name}


def _entity(entity: Entity) -> Document:
    kind = _ENTITIES[entity["kind"]]
    # Relations that are limited in time are left out: schema.org has no property for the time.
    related = [
        (relation["kind"], entity_reference(relation["object"]))
        for relation in entity["relations"]
        if relation["during"]["edtf"] is None
    ]
    # Other classes of schema.org have no such property.
    where = _WHERE.get(kind, "dcterms:spatial")
    whole = "memberOf" if kind in AUTHORS else "dcterms:isPartOf"
    identifiers = {each["scheme"]: each["value"] for each in entity["identifiers"]}
    return {
        "@type": kind,
        "name": entity["name"],
        "alternateName": [
            {"@value": name["name"], "@language": name["language"]}
            for name in entity["names"]
            if name["name"] != entity["name"]
        ],
        "description": entity["description"],
        "sameAs": [
            f"{address}{identifiers[scheme].replace(' ', '')}"
            for scheme, address in _REGISTERS.items()
            if scheme in identifiers
        ],
        "leiCode": identifiers.get("lei"),
        where: [to for relation, to in related if relation == "located_in"],
        "worksFor": [to for relation, to in related if relation == "works_for"],
        whole: [to for relation, to in related if relation == "member_of"],
    }


_DESCRIBE: Mapping[str, Callable[[Any], Document]] = {
    "claims": _claim,
    "sources": _source,
    "entities": _entity,
}
_RECORD = ("id", "external_id", "created_at", "updated_at")
_FIELDS = {
    "claims": (
        *_RECORD,
        *("statement", "language", "statements", "claimant", "claimant_as_stated", "status"),
        *("topics", "entities", "evidence", "corroboration"),
    ),
    "sources": (
        *_RECORD,
        *("csl_type", "title", "container_title", "url", "doi", "language", "issued", "rights"),
        *("retracted_at", "contributors", "captures", "relations"),
    ),
    "entities": (*_RECORD, "kind", "name", "description", "names", "identifiers", "relations"),
}
JSON_LD = Format("jsonld", "application/ld+json", "jsonld", of_resources(_FIELDS), _write)
