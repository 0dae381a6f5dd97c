r"""BibTeX of sources, in UTF-8.

Names that are not ``Family, Given`` are in braces of their own, so that BibTeX does not split them.
Characters that TeX would read as a command are escaped (``\&``, ``\textbackslash{}``); braces are
``$\lbrace$``, because BibTeX counts plain ones. ``year`` and ``month`` are all that BibTeX knows of
dates; ``date`` is the EDTF expression, which BibLaTeX reads.

A truncated file ends within an entry.
"""

import json
import re
from collections.abc import Iterator

from hksz_db.exchange.csl_json import (
    SOURCE_FIELDS,
    citation_id,
    contributors,
    csl_date,
    split_name,
)
from hksz_db.exchange.format import Document, ExportRequest, Format, of_resources

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
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"$\lbrace$",
    "}": r"$\rbrace$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "#$%&_"},
}
_ESCAPED = re.compile(r"[\\{}~^#$%&_]")
# TeX makes one character of two of these.
_LIGATURE = re.compile(r"(?<=-)-|(?<=')'|(?<=`)`")


def _write(_: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    for document in documents:
        yield _entry(json.loads(document)).encode()


def _entry(source: Document) -> str:
    kind = _TYPES.get(source["csl_type"], "misc")
    # A tilde would end the key; external ids contain no plus sign.
    key = citation_id(source).replace("~", "+")
    fields = {name: text for name, text in _fields(source, kind).items() if text}
    lines = "".join(f"  {name} = {text},\n" for name, text in fields.items())
    return f"@{kind}{{{key},\n{lines}}}\n\n"


def _fields(source: Document, kind: str) -> dict[str, str | None]:
    return {
        # The inner braces preserve capitals.
        "title": f"{{{{{escaped(source['title'])}}}}}",
        **{role: _people(source, role) for role in ("author", "editor", "translator")},
        _CONTAINERS.get(kind, "howpublished"): _braced(source["container_title"]),
        _PUBLISHERS.get(kind, "publisher"): _people(source, "publisher"),
        "address": _braced(source["publisher_place"]),
        **_dates(source),
        "doi": _verbatim(source["doi"]),
        "url": _verbatim(source["url"]),
        "language": _braced(source["language"]),
        "copyright": _braced(source["rights"]),
        "pubstate": "{retracted}" if source["retracted_at"] else None,
    }


def _dates(source: Document) -> dict[str, str | None]:
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


def _people(source: Document, role: str) -> str | None:
    names = [_name(*contributor) for contributor in contributors(source, role)]
    return f"{{{' and '.join(names)}}}" if names else None


def _name(name: str, is_person: bool) -> str:
    parts = split_name(name, is_person)
    return ", ".join(map(escaped, parts)) if parts else f"{{{escaped(name)}}}"


def _braced(text: str | None) -> str | None:
    return None if text is None else f"{{{escaped(text)}}}"


def _verbatim(text: str | None) -> str | None:
    """A URL or a code, which TeX does not interpret; BibTeX would still count its braces."""
    if text is None:
        return None
    return f"{{{text.replace('{', '%7B').replace('}', '%7D').replace(chr(92), '%5C')}}}"


def escaped(text: str) -> str:
    """Escape the text for TeX, on one line."""
    plain = _ESCAPED.sub(lambda found: _SPECIAL[found[0]], " ".join(text.split()))
    return _LIGATURE.sub(lambda found: "{}" + found[0], plain)


BIBTEX = Format(
    "bibtex",
    "application/x-bibtex; charset=utf-8",
    "bib",
    of_resources({"sources": SOURCE_FIELDS}),
    _write,
    broken=b"@misc{The export broke off here",
)
