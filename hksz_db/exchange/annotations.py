"""Passages of sources as annotations of the W3C Web Annotation model.

Passages with a locator are written, without their text: the database has hashes only, for which the
model has no term.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.domain.strict_json import compact
from hksz_db.domain.vocabulary import Normalization
from hksz_db.exchange.format import (
    Document,
    Format,
    Rows,
    array,
    drop_empty,
    of_resources,
    parsed,
)
from hksz_db.exchange.jsonld import iri
from hksz_db.queries.document_types import Claim, Evidence, Source
from hksz_db.queries.pages import PageShape

CONTEXT = (
    "http://www.w3.org/ns/anno.jsonld",
    # A namespace that needs no host; its terms are the fields of evidence.
    {"hksz": "urn:uuid:5f0c1d1e-6f0b-4b0a-9d55-2f8f0f3f6a11#"},
)
_UNWRITTEN = {"draft", "rejected"}


def _write(_: PageShape, rows: Rows) -> Iterator[bytes]:
    head = b'{"@context":' + compact(CONTEXT) + b',\n"@graph":[\n'
    return array(chain.from_iterable(map(_annotations, parsed(rows))), head, b"\n]}\n")


def _annotations(claim: Claim) -> Iterator[Document]:
    sources = {source["id"]: source for source in claim["sources"]}
    for passage in claim["evidence"]:
        if passage["start_char"] is not None and passage["status"] not in _UNWRITTEN:
            yield {
                "id": iri(passage),
                "type": "Annotation",
                "motivation": "linking",
                "created": passage["created_at"],
                "modified": passage["updated_at"],
                "body": list(_bodies(claim, passage)),
                "target": {
                    "type": "SpecificResource",
                    "source": _source(sources[passage["source"]["id"]]),
                    "selector": _selector(passage),
                },
            }


def _bodies(claim: Claim, passage: Evidence) -> Iterator[Document]:
    yield {"type": "SpecificResource", "purpose": "linking", "source": iri(claim)}
    if claim["external_id"]:
        yield _text("tagging", f"claim:{claim['external_id']}")
    yield _text("tagging", f"stance:{passage['stance']}")
    if passage["note"]:
        yield _text("commenting", passage["note"])


def _text(purpose: str, value: str) -> Document:
    return {"type": "TextualBody", "purpose": purpose, "value": value}


def _source(source: Source) -> Document:
    return drop_empty(
        {
            "id": source["url"] or iri(source),
            "dcterms:title": source["title"],
            "dcterms:identifier": source["external_id"],
        }
    )


def _selector(passage: Evidence) -> Document:
    values: Mapping[str, object] = passage
    own = (*LOCATOR[2:], *LOOSE_LOCATOR, "page")
    return drop_empty(
        {
            "type": "TextPositionSelector",
            "start": passage["start_char"],
            "end": passage["end_char"],
            "hksz:normalization": Normalization.NFC_WS1,
            **{f"hksz:{name}": values[name] for name in own},
        }
    )


WEB_ANNOTATION = Format(
    "web-annotation",
    'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"',
    "annotations.jsonld",
    of_resources({"claims": ("id", "external_id", "evidence", "sources")}),
    _write,
)
