"""The lists of entities, sources and metrics: by a part of the name and by kind, a page at a time.

They take the parameters of the lists of the API.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple

from flask import Response
from markupsafe import Markup

from hksz_db.domain.vocabulary import CslType, Dimension, EntityKind
from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Entity, Metric, Source
from hksz_db.queries.questions import read_list
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.citing import published
from hksz_db.web.foreign import ENGLISH, noted, spoken
from hksz_db.web.interface import names_preferred
from hksz_db.web.reading import list_formats
from hksz_db.web.site import Option, given, here, href, pages, shown
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _

_CURSOR, _PER_PAGE = "cursor", 50


class Line(NamedTuple):
    """A row of a list: its page, and what is said about it beside the name."""

    url: str
    name: Markup
    kind: str
    about: Sequence[Markup | str]


class Listing(NamedTuple):
    """What the list of a resource shows, and by what it can be narrowed down.

    ``name`` is the field of the names, ``kind`` that of the kinds, whose terms are in ``kinds``.
    """

    title: str
    name: str
    kind: str
    kinds: type[StrEnum]
    fields: tuple[str, ...]
    about: Callable[[Any], Iterator[Markup | str]]
    language: Callable[[Any], str | None]
    formats: tuple[tuple[str, str], ...]


def _about_entity(entity: Entity) -> Iterator[Markup]:
    yield noted(entity["description"])


def _about_source(source: Source) -> Iterator[Markup | str]:
    yield published(source)
    if source["retracted_at"]:
        yield gettext("retracted")


def _about_metric(metric: Metric) -> Iterator[Markup | str]:
    yield term("MetricMeasure", metric["measure"])
    yield term("Accumulation", metric["accumulation"])


_LISTS = {
    "entities": Listing(
        title=_("Entities"),
        name="name",
        kind="kind",
        kinds=EntityKind,
        fields=("id", "name", "kind", "description"),
        about=_about_entity,
        language=lambda entity: entity.get("name_language"),
        formats=(("CSV", "csv"), ("JSON-LD", "jsonld")),
    ),
    "sources": Listing(
        title=_("Sources"),
        name="title",
        kind="csl_type",
        kinds=CslType,
        fields=(
            *("id", "title", "language", "csl_type", "container_title", "issued"),
            *("contributors", "retracted_at"),
        ),
        about=_about_source,
        language=lambda source: source["language"],
        formats=(("CSV", "csv"), ("BibTeX", "bibtex"), ("CSL-JSON", "csl-json")),
    ),
    "metrics": Listing(
        title=_("Measures"),
        name="label",
        kind="dimension",
        kinds=Dimension,
        fields=("id", "label", "dimension", "measure", "accumulation"),
        about=_about_metric,
        language=lambda _: ENGLISH,
        formats=(("CSV", "csv"),),
    ),
}


@costs(Cost.COSTLY)
def listing(resource: str) -> Response:
    """The rows of a resource that meet a question, by name unless another order is asked for."""
    pairs, of = given(), _LISTS[resource]
    question = replace(read_list(resource, pairs), fields=of.fields)
    names = {name for name, _text in pairs}
    if not {"sort", "q"} & names:
        question = replace(question, sort=((of.name, False), ("id", False)))
    if "per_page" not in names:
        question = replace(question, per_page=_PER_PAGE)
    page = documents.page(RESOURCES[resource], question, names_preferred(question.lang))
    cursor = page.meta["next_cursor"]
    chosen, searched = dict(pairs).get(of.kind), f"{of.name}__contains"
    own = {searched, of.kind, _CURSOR}
    return shown(
        "list.html",
        title=gettext(of.title),
        lines=[_line(resource, of, each) for each in json.loads(page.data)],
        searched=dict(pairs).get(searched, ""),
        names={"text": searched, "kind": of.kind},
        kinds=[Option(each, term(of.kinds.__name__, each), each == chosen) for each in of.kinds],
        kept=[pair for pair in pairs if pair[0] not in own],
        next_page=None if cursor is None else here(cursor=cursor),
        first_page=None if question.cursor is None else here(cursor=None),
        formats=list_formats(resource, pairs, of.formats),
    )


pages.add_url_rule("/entities", "entities", listing, defaults={"resource": "entities"})
pages.add_url_rule("/sources", "sources", listing, defaults={"resource": "sources"})
# Without the slash, the path has the measurements of the service, except for browsers.
pages.add_url_rule("/metrics/", "metrics", listing, defaults={"resource": "metrics"})


def _line(resource: str, of: Listing, row: Any) -> Line:
    return Line(
        href(resource, row["id"]),
        spoken(row[of.name], of.language(row)),
        term(of.kinds.__name__, row[of.kind]),
        [each for each in of.about(row) if each],
    )
