"""The facets of a list of claims: links that narrow it, with the number of claims that remain."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import psycopg

from hksz_db.domain.languages import Preference
from hksz_db.http import documents
from hksz_db.queries import document_types
from hksz_db.queries.document_types import FacetValue
from hksz_db.queries.questions import Question
from hksz_db.web.foreign import ENGLISH
from hksz_db.web.site import here
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _

PARAMETER = "values"
"""The parameter of pages that says how many values of each facet are listed."""

MOST = 6
EVERY = 100
"""How many values are listed at first, and if more are asked for."""

_TITLES: Mapping[str, str] = {
    "verdict": _("How well supported"),
    "time": _("Time"),
    "about": _("About"),
    "place": _("Place, including places within it"),
    "claimant": _("Said by"),
    "measure": _("What is counted"),
    "modality": _("Kind of statement"),
    "status": _("Review"),
    "language": _("Language"),
}
_TERMS = {"verdict": "CorroborationVerdict", "modality": "Modality", "status": "ClaimStatus"}
_MISSING = {
    "time": _("undated"),
    "claimant": _("unnamed"),
    "measure": _("without a figure"),
}
_MOST_YEARS = 40
_WIDTH, _HEIGHT = 232.0, 56.0


class Value(NamedTuple):
    """A link that narrows the list or, if it is selected, widens it again.

    ``lang`` is the language of the label if it is a name.
    """

    value: str
    label: str
    lang: str | None
    claims: int
    url: str
    is_selected: bool


class Year(NamedTuple):
    """A year as two bars: how high those stand that are certainly of it, and possibly of it."""

    label: str
    x: float
    certain: float
    possible: float


class Histogram(NamedTuple):
    """The years from left to right, the width of a bar, and the picture in words."""

    years: list[Year]
    width: float
    in_words: str


class Facet(NamedTuple):
    """A facet; ``more`` is how many values are not listed, and ``more_url`` the page with them."""

    name: str
    title: str
    values: list[Value]
    more: int
    more_url: str
    histogram: Histogram | None


class Facets(NamedTuple):
    """The facets of a list, and how many claims it has; ``is_all`` is false if it has more.

    ``filters`` are what the page calls the filters of the facets, ``values`` what it calls a value
    of a filter, and ``implied`` the filters and values that another filter brings along.
    """

    shown: list[Facet]
    total: int
    is_all: bool
    filters: Mapping[str, str]
    values: Mapping[tuple[str, str], str]
    implied: Mapping[tuple[str, str], str]


def facets_of(question: Question, most: int, preferred: Preference | None) -> Facets | None:
    """The facets of a question; ``None`` if the database does not finish them in time."""
    try:
        found = documents.facets(question, most, preferred)
    except psycopg.errors.QueryCanceled:
        return None
    known: Mapping[str, document_types.Facet] = json.loads(found.body)
    shown = [_facet(name, known[name], most) for name in _TITLES]
    counted = found.meta["counted"]
    useful = [each for each in shown if len(each.values) > 1 or _is_used(each)]
    filters = dict[str, str]()
    values, implied = dict[tuple[str, str], str](), dict[tuple[str, str], str]()
    for name, facet in known.items():
        parameter, missing = facet["parameter"], facet["missing"]
        filters[parameter] = gettext(_TITLES[name])
        values |= {(parameter, each["value"]): _label(name, each)[0] for each in facet["values"]}
        if missing:
            filters[missing["parameter"]] = filters[parameter]
            values[missing["parameter"], "true"] = gettext(_MISSING[name])
        implied |= dict.fromkeys(_also(facet).items(), parameter)
    return Facets(useful, counted["claims"], counted["all"], filters, values, implied)


def _is_used(facet: Facet) -> bool:
    return any(each.is_selected for each in facet.values)


def _facet(name: str, facet: document_types.Facet, most: int) -> Facet:
    listed: Sequence[FacetValue] = facet["values"]
    if name == "time":
        # The latest first, as people look for them.
        listed = listed[::-1][: None if most == EVERY else _MOST_YEARS]
    return Facet(
        name,
        gettext(_TITLES[name]),
        [*_values(name, facet, listed)],
        facet["more"] + len(facet["values"]) - len(listed),
        here(**{PARAMETER: str(EVERY)}),
        _histogram(facet["values"]) if name == "time" else None,
    )


def _values(
    name: str, facet: document_types.Facet, listed: Sequence[FacetValue]
) -> Iterator[Value]:
    for each in listed:
        label, lang = _label(name, each)
        is_selected = each["selected"]
        chosen = {} if is_selected else {facet["parameter"]: each["value"], **_also(facet)}
        yield Value(each["value"], label, lang, each["count"], _url(facet, chosen), is_selected)
    if (missing := facet["missing"]) and missing["count"]:
        chosen = {missing["parameter"]: "true"}
        yield Value("", gettext(_MISSING[name]), None, missing["count"], _url(facet, chosen), False)


def _also(facet: document_types.Facet) -> dict[str, str]:
    return {each["parameter"]: each["value"] for each in facet["also"]}


def _label(name: str, value: FacetValue) -> tuple[str, str | None]:
    if name == "measure":
        return value["metric"]["label"], ENGLISH
    if "entity" in value:
        return value["entity"]["name"], value["entity"].get("name_language")
    known = _TERMS.get(name)
    return (value["value"] if known is None else term(known, value["value"])), None


def _url(facet: document_types.Facet, chosen: Mapping[str, str]) -> str:
    """The list without the parameters of the facet, and with those that are chosen."""
    removed: dict[str, str | None] = dict.fromkeys(
        [facet["parameter"], *_also(facet), *facet["without"], "cursor"]
    )
    return here(**{**removed, **chosen})


def _histogram(values: Sequence[FacetValue]) -> Histogram | None:
    """The claims by year; ``None`` if there is one year at most."""
    counts = {int(each["value"]): each for each in values if each["value"].isdigit()}
    if len(counts) < 2:
        return None
    years = [*range(min(counts), max(counts) + 1)][-_MOST_YEARS:]
    width = _WIDTH / len(years)
    highest = max(counts[year]["count"] for year in years if year in counts)

    def heights(year: int) -> tuple[float, float]:
        each = counts.get(year, {"count": 0, "certain": 0})
        certain = round(_HEIGHT * each["certain"] / highest, 1)
        return certain, round(_HEIGHT * each["count"] / highest - certain, 1)

    drawn = [
        Year(str(year), round(place * width, 1), *heights(year)) for place, year in enumerate(years)
    ]
    in_words = "; ".join(_in_words(counts[year]) for year in years if year in counts)
    return Histogram(drawn, round(width, 1), in_words)


def _in_words(value: FacetValue) -> str:
    return gettext(
        "%(year)s: %(certain)s certainly, %(possible)s possibly",
        year=value["value"],
        certain=value["certain"],
        possible=value["count"] - value["certain"],
    )
