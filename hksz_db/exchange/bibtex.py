r"""BibTeX of sources, in UTF-8.

Names that are no ``Family, Given`` stand in braces of their own, so that BibTeX takes them as a
whole. What TeX would read as a command is written as one (``\&``, ``\textbackslash{}``); braces
are ``$\lbrace$``, because BibTeX counts the others. ``year`` and ``month`` are what
BibTeX knows of dates; ``date`` is the EDTF expression, which BibLaTeX reads.

A file that broke off ends within an entry.
"""

import json
import re
from collections.abc import Iterator

from hksz_db.exchange.csl_json import SOURCE_FIELDS, csl_date
from hksz_db.exchange.format import Document, ExportRequest, Format, of_resources
from hksz_db.exchange.names import citation_id, contributors, parts

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
# What the work stands in, and who brought it out, have other names for some types.
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
# Two in a row are one character to TeX.
_LIGATURE = re.compile(r"(?<=-)-|(?<=')'|(?<=`)`")
# BibTeX ends a key at these; an external id has of them only the tilde, and no plus.
_KEY_REFUSED = str.maketrans({"~": "+"})


def _write(_: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    for document in documents:
        yield entry(json.loads(document)).encode()


def entry(source: Document) -> str:
    """The source as an entry."""
    kind = _TYPES.get(source["csl_type"], "misc")
    key = citation_id(source).translate(_KEY_REFUSED)
    fields = {name: text for name, text in _fields(source, kind).items() if text}
    lines = "".join(f"  {name} = {text},\n" for name, text in fields.items())
    return f"@{kind}{{{key},\n{lines}}}\n\n"


def _fields(source: Document, kind: str) -> dict[str, str | None]:
    return {
        # Twice: the inner braces keep the capitals.
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
    names = [_person(*made) for made in contributors(source, role)]
    return f"{{{' and '.join(names)}}}" if names else None


def _person(name: str, is_person: bool) -> str:
    known = parts(name, is_person)
    return ", ".join(map(escaped, known)) if known else f"{{{escaped(name)}}}"


def _braced(text: str | None) -> str | None:
    return None if text is None else f"{{{escaped(text)}}}"


def _verbatim(text: str | None) -> str | None:
    """An address or a code, which is not read as TeX: only its braces would be counted."""
    if text is None:
        return None
    return f"{{{text.replace('{', '%7B').replace('}', '%7D').replace(chr(92), '%5C')}}}"


def escaped(text: str) -> str:
    """The text as TeX reads it back, on one line."""
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
