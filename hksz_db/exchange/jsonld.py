"""JSON-LD 1.1 of claims, sources and entities: one document, its context in it.

The terms are those of schema.org for what things are, of PROV-O for who and when, and of CiTO for
what a source does to a claim. A row is ``urn:uuid:`` and its id. Nothing is said that the
documents do not say:

- A claim is a ``Claim``. Its claimant is its author, and what it is attributed to. A source that
  asserts it is an ``appearance`` of it and what it was derived from; one that supports, disputes or
  mentions it is a ``citation``, and CiTO says which of these. Rejected evidence is left out.
- What the origins amount to is a ``ClaimReview`` whose rating has a name (``corroborated``) and no
  number: nobody gave one.
- ``generatedAtTime`` is when the row was made, ``dateModified`` when it was last changed.
- ``datePublished`` is given where the date is certain; ``dcterms:issued`` is always the EDTF
  expression.
- What a source copies, or is syndicated, translated or rewritten from, is what it was derived
  from; what it quotes or cites is a citation. A retraction is ``invalidatedAtTime``.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hksz_db.exchange.format import (
    Document,
    ExportRequest,
    Format,
    array,
    compact,
    of_resources,
    without_nothing,
)

_SCHEMA = "https://schema.org/"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_REFERENCES = (
    *("author", "editor", "publisher", "translator", "about", "appearance", "citation"),
    *("isPartOf", "itemReviewed", "review", "reviewRating", "sameAs", "url", "archivedAt"),
    *("worksFor", "location", "containedInPlace"),
)
_PROV = ("wasAttributedTo", "wasDerivedFrom")
_CITO = ("isSupportedBy", "isDisputedBy", "isDiscussedBy")
CONTEXT: Mapping[str, Any] = {
    "@version": 1.1,
    "@vocab": _SCHEMA,
    "schema": _SCHEMA,
    "prov": "http://www.w3.org/ns/prov#",
    "cito": "http://purl.org/spar/cito/",
    "dcterms": "http://purl.org/dc/terms/",
    **{name: {"@id": f"schema:{name}", "@type": "@id"} for name in _REFERENCES},
    **{f"prov:{name}": {"@type": "@id"} for name in _PROV},
    **{f"cito:{name}": {"@type": "@id"} for name in _CITO},
    "dateModified": {"@id": "schema:dateModified", "@type": f"{_XSD}dateTime"},
    # schema.org has a type of its own for what may be a year.
    "datePublished": {"@id": "schema:datePublished", "@type": "schema:Date"},
    "prov:generatedAtTime": {"@type": f"{_XSD}dateTime"},
    "prov:invalidatedAtTime": {"@type": f"{_XSD}dateTime"},
    "dcterms:issued": {"@type": "http://id.loc.gov/datatypes/edtf/EDTF"},
}
_WORKS = {
    "article": "Article",
    "article-journal": "ScholarlyArticle",
    "article-magazine": "Article",
    "article-newspaper": "NewsArticle",
    "book": "Book",
    "chapter": "Chapter",
    "collection": "Collection",
    "dataset": "Dataset",
    "legislation": "Legislation",
    "manuscript": "Manuscript",
    "map": "Map",
    "motion_picture": "Movie",
    "musical_score": "SheetMusic",
    "paper-conference": "ScholarlyArticle",
    "periodical": "Periodical",
    "post": "SocialMediaPosting",
    "post-weblog": "BlogPosting",
    "report": "Report",
    "review": "Review",
    "review-book": "Review",
    "thesis": "Thesis",
    "webpage": "WebPage",
}
_ENTITIES = {
    "person": "Person",
    "organisation": "Organization",
    "place": "Place",
    "zone": "Place",
    "facility": "Place",
    "event": "Event",
    "programme": "Thing",
}
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
_DERIVING = {"copy_of", "syndicated_from", "translation_of", "rewrite_of"}
_CERTAIN = re.compile(r"[0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?")


def _write(asked: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    node = _NODES[asked.resource]
    head = b'{"@context":' + compact(CONTEXT) + b',\n"@graph":[\n'
    return array((node(json.loads(document)) for document in documents), head, b"\n]}\n")


def _id(row: Document | None) -> str | None:
    return None if row is None else f"urn:uuid:{row['id']}"


def _reference(row: Document | None, kind: str) -> Document | None:
    return None if row is None else {"@id": _id(row), "@type": kind, "name": row["name"]}


def _entity_reference(entity: Document | None) -> Document | None:
    return None if entity is None else _reference(entity, _ENTITIES[entity["kind"]])


def _record(row: Document) -> Document:
    return {
        "identifier": row["external_id"],
        "prov:generatedAtTime": row["created_at"],
        "dateModified": row["updated_at"],
    }


def claim_node(claim: Document) -> Document:
    """The claim as a node."""
    accepted = [passage for passage in claim["evidence"] if passage["status"] != "rejected"]
    by_stance = {
        stance: _sources(passage for passage in accepted if passage["stance"] == stance)
        for stance in ("asserts", *_STANCES)
    }
    citing = {source["@id"]: source for stance in _STANCES for source in by_stance[stance]}
    return without_nothing(
        {
            "@id": _id(claim),
            "@type": "Claim",
            "text": claim["statement"],
            "inLanguage": claim["language"],
            "creativeWorkStatus": claim["status"],
            "keywords": claim["topics"],
            "author": _entity_reference(claim["claimant"]),
            "prov:wasAttributedTo": _id(claim["claimant"]),
            "about": [_entity_reference(link["entity"]) for link in claim["entities"]],
            "appearance": by_stance["asserts"],
            "prov:wasDerivedFrom": [source["@id"] for source in by_stance["asserts"]],
            "citation": list(citing.values()),
            **{term: [s["@id"] for s in by_stance[stance]] for stance, term in _STANCES.items()},
            "review": _review(claim),
            **_record(claim),
        }
    )


def _sources(passages: Iterator[Document]) -> list[Document]:
    found = {
        passage["source"]["id"]: {
            "@id": _id(passage["source"]),
            "@type": "CreativeWork",
            "name": passage["source"]["title"],
        }
        for passage in passages
    }
    return list(found.values())


def _review(claim: Document) -> Document:
    found = claim["corroboration"]
    sides = (
        f"{found[side]['origins']} origins {side} it ({found[side]['sources']} sources)"
        for side in ("for", "against")
    )
    rating = {
        "@type": "Rating",
        "alternateName": found["verdict"],
        "ratingExplanation": ", ".join(sides),
    }
    return {
        "@type": "ClaimReview",
        "itemReviewed": _id(claim),
        "reviewAspect": "corroboration",
        "reviewRating": rating,
    }


def source_node(source: Document) -> Document:
    """The source as a node."""
    edtf = source["issued"]["edtf"]
    to = [(relation["kind"] in _DERIVING, _id(relation["to"])) for relation in source["relations"]]
    roles = {
        role: [_credited(made) for made in source["contributors"] if made["role"] == role]
        for role in ("author", "editor", "publisher", "translator")
    }
    container = source["container_title"]
    return without_nothing(
        {
            "@id": _id(source),
            "@type": _WORKS.get(source["csl_type"], "CreativeWork"),
            "name": source["title"],
            "inLanguage": source["language"],
            "isPartOf": {"@type": "CreativeWork", "name": container} if container else None,
            "url": source["url"],
            "sameAs": f"https://doi.org/{source['doi']}" if source["doi"] else None,
            "archivedAt": [h["archive_url"] for h in source["captures"] if h["archive_url"]],
            "datePublished": edtf if edtf and _CERTAIN.fullmatch(edtf) else None,
            "dcterms:issued": edtf,
            "usageInfo": source["rights"],
            **roles,
            "prov:wasAttributedTo": [made["@id"] for made in roles["author"]],
            "prov:wasDerivedFrom": [id for deriving, id in to if deriving],
            "citation": [id for deriving, id in to if not deriving],
            "prov:invalidatedAtTime": source["retracted_at"],
            **_record(source),
        }
    )


def _credited(made: Document) -> Document:
    reference = _entity_reference(made["entity"])
    assert reference is not None
    printed = made["credited_name"]
    if printed and printed != reference["name"]:
        reference["alternateName"] = printed
    return reference


def entity_node(entity: Document) -> Document:
    """The entity as a node."""
    kind = _ENTITIES[entity["kind"]]
    # Those of a certain time are left out: schema.org has no word for when.
    related = [
        (relation["kind"], _entity_reference(relation["object"]))
        for relation in entity["relations"]
        if relation["during"]["edtf"] is None
    ]
    where = "containedInPlace" if kind == "Place" else "location"
    identifiers = {found["scheme"]: found["value"] for found in entity["identifiers"]}
    return without_nothing(
        {
            "@id": _id(entity),
            "@type": kind,
            "name": entity["name"],
            "alternateName": [
                {"@value": known["name"], "@language": known["language"]}
                for known in entity["names"]
                if known["name"] != entity["name"]
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
            **_record(entity),
        }
    )


_NODES: Mapping[str, Callable[[Document], Document]] = {
    "claims": claim_node,
    "sources": source_node,
    "entities": entity_node,
}
_RECORD = ("id", "external_id", "created_at", "updated_at")
_FIELDS = {
    "claims": (
        *_RECORD,
        *("statement", "language", "claimant", "status", "topics"),
        *("entities", "evidence", "corroboration"),
    ),
    "sources": (
        *_RECORD,
        *("csl_type", "title", "container_title", "url", "doi", "language", "issued", "rights"),
        *("retracted_at", "contributors", "captures", "relations"),
    ),
    "entities": (*_RECORD, "kind", "name", "description", "names", "identifiers", "relations"),
}
JSON_LD = Format("jsonld", "application/ld+json", "jsonld", of_resources(_FIELDS), _write)
