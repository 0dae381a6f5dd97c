"""Fact checks of claims as ClaimReview, which search engines and ``flask import`` read.

A fact check is accepted evidence on an accepted claim, with the rating that its source gives. Only
what is known is written: there is no rating where none is stated.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from hksz_db.domain.ratings import read_rating
from hksz_db.exchange.format import (
    Document,
    Format,
    Rows,
    array,
    drop_empty,
    of_resources,
    parsed,
)
from hksz_db.exchange.jsonld import (
    AUTHORS,
    WORK_TYPES,
    certain_date,
    claimant,
    credited,
    iri,
)
from hksz_db.exchange.readers.claimreview import UNNAMED
from hksz_db.queries.document_types import Claim, Evidence, Source
from hksz_db.queries.pages import PageShape

_HEAD = b'{"@context":"https://schema.org",\n"@graph":[\n'


def _write(_: PageShape, rows: Rows) -> Iterator[bytes]:
    return array(chain.from_iterable(map(_reviews, parsed(rows))), _HEAD, b"\n]}\n")


def _reviews(claim: Claim) -> Iterator[Document]:
    sources = {source["id"]: source for source in claim["sources"] if not source["retracted_at"]}
    passages = [
        passage
        for passage in claim["evidence"]
        if passage["status"] == claim["status"] == "accepted" and passage["source"]["id"] in sources
    ]
    for passage in passages:
        if passage["rating_as_stated"]:
            yield drop_empty(
                {
                    **_work(sources[passage["source"]["id"]]),
                    "@id": iri(passage),
                    "@type": "ClaimReview",
                    "claimReviewed": claim["statement"],
                    "reviewRating": _rating(passage["rating_as_stated"]),
                    "itemReviewed": _claim(claim, passages, sources),
                }
            )


def _claim(claim: Claim, passages: list[Evidence], sources: dict[str, Source]) -> Document:
    stating = {each["source"]["id"] for each in passages if each["stance"] == "asserts"}
    return drop_empty(
        {
            "@id": iri(claim),
            "@type": "Claim",
            "identifier": claim["external_id"],
            "text": claim["statement"],
            "inLanguage": claim["language"],
            **_claimant(claim),
            "appearance": [_work(source) for id, source in sources.items() if id in stating],
        }
    )


def _claimant(claim: Claim) -> Mapping[str, object]:
    unnamed = claim["claimant"] is None and claim["claimant_as_stated"] == UNNAMED
    return {} if unnamed else claimant(claim)


def _work(source: Source) -> Document:
    made = [(each["role"], credited(each)) for each in source["contributors"]]
    authors = [(role, author) for role, author in made if author["@type"] in AUTHORS]
    return drop_empty(
        {
            "@id": iri(source),
            "@type": WORK_TYPES.get(source["csl_type"], "CreativeWork"),
            "identifier": source["external_id"],
            "name": None if source["title_supplied"] else source["title"],
            "url": source["url"],
            "inLanguage": source["language"],
            "datePublished": certain_date(source["issued"]["edtf"]),
            **{
                name: [author for role, author in authors if role == name]
                for name in ("author", "publisher")
            },
        }
    )


def _rating(text: str) -> Document:
    rating = read_rating(text)
    return drop_empty(
        {
            "@type": "Rating",
            "alternateName": rating.name or None,
            "ratingValue": rating.value or None,
            "worstRating": rating.worst or None,
            "bestRating": rating.best or None,
        }
    )


CLAIM_REVIEW = Format(
    "claimreview",
    'application/ld+json; profile="https://schema.org/ClaimReview"',
    "claimreview.jsonld",
    of_resources(
        {
            "claims": (
                *("id", "external_id", "statement", "language", "claimant", "claimant_as_stated"),
                *("status", "evidence", "sources"),
            )
        }
    ),
    _write,
)
