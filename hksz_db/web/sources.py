"""The page of a source, and the positions and hashes with which readers check their own copy."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from flask import Response, jsonify, url_for

from hksz_db.domain import figure_edges
from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Evidence, Source
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.citing import citation, published
from hksz_db.web.reading import (
    Asked,
    asked,
    document_link,
    export_link,
    history_of,
    today,
)
from hksz_db.web.site import FormatLink, here, page_of, pages, shown

_SOURCES = RESOURCES["sources"]
_PASSAGE_FIELDS = (
    "id",
    "stance",
    "directness",
    "attributed_to",
    "said",
    "capture_id",
    "start_char",
    "end_char",
    "page",
    "note",
    "rating_as_stated",
    "status",
    "claim",
)
_LOCATOR_FIELDS = (*LOCATOR, *LOOSE_LOCATOR, "claim")
# As JavaScript writes them, with the flags i and u.
NUMBER_EDGES = {
    name: each.pattern.replace(r"\A", "^").replace(r"\Z", "$").replace(r"\d", r"\p{Nd}")
    for name, each in figure_edges.PATTERNS.items()
}
_SOURCE_FIELDS = ("id", "title", "language", "container_title", "issued", "contributors")
_MOST_PASSAGES, _MOST_RELATED = 20, 20
_CHECKED_PER_PAGE, _MOST_CHECKED = 100, 2000


class Related(NamedTuple):
    """A source that says how it relates to this one."""

    source: Source
    kinds: list[str]


class Passages(NamedTuple):
    """Passages in the order of the text, and the pages before and after."""

    evidence: list[Evidence]
    lengths: Mapping[str, int | str]
    next_page: str | None
    first_page: str | None


@page_of("sources")
@costs(Cost.COSTLY)
def source(id: UUID) -> Response:
    """A source: how to cite it, what it copies, and what its passages say about claims."""
    question = asked()
    document: Source = question.document(_SOURCES, id)
    passages = _passages(document, id, question)
    return shown(
        "source.html",
        source=document,
        moment=question.moment,
        citation=citation(document),
        related=_related(id, question),
        published=published,
        passages=passages,
        languages={
            **question.languages("sources", _summarised(document)),
            **question.languages("claims", (each["claim"]["id"] for each in passages.evidence)),
        },
        history=history_of(_SOURCES, id),
        formats=_formats(id, question),
        locators_url=url_for("pages.locators", id=id),
        today=today(),
    )


@pages.get("/sources/<uuid:id>/locators.json")
@costs(Cost.COSTLY)
def locators(id: UUID) -> Response:
    """The positions and hashes of the passages of a source, for the script on its page."""
    question, found = asked(), list[Evidence]()
    question.document(_SOURCES, id)
    wanted = AllOf((Criterion("source_id", "eq", id), Criterion("start_char", "isnull", False)))
    cursor = None
    while len(found) < _MOST_CHECKED:
        listed, cursor = question.listed(
            "evidence", wanted, _LOCATOR_FIELDS, _CHECKED_PER_PAGE, "start_char", cursor
        )
        found += listed
        if cursor is None:
            break
    languages = question.languages("claims", (each["claim"]["id"] for each in found))
    passages = [{**each, "language": languages.get(each["claim"]["id"])} for each in found]
    has_more = cursor is not None
    return jsonify({"passages": passages, "has_more": has_more, "edges": NUMBER_EDGES})


def _summarised(document: Source) -> list[str]:
    """The sources of which the page shows the title, and the document a summary."""
    copied = [each["to"]["id"] for each in document["relations"]]
    return [*copied, *(each["source"]["id"] for each in document["similar"] or ())]


def _related(id: UUID, question: Asked) -> list[Related]:
    """The sources that say that they copy or use this one."""
    wanted = AllOf((Criterion("relations__to_id", "eq", id),))
    fields = (*_SOURCE_FIELDS, "relations")
    found, _ = question.listed("sources", wanted, fields, _MOST_RELATED)
    return [
        Related(each, [line["kind"] for line in each["relations"] if line["to"]["id"] == str(id)])
        for each in found
    ]


def _passages(document: Source, id: UUID, question: Asked) -> Passages:
    wanted = AllOf((Criterion("source_id", "eq", id),))
    found, cursor = question.listed(
        "evidence", wanted, _PASSAGE_FIELDS, _MOST_PASSAGES, "start_char", question.cursor
    )
    return Passages(
        found,
        {each["id"]: each["char_length"] for each in document["captures"]},
        None if cursor is None else here(cursor=cursor),
        None if question.cursor is None else here(cursor=None),
    )


def _formats(id: UUID, question: Asked) -> list[FormatLink]:
    def export(label: str, form: str, media_type: str) -> FormatLink:
        return export_link(label, "sources", form, media_type, question, id=str(id))

    return [
        document_link("sources", id, question),
        export("BibTeX", "bibtex", "application/x-bibtex"),
        export("CSL-JSON", "csl-json", "application/vnd.citationstyles.csl+json"),
        export("JSON-LD", "jsonld", "application/ld+json"),
    ]
