"""CSL-JSON (Citation Style Language 1.0.2) and BibTeX of sources, and of the sources of claims.

docs/reference/formats.md says how they represent names and dates. A truncated file of BibTeX ends
within an entry.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import TypedDict

from hksz_db.database import Prepared
from hksz_db.exchange.format import (
    Document,
    Format,
    Rows,
    array,
    drop_empty,
    of_resources,
    parsed,
)
from hksz_db.queries.document_types import Source
from hksz_db.queries.pages import PageShape, everything_statement, referred_statement

_FIELDS = (
    *("id", "external_id", "csl_type", "title", "container_title", "publisher_place", "url", "doi"),
    *("language", "issued", "rights", "retracted_at", "contributors", "captures"),
)
_CITED = of_resources({"sources": _FIELDS, "claims": ("sources",)})
_NAMES = ("author", "editor", "translator")
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2}|XX))?(?:-([0-9]{2}|XX))?([~?%]?)")
_DECADE = re.compile(r"([0-9]{3})X([~?%]?)")
_FIRST_SEASON = 21
_TYPES = {
    "article-journal": "article",
    "article-magazine": "article",
    "article-newspaper": "article",
    "book": "book",
    "chapter": "incollection",
    "paper-conference": "inproceedings",
    "report": "techreport",
    "thesis": "phdthesis",
}
# Some types have other names for the container and the publisher.
_CONTAINERS = {"article": "journal", "incollection": "booktitle", "inproceedings": "booktitle"}
_PUBLISHERS = {"techreport": "institution", "phdthesis": "school"}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"$\lbrace$",
        "}": r"$\rbrace$",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "#$%&_"},
    }
)
# TeX makes one character of two of these.
_LIGATURE = re.compile(r"(?<=-)-|(?<=')'|(?<=`)`")

CslDate = TypedDict(
    "CslDate",
    {"date-parts": list[list[int]], "season": int, "circa": bool, "literal": str},
    total=False,
)
"""A date of CSL-JSON: its parts or, if they cannot express it, a text."""


def _statement(shape: PageShape) -> Prepared:
    """The statement that selects the sources of a shape, or those of its claims, each once."""
    if shape.resource == "sources":
        return everything_statement(shape)
    return referred_statement(shape, "evidence", "source_id", "sources", _FIELDS)


def _write_csl_json(_: PageShape, rows: Rows) -> Iterator[bytes]:
    return array(_item(document) for document in parsed(rows))


def _citation_id(source: Source) -> str:
    """The key for citations: the external id, otherwise the id as a URN (RFC 9562)."""
    return source["external_id"] or f"urn:uuid:{source['id']}"


def _contributors(source: Source, role: str) -> Iterator[tuple[str, ...]]:
    """The contributors in a role, in printed order: family and given name, or the whole name.

    The name of a person has two parts if it separates them itself: ``Tan, Yifan``. The order of a
    name without a comma is not recorded: compare "Tan Yifan" and "Mary Tan".
    """
    for contributor in source["contributors"]:
        if contributor["role"] == role:
            entity = contributor["entity"]
            name = contributor["credited_name"] or entity["name"]
            family, _, given = (part.strip() for part in name.partition(", "))
            is_split = entity["kind"] == "person" and family and given and "," not in given
            yield (family, given) if is_split else (name,)


def _item(source: Source) -> Document:
    publishers = [", ".join(name) for name in _contributors(source, "publisher")]
    return drop_empty(
        {
            "id": _citation_id(source),
            "type": source["csl_type"],
            "title": source["title"],
            "container-title": source["container_title"],
            **{role: [_csl_name(*name) for name in _contributors(source, role)] for role in _NAMES},
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


def _csl_name(name: str, given: str | None = None) -> dict[str, str]:
    return {"family": name, "given": given} if given else {"literal": name}


def _accessed(source: Source) -> CslDate | None:
    dates = [capture["retrieved_at"] for capture in source["captures"] if capture["retrieved_at"]]
    if not dates:
        return None
    latest = datetime.fromisoformat(max(dates))
    return {"date-parts": [[latest.year, latest.month, latest.day]]}


def csl_date(edtf: str | None) -> CslDate | None:
    """Convert an EDTF expression to a CSL date."""
    if edtf is None:
        return None
    ends = [_csl_date(text) for text in edtf.split("/")]
    parts = [part for end in ends for part in end.get("date-parts", ())]
    has_season = any("season" in end for end in ends)
    if not all(ends) or len(parts) > 2 or (has_season and len(ends) > 1):
        return {"literal": edtf}
    return {**ends[0], **ends[-1], "date-parts": parts}


def _csl_date(edtf: str) -> CslDate:
    """A date that is not a range; empty if date parts cannot express it."""
    if match := _DECADE.fullmatch(edtf):
        decade = int(match[1]) * 10
        return {"date-parts": [[decade], [decade + 9]], "circa": True}
    match = _DATE.fullmatch(edtf)
    if match is None:
        return {}
    year, month, day, qualifier = match.groups()
    if month == "XX" and day not in {None, "XX"}:
        return {}
    numbers = [int(part) for part in (year, month, day) if part and part != "XX"]
    circa: CslDate = {"circa": True} if qualifier else {}
    if len(numbers) < 2 or numbers[1] < _FIRST_SEASON:
        return {"date-parts": [numbers], **circa}
    season = numbers[1] - _FIRST_SEASON + 1
    if season > 4 or day:
        return {}
    return {"date-parts": [numbers[:1]], "season": season, **circa}


def _write_bibtex(_: PageShape, rows: Rows) -> Iterator[bytes]:
    for source in parsed(rows):
        yield _entry(source).encode()


def _entry(source: Source) -> str:
    kind = _TYPES.get(source["csl_type"], "misc")
    # A tilde would end the key; external ids contain no plus sign.
    key = _citation_id(source).replace("~", "+")
    fields = {name: text for name, text in _fields(source, kind).items() if text}
    lines = "".join(f"  {name} = {text},\n" for name, text in fields.items())
    return f"@{kind}{{{key},\n{lines}}}\n\n"


def _fields(source: Source, kind: str) -> dict[str, str | None]:
    return {
        # The inner braces preserve capitals.
        "title": f"{{{{{escaped(source['title'])}}}}}",
        **{role: _people(source, role) for role in _NAMES},
        _CONTAINERS.get(kind, "howpublished"): _braced(source["container_title"]),
        _PUBLISHERS.get(kind, "publisher"): _publishers(source),
        "address": _braced(source["publisher_place"]),
        **_dates(source),
        "doi": _verbatim(source["doi"]),
        "url": _verbatim(source["url"]),
        "language": _braced(source["language"]),
        "copyright": _braced(source["rights"]),
        "pubstate": "{retracted}" if source["retracted_at"] else None,
    }


def _dates(source: Source) -> dict[str, str | None]:
    edtf = source["issued"]["edtf"]
    days = (csl_date(edtf) or {}).get("date-parts")
    if not days:
        return {}
    year, *month = days[0][:2]
    return {
        "year": f"{{{year:04}}}",
        "month": _MONTHS[month[0] - 1] if month and len(days) == 1 else None,
        "date": _verbatim(edtf),
    }


def _people(source: Source, role: str) -> str | None:
    names = [_name(*name) for name in _contributors(source, role)]
    return f"{{{' and '.join(names)}}}" if names else None


def _publishers(source: Source) -> str | None:
    # Each is in braces, because the name of one publisher can have an "and".
    names = [_name(", ".join(name)) for name in _contributors(source, "publisher")]
    return f"{{{' and '.join(names)}}}" if names else None


def _name(name: str, given: str | None = None) -> str:
    return f"{escaped(name)}, {escaped(given)}" if given else f"{{{escaped(name)}}}"


def _braced(text: str | None) -> str | None:
    return None if text is None else f"{{{escaped(text)}}}"


def _verbatim(text: str | None) -> str | None:
    """A URL or a code, which TeX does not interpret; BibTeX would still count its braces."""
    if text is None:
        return None
    return f"{{{text.replace('{', '%7B').replace('}', '%7D').replace(chr(92), '%5C')}}}"


def escaped(text: str) -> str:
    """Escape the text for TeX, on one line."""
    line = " ".join(text.split()).translate(_ESCAPES)
    return _LIGATURE.sub(lambda found: "{}" + found[0], line)


CSL_JSON = Format(
    "csl-json",
    "application/vnd.citationstyles.csl+json",
    "csl.json",
    _CITED,
    _write_csl_json,
    _statement,
)
BIBTEX = Format(
    "bibtex",
    "application/x-bibtex; charset=utf-8",
    "bib",
    _CITED,
    _write_bibtex,
    _statement,
    broken=b"@misc{The export broke off here",
)
