"""The search page: claims that meet a question, a page at a time.

It takes the parameters of ``GET /v1/claims``, so that the same query string gives the same claims
in every format.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request
from markupsafe import Markup

from hksz_db.domain.han import spellings
from hksz_db.domain.languages import Preference
from hksz_db.domain.search_terms import any_of_terms, typed_terms
from hksz_db.domain.urls import canonical_url
from hksz_db.http import documents
from hksz_db.http.costs import Cost, Weight, costs
from hksz_db.queries.document_types import Claim, Named, Source
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import LIST, Question, read_list
from hksz_db.queries.registry import RESOURCES
from hksz_db.web import facets
from hksz_db.web.foreign import within
from hksz_db.web.interface import names_preferred
from hksz_db.web.labels import field_in_words
from hksz_db.web.reading import list_formats
from hksz_db.web.site import FormatLink, Option, given, here, pages, shown
from hksz_db.web.translating import gettext, ngettext
from hksz_db.web.translating import marked as _
from hksz_db.web.verdicts import Marks, marks_of
from hksz_db.web.wording import number_in_words, time_in_words

_CLAIMS, _ENTITIES, _SOURCES = RESOURCES["claims"], RESOURCES["entities"], RESOURCES["sources"]
_FIELDS = (
    *("id", "statement", "language", "claimant", "claimant_as_stated", "reported_by"),
    *("modality", "status", "time", "figures", "corroboration"),
)
_SORT, _CURSOR, _SEARCH = "sort", "cursor", "q"
_BEST_FOUNDED = "-corroboration__origins,-id"
_FORMATS = (
    *(("CSV", "csv"), ("JSON-LD", "jsonld"), ("Parquet", "parquet")),
    (_("BibTeX of the sources"), "bibtex"),
)
_MOST_NAMES = 5
_SOURCE = "evidence__source_id"
_ENTITY = ("entities", "id", "name")
_ROWS = {
    **dict.fromkeys(("entities__id", "place__under", "claimant_id", "reported_by_id"), _ENTITY),
    "figures__subject_id": _ENTITY,
    "figures__metric": ("metrics", "key", "label"),
    "figures__metric_id": ("metrics", "id", "label"),
    _SOURCE: ("sources", "id", "title"),
}
"""The filters that select a row: its resource, the field that they give, and that of its name."""

_TITLES: Mapping[str, str] = {
    "place__under": _("Place, including places within it"),
    "claimant_id": _("Said by"),
    "reported_by_id": _("Reported by"),
    "entities__id": _("Entity"),
    "entities__role": _("Role of the entity"),
    "figures__subject_id": _("Figures about"),
    "figures__metric": _("What is counted"),
    "figures__metric_id": _("What is counted"),
    _SOURCE: _("Passages of the source"),
}
"""What the page calls filters that are not called what their fields are called."""

_OPERATORS: Mapping[str, str] = {
    "ne": "≠",
    "gt": ">",
    "gte": "≥",
    "lt": "<",
    "lte": "≤",
    "in": _("one of"),
    "contains": _("contains"),
    "startswith": _("begins with"),
    "isnull": _("missing"),
    "within": _("within"),
    "certainly_within": _("certainly within"),
    "under": _("within"),
    "under_external_id": _("within"),
}

_UNCOUNTED = facets.Facets([], 0, False, {}, {}, {})
_FEW = 10
"""Below this many claims, the page offers a wider search."""

ORDERS = (
    (_BEST_FOUNDED, _("best supported first")),
    ("", _("best match first")),
    ("-time,-id", _("latest time first")),
    ("time,id", _("earliest time first")),
    ("-id", _("last added first")),
)
"""The orders that the page offers: the value of ``sort``, and its label."""

_ADDRESS = re.compile(r"https?://\S+|(?:[\w-]+\.)+[a-z]{2,}/\S+", re.IGNORECASE)
_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.IGNORECASE)


class Hit(NamedTuple):
    """A claim as a row of the list."""

    claim: Claim
    statement: Markup
    when: str
    marks: Marks


class Chip(NamedTuple):
    """A parameter that is applied, and the page without it."""

    name: str
    value: str
    url: str


@pages.get("/claims")
@costs(Cost.COSTLY, Weight.SEARCH)
def search() -> Response:
    """The claims that meet a question."""
    pairs = given(facets.PARAMETER)
    question = _question(pairs)
    preferred = names_preferred(question.lang)
    question, source = at_address(question)
    page = documents.page(_CLAIMS, question, preferred)
    claims: list[Claim] = json.loads(page.data)
    pattern = _pattern(question.search or "")
    names = _names(question, preferred) if source is None else []
    next_cursor = page.meta["next_cursor"]
    are_few = len(claims) < _FEW and question.cursor is None and next_cursor is None
    counted = facets.facets_of(question, _most_values(), preferred)
    return shown(
        "search.html",
        searched=dict(pairs).get(_SEARCH, ""),
        source=source,
        hits=[_hit(claim, pattern) for claim in claims],
        names=names,
        orders=_orders(question, dict(pairs)),
        kept=[pair for pair in pairs if pair[0] not in {_SORT, _CURSOR, _SEARCH}],
        chips=[*_chips(pairs, counted or _UNCOUNTED, question, preferred)],
        facets=[] if counted is None else counted.shown,
        total="" if counted is None else _total(counted),
        wider=_wider(question.search or "") if are_few else None,
        next_page=None if next_cursor is None else here(cursor=next_cursor),
        first_page=None if question.cursor is None else here(cursor=None),
        formats=_formats(pairs, source),
        feed=_feed(pairs),
    )


def _question(pairs: Sequence[tuple[str, str]]) -> Question:
    """The question in the query string, in the order that the page has without another."""
    question = replace(read_list(_CLAIMS.name, pairs), fields=_FIELDS)
    if question.search is None and not any(name == _SORT for name, _text in pairs):
        question = replace(question, sort=_sort(_BEST_FOUNDED))
    return question


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    return tuple((each.removeprefix("-"), each.startswith("-")) for each in text.split(","))


def address_or_doi(text: str) -> Criterion | None:
    """The filter of sources for an address or a DOI, if the text is one."""
    text = text.strip()
    if doi := _DOI.fullmatch(text):
        return Criterion("doi", "eq", doi[1].lower())
    if not _ADDRESS.fullmatch(text):
        return None
    address = text if "://" in text else f"https://{text}"
    return Criterion("canonical_url", "eq", canonical_url(address))


def at_address(question: Question) -> tuple[Question, Source | None]:
    """The question about the claims of a source, if its address is searched, and that source."""
    source = _source_at(question)
    if source is None:
        return question, None
    of_source = Criterion(_SOURCE, "eq", source["id"])
    sort = question.sort or _sort(_BEST_FOUNDED)
    return replace(question, search=None, sort=sort).narrowed(of_source), source


def _source_at(question: Question) -> Source | None:
    """The source whose address or DOI is searched, if it is known."""
    criterion = address_or_doi(question.search or "")
    if criterion is None:
        return None
    asked = Question(
        AllOf((criterion,)),
        sort=(("id", False),),
        fields=("id", "title", "language"),
        per_page=1,
        as_of=question.as_of,
    )
    found: list[Source] = json.loads(documents.page(_SOURCES, asked, None).data)
    return found[0] if found else None


def _names(question: Question, preferred: Preference | None) -> list[Named]:
    """The entities whose names have the words that are searched, on the first page only."""
    if question.search is None or question.cursor is not None:
        return []
    asked = Question(
        search=question.search, fields=("id", "name"), per_page=_MOST_NAMES, as_of=question.as_of
    )
    found: list[Named] = json.loads(documents.page(_ENTITIES, asked, preferred).data)
    return found


def _hit(claim: Claim, pattern: re.Pattern[str] | None) -> Hit:
    return Hit(
        claim,
        _highlighted(claim["statement"], pattern, claim["language"]),
        time_in_words(_time(claim)),
        marks_of(claim["corroboration"]),
    )


def _time(claim: Claim) -> str | None:
    """The time of the claim or, if it states none, that of the figure which the row shows."""
    times = [claim["time"], *(each["period"] for each in claim["figures"][:1])]
    return next((each["edtf"] for each in times if each["edtf"]), None)


def _pattern(searched: str) -> re.Pattern[str] | None:
    """What to mark in the statements: the words and phrases that are searched, in both scripts."""
    words = [term.text for term in typed_terms(searched) if term and not term.is_excluded]
    found = [*dict.fromkeys(form for word in words for form in spellings(word))]
    if not found:
        return None
    return re.compile("|".join(map(re.escape, sorted(found, key=len, reverse=True))), re.IGNORECASE)


def _wider(searched: str) -> str | None:
    """The page with the claims that have any of the words; ``None`` if all are not required now."""
    any_of = any_of_terms(searched)
    return None if any_of is None else here(q=any_of)


def _highlighted(statement: str, pattern: re.Pattern[str] | None, language: str) -> Markup:
    if pattern is None:
        return within(statement, language)
    pieces, end = Markup(), 0
    for found in pattern.finditer(statement):
        pieces += within(statement[end : found.start()], language)
        pieces += Markup("<mark>{}</mark>").format(within(found[0], language))
        end = found.end()
    return pieces + within(statement[end:], language)


def _orders(question: Question, given_: Mapping[str, str]) -> list[Option]:
    chosen = given_.get(_SORT, "" if question.search is not None else _BEST_FOUNDED)
    return [
        Option(value, gettext(label), value == chosen)
        for value, label in ORDERS
        # Without a search there is no match to be better than another.
        if value or question.search is not None
    ]


def _most_values() -> int:
    asked = request.args.get(facets.PARAMETER, "")
    return facets.EVERY if asked == str(facets.EVERY) else facets.MOST


def _total(counted: facets.Facets) -> str:
    if counted.is_all:
        return ngettext("%(num)s claim", "%(num)s claims", counted.total)
    return gettext("More than %(number)s claims", number=number_in_words(counted.total))


def _chips(
    pairs: Sequence[tuple[str, str]],
    counted: facets.Facets,
    question: Question,
    preferred: Preference | None,
) -> Iterator[Chip]:
    """The filters that are applied, those of facets under the titles of their facets."""
    options, names = {*LIST, _CURSOR} - {"as_of"}, {name for name, _text in pairs}
    uncounted = [pair for pair in pairs if pair[0] in _ROWS and pair not in counted.values]
    values = {**counted.values, **_names_of(uncounted, question.as_of, preferred)}
    for name, text in pairs:
        if name in options or counted.implied.get((name, text)) in names:
            continue
        along = [pair for pair, other in counted.implied.items() if other == name]
        # Subjects are what a claim is about, and other entities are not.
        is_facet = all(pair in pairs for pair in along) and (
            not name.endswith("__isnull") or (name, text) in counted.values
        )
        title = counted.filters.get(name) if is_facet else None
        removed = (name, *(other for other, _text in along if is_facet), _CURSOR)
        yield Chip(
            title or _filter_in_words(name),
            values.get((name, text)) or _value_in_words(name, text),
            here(**dict.fromkeys(removed)),
        )


def _value_in_words(name: str, text: str) -> str:
    if name.endswith("__isnull"):
        return gettext("yes") if text == "true" else gettext("no")
    return text


def _filter_in_words(name: str) -> str:
    """A filter by its title, or by the fields that it goes through, and its operator in words."""
    path, _separator, operator = name.rpartition("__")
    if name in _TITLES or operator not in _OPERATORS:
        return _fields_in_words(name)
    return f"{_fields_in_words(path)} {gettext(_OPERATORS[operator])}"


def _fields_in_words(path: str) -> str:
    if title := _TITLES.get(path):
        return gettext(title)
    # A filter by id is one by the row.
    parts = [part.removesuffix("_id") for part in path.split("__")]
    fields = [field_in_words(part) for part in parts if part != "id" or parts == ["id"]]
    words = gettext(": ").join(fields)
    return words[:1].upper() + words[1:]


def _names_of(
    pairs: Sequence[tuple[str, str]], as_of: datetime | None, preferred: Preference | None
) -> dict[tuple[str, str], str]:
    """The names of the rows that filters select."""
    names = dict[tuple[str, str], str]()
    for resource, key, name in {_ROWS[each] for each, _value in pairs}:
        keys = {pair: pair[1] for pair in pairs if _ROWS[pair[0]] == (resource, key, name)}
        keys = {pair: str(UUID(text)) if key == "id" else text for pair, text in keys.items()}
        question = Question(
            AllOf((Criterion(key, "in", [*{*keys.values()}]),)),
            sort=(("id", False),),
            fields=("id", key, name),
            per_page=len(keys),
            as_of=as_of,
        )
        rows = json.loads(documents.page(RESOURCES[resource], question, preferred).data)
        found = {row[key]: row[name] for row in rows}
        names |= {pair: found[value] for pair, value in keys.items() if value in found}
    return names


def _formats(pairs: Sequence[tuple[str, str]], source: Source | None) -> list[FormatLink]:
    """The same claims in other formats; the API does not search for addresses."""
    if source is not None:
        pairs = [pair for pair in pairs if pair[0] != _SEARCH]
        # A filter can be given once.
        is_given = any(name == _SOURCE for name, _text in pairs)
        pairs = [*pairs, (f"{_SOURCE}__in" if is_given else _SOURCE, source["id"])]
    formats = [(gettext(label), form) for label, form in _FORMATS]
    return list_formats(_CLAIMS.name, pairs, formats)


def _feed(pairs: Sequence[tuple[str, str]]) -> str:
    """The same claims as a feed, from its first page."""
    asked = urlencode([pair for pair in pairs if pair[0] != _CURSOR])
    return f"/claims.atom?{asked}" if asked else "/claims.atom"
