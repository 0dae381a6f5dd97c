"""CSL-JSON (Citation Style Language 1.0.2) of sources: an array of items.

A person is ``family`` and ``given`` if the name has a comma, otherwise ``literal``; organisations
are always ``literal``. Approximate and uncertain dates are ``circa``. A date that date parts cannot
express (a set, an open end) is ``literal``, as its EDTF expression.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from hksz_db.exchange.format import Document, ExportRequest, Format, array, drop_empty, of_resources

SOURCE_FIELDS = (
    *("id", "external_id", "csl_type", "title", "container_title", "publisher_place", "url", "doi"),
    *("language", "issued", "rights", "retracted_at", "contributors", "captures"),
)
_NAMES = ("author", "editor", "translator")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}|XX))?(?:-([0-9]{2}|XX))?([~?%]?)")
_DECADE = re.compile(r"([0-9]{3})X([~?%]?)")
_FIRST_SEASON = 21


def _write(_: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    return array(_item(json.loads(document)) for document in documents)


def citation_id(source: Document) -> str:
    """The key for citations: the external id, otherwise the id as a URN (RFC 9562)."""
    return source["external_id"] or f"urn:uuid:{source['id']}"


def contributors(source: Document, role: str) -> Iterator[tuple[str, bool]]:
    """The contributors in a role, in printed order: the name, as credited if known; is a person."""
    for contributor in source["contributors"]:
        if contributor["role"] == role:
            entity = contributor["entity"]
            yield contributor["credited_name"] or entity["name"], entity["kind"] == "person"


def split_name(name: str, is_person: bool) -> tuple[str, str] | None:
    """Family and given name if the name itself separates them: ``Tan, Yifan``.

    The order of a name without a comma is not recorded: compare "Tan Yifan" and "Mary Tan".
    """
    family, comma, given = name.partition(", ")
    if is_person and comma and family.strip() and given.strip() and "," not in given:
        return family.strip(), given.strip()
    return None


def _item(source: Document) -> Document:
    publishers = [name for name, _ in contributors(source, "publisher")]
    return drop_empty(
        {
            "id": citation_id(source),
            "type": source["csl_type"],
            "title": source["title"],
            "container-title": source["container_title"],
            **{role: [_name(*person) for person in contributors(source, role)] for role in _NAMES},
            "publisher": "; ".join(publishers) or None,
            "publisher-place": source["publisher_place"],
            "issued": csl_date(source["issued"]["edtf"]),
            "accessed": _accessed(source),
            "URL": source["url"],
            "DOI": source["doi"],
            "language": source["language"],
            "license": source["rights"],
            "status": "retracted" if source["retracted_at"] else None,
        }
    )


def _name(name: str, is_person: bool) -> dict[str, str]:
    parts = split_name(name, is_person)
    return {"family": parts[0], "given": parts[1]} if parts else {"literal": name}


def _accessed(source: Document) -> Document | None:
    dates = [capture["retrieved_at"] for capture in source["captures"] if capture["retrieved_at"]]
    if not dates:
        return None
    latest = datetime.fromisoformat(max(dates))
    return {"date-parts": [[latest.year, latest.month, latest.day]]}


class _Date(NamedTuple):
    parts: list[list[int]]
    circa: bool
    season: int | None = None


def csl_date(edtf: str | None) -> Document | None:
    """Convert an EDTF expression to a CSL date."""
    if edtf is None:
        return None
    texts = edtf.split("/")
    ends = [end for text in texts if (end := _parse(text))]
    parts = [part for end in ends for part in end.parts]
    seasons = [end.season for end in ends if end.season]
    if len(ends) < len(texts) or len(parts) > 2 or (seasons and len(texts) > 1):
        return {"literal": edtf}
    date: Document = {"date-parts": parts}
    if seasons:
        date["season"] = seasons[0]
    if any(end.circa for end in ends):
        date["circa"] = True
    return date


def _parse(edtf: str) -> _Date | None:
    if match := _DECADE.fullmatch(edtf):
        decade = int(match[1]) * 10
        return _Date([[decade], [decade + 9]], circa=True)
    match = _DATE.fullmatch(edtf)
    if match is None:
        return None
    year, month, day, qualifier = match.groups()
    if month == "XX" and day not in {None, "XX"}:
        return None
    numbers = [int(part) for part in (year, month, day) if part and part != "XX"]
    if len(numbers) < 2 or numbers[1] < _FIRST_SEASON:
        return _Date([numbers], bool(qualifier))
    season = numbers[1] - _FIRST_SEASON + 1
    return _Date([numbers[:1]], bool(qualifier), season) if season <= 4 and not day else None


CSL_JSON = Format(
    "csl-json",
    "application/vnd.citationstyles.csl+json",
    "csl.json",
    of_resources({"sources": SOURCE_FIELDS}),
    _write,
)
