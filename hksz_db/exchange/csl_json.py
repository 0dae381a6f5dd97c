"""CSL-JSON (Citation Style Language 1.0.2) of sources: an array of items.

A person is ``family`` and ``given`` where the name has a comma, else ``literal``, as organisations
always are. A date that is approximate or uncertain is ``circa``; one that date parts cannot say (a
set, an open end) is ``literal``, as the EDTF expression that it is.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hksz_db.exchange.format import (
    Document,
    ExportRequest,
    Format,
    array,
    of_resources,
    without_nothing,
)
from hksz_db.exchange.names import citation_id, contributors, parts

SOURCE_FIELDS = (
    *("id", "external_id", "csl_type", "title", "container_title", "publisher_place", "url", "doi"),
    *("language", "issued", "rights", "retracted_at", "contributors", "captures"),
)
_NAMES = ("author", "editor", "translator")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}|XX))?(?:-([0-9]{2}|XX))?([~?%]?)")
_DECADE = re.compile(r"([0-9]{3})X([~?%]?)")
_FIRST_SEASON = 21


def _write(_: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    return array(item(json.loads(document)) for document in documents)


def item(source: Document) -> Document:
    """The source as an item."""
    publishers = [name for name, _ in contributors(source, "publisher")]
    return without_nothing(
        {
            "id": citation_id(source),
            "type": source["csl_type"],
            "title": source["title"],
            "container-title": source["container_title"],
            **{role: [_name(*made) for made in contributors(source, role)] for role in _NAMES},
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
    known = parts(name, is_person)
    return {"family": known[0], "given": known[1]} if known else {"literal": name}


def _accessed(source: Document) -> Document | None:
    retrieved = [held["retrieved_at"] for held in source["captures"] if held["retrieved_at"]]
    if not retrieved:
        return None
    day = datetime.fromisoformat(max(retrieved))
    return {"date-parts": [[day.year, day.month, day.day]]}


def csl_date(edtf: str | None) -> Document | None:
    """The EDTF expression as a date of CSL."""
    if edtf is None:
        return None
    found = [_parts(end) for end in edtf.split("/")]
    known = [part for part in found if part is not None]
    seasons = [part["season"] for part in known if "season" in part]
    if len(known) < len(found) or (seasons and len(found) > 1):
        return {"literal": edtf}
    date: dict[str, Any] = {"date-parts": [day for part in known for day in part["days"]]}
    if len(date["date-parts"]) > 2:
        return {"literal": edtf}
    if seasons:
        date["season"] = seasons[0]
    return {**date, "circa": True} if any(part["circa"] for part in known) else date


def _parts(edtf: str) -> dict[str, Any] | None:
    if match := _DECADE.fullmatch(edtf):
        decade = int(match[1]) * 10
        return {"days": [[decade], [decade + 9]], "circa": True}
    match = _DATE.fullmatch(edtf)
    if match is None:
        return None
    year, month, day, doubt = match.groups()
    numbers = [int(part) for part in (year, month, day) if part and part != "XX"]
    if month == "XX" and day not in (None, "XX"):
        return None
    found: dict[str, Any] = {"circa": bool(doubt)}
    if len(numbers) == 2 and numbers[1] >= _FIRST_SEASON:
        found["season"] = numbers.pop() - _FIRST_SEASON + 1
        if found["season"] > 4:
            return None
    return {**found, "days": [numbers]}


CSL_JSON = Format(
    "csl-json",
    "application/vnd.citationstyles.csl+json",
    "csl.json",
    of_resources({"sources": SOURCE_FIELDS}),
    _write,
)
