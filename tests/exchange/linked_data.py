"""What JSON-LD says, by a processor that reads contexts of this computer only."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from pyld import jsonld
from schema_org import registry

SCHEMA = "https://schema.org/"
_ANNOTATION = Path(__file__).parent / "files" / "anno.jsonld"
_TEXTS = {"Text", "Date", "DateTime"}


@cache
def _schema_context() -> dict[str, Any]:
    """The context of schema.org, which maps each term to the IRI of its name.

    Its ``@vocab`` is left out, so that a processor drops a term that it does not define.
    """
    terms = registry.CLASS_METADATA.keys() | registry.PROPERTY_BY_SCHEMA.keys()
    aliases = {"id": "@id", "type": "@type", "schema": "http://schema.org/"}
    return {"@context": {**aliases, **{term: {"@id": f"schema:{term}"} for term in terms}}}


def _load(url: str, _: object) -> dict[str, Any]:
    contexts = {
        "https://schema.org": _schema_context(),
        "http://www.w3.org/ns/anno.jsonld": json.loads(_ANNOTATION.read_bytes()),
    }
    return {"document": contexts[url.rstrip("/")], "documentUrl": url, "contextUrl": None}


_OPTIONS = {"documentLoader": _load}


def expanded(data: bytes) -> dict[str, dict[str, Any]]:
    """The nodes of a document by their IRI, in expanded form."""
    return {node["@id"]: node for node in jsonld.expand(json.loads(data), _OPTIONS)}


def quads(data: bytes) -> list[str]:
    """The document as N-Quads."""
    options = {**_OPTIONS, "format": "application/n-quads"}
    found: list[str] = jsonld.to_rdf(json.loads(data), options).splitlines()
    return found


def assert_nothing_is_lost(data: bytes) -> None:
    """Expand the document and compact it again by its context: it is the same, in other aliases."""
    document = json.loads(data)
    found = list(expanded(data).values())
    assert found
    _assert_absolute(found)
    options = {**_OPTIONS, "graph": True}
    again = jsonld.compact(found, document["@context"], options)
    assert _plain(again["@graph"]) == _plain(document["@graph"])


def _assert_absolute(value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _assert_absolute(each)
    elif isinstance(value, dict):
        types = value.get("@type", [])
        keys = [key for key in value if key[0] != "@"]
        for iri in (*keys, *([types] if isinstance(types, str) else types)):
            assert iri.startswith(("http://", "https://", "urn:")), iri
        _assert_absolute(list(value.values()))


def _plain(value: Any) -> Any:
    """The value with the keywords of JSON-LD, and without lists around single values."""
    if isinstance(value, list):
        return _plain(value[0]) if len(value) == 1 else [_plain(each) for each in value]
    if isinstance(value, dict):
        keywords = {"id": "@id", "type": "@type"}
        plain = {keywords.get(name, name): _plain(each) for name, each in value.items()}
        # Case makes no difference in the tag of a language.
        return plain | {"@language": plain["@language"].lower()} if "@language" in plain else plain
    return value


def breaches(value: Any) -> set[tuple[str, str]]:
    """What schema.org does not allow: properties with their class, or with their value.

    Terms of other vocabularies are left out.
    """
    if isinstance(value, list):
        return set().union(*map(breaches, value))
    if not isinstance(value, dict):
        return set()
    found = breaches(list(value.values()))
    classes = _classes(value)
    for name, values in value.items():
        if classes and name[0] != "@" and ":" not in name:
            known = registry.PROPERTY_BY_SCHEMA.get(name)
            if known is None or not classes & set(known.domains):
                found.add((value["@type"], name))
            elif not all(_is_in_range(each, set(known.ranges)) for each in _list(values)):
                found.add((name, str(values)))
    return found


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _classes(node: Any) -> set[str]:
    """The class of a node and all that contain it."""
    kind = node.get("@type") if isinstance(node, dict) else None
    return {kind, *registry.ancestry(kind)} if kind else set()


def _is_in_range(value: Any, ranges: set[str]) -> bool:
    if isinstance(value, dict) and "@value" not in value:
        return bool(_classes(value) & ranges)
    # An IRI stands for a node, whose class is not known here.
    return bool(ranges & _TEXTS) or value.startswith(("http", "urn:"))
