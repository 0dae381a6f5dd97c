"""The page of an entity."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from flask import Response

from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Claim, Entity, EntityRelation
from hksz_db.queries.filters import AllOf, AnyOf, Criterion
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.foreign import ENGLISH
from hksz_db.web.measures import speakers_of, spoken_speaker
from hksz_db.web.reading import (
    Asked,
    asked,
    document_link,
    export_link,
    history_of,
    today,
)
from hksz_db.web.series import FIGURE_FIELDS, Heading, Series, series_of
from hksz_db.web.site import FormatLink, here, href, page_of, shown
from hksz_db.web.timeline import Axis, Bar, axis_of

_ENTITIES = RESOURCES["entities"]
_CLAIM_FIELDS = (
    "id",
    "statement",
    "language",
    "claimant",
    "claimant_as_stated",
    "reported_by",
    "modality",
    "status",
    "time",
    "corroboration",
)
_MOST_CLAIMS, _MOST_FIGURES, _MOST_RELATED = 16, 24, 20
_ADDRESSES = {
    "wikidata": "https://www.wikidata.org/wiki/{}",
    "ror": "https://ror.org/{}",
    "isni": "https://isni.org/isni/{}",
    "orcid": "https://orcid.org/{}",
    "viaf": "https://viaf.org/viaf/{}",
    "geonames": "https://www.geonames.org/{}",
    "lei": "https://search.gleif.org/#/record/{}",
}
"""Where the registers show what an identifier means."""


class Dated(NamedTuple):
    """A claim on the timeline; ``bar`` is ``None`` if the claim states no time."""

    claim: Claim
    speaker: str
    is_own: bool
    bar: Bar | None


class Timeline(NamedTuple):
    """Claims that name the entity, the earliest first, and the page with later ones."""

    axis: Axis | None
    claims: list[Dated]
    next_page: str | None
    first_page: str | None


class Related(NamedTuple):
    """An entity that has a relation to this one, and that relation."""

    entity: Entity
    relation: EntityRelation


@page_of("entities")
@costs(Cost.COSTLY)
def entity(id: UUID) -> Response:
    """An entity: its names, what it has to do with others, and the claims that name it."""
    question = asked()
    document = question.document(_ENTITIES, id)
    series, has_more = _series(id, question)
    related = _related(id, question)
    return shown(
        "entity.html",
        entity=document,
        moment=question.moment,
        addresses=_ADDRESSES,
        related=related,
        languages=question.languages("claims", _behind(document, related)),
        timeline=_timeline(id, question),
        series=series,
        most_figures=_MOST_FIGURES if has_more else None,
        history=history_of(_ENTITIES, id),
        formats=_formats(id, question),
        today=today(),
    )


def _related(id: UUID, question: Asked) -> list[Related]:
    """The entities that say how they relate to this one."""
    wanted = AllOf((Criterion("relations__object_id", "eq", id),))
    fields = ("id", "name", "relations")
    found, _ = question.listed("entities", wanted, fields, _MOST_RELATED)
    return [
        Related(each, relation)
        for each in found
        for relation in each["relations"]
        if relation["object"]["id"] == str(id)
    ]


def _behind(document: Entity, related: Sequence[Related]) -> list[str]:
    """The claims behind the relations."""
    relations = [*document["relations"], *(each.relation for each in related)]
    return [each["claim"]["id"] for each in relations if each["claim"]]


def _timeline(id: UUID, question: Asked) -> Timeline:
    names = ("entities__id", "claimant_id", "reported_by_id")
    wanted = AllOf(
        (
            AnyOf(tuple(Criterion(name, "eq", id) for name in names)),
            Criterion("status", "eq", "accepted"),
        )
    )
    found, cursor = question.listed(
        "claims", wanted, _CLAIM_FIELDS, _MOST_CLAIMS, "time", question.cursor
    )
    axis = axis_of([each["time"] for each in found])
    claims = [
        Dated(
            each,
            spoken_speaker(each),
            bool(each["claimant"]) and each["claimant"]["id"] == str(id),
            None if axis is None else axis.bar(each["time"]),
        )
        for each in found
    ]
    return Timeline(
        axis,
        claims,
        None if cursor is None else here(cursor=cursor),
        None if question.cursor is None else here(cursor=None),
    )


def _series(id: UUID, question: Asked) -> tuple[list[Series], bool]:
    """The latest figures about the entity by measure, and whether there are more."""
    wanted = AllOf(
        (Criterion("subject_id", "eq", id), Criterion("claim__status", "eq", "accepted"))
    )
    figures, cursor = question.listed("figures", wanted, FIGURE_FIELDS, _MOST_FIGURES, "-period")
    claims = {each["claim"]["id"] for each in figures}
    speakers = speakers_of(claims, question.preferred, question.as_of)
    series = series_of(
        figures,
        speakers,
        lambda each: Heading(
            each["metric"]["label"], ENGLISH, href("metrics", each["metric"]["id"])
        ),
    )
    return series, cursor is not None


def _formats(id: UUID, question: Asked) -> list[FormatLink]:
    return [
        document_link("entities", id, question),
        export_link("JSON-LD", "entities", "jsonld", "application/ld+json", question, id=str(id)),
        export_link("CSV", "entities", "csv", "text/csv", question, id=str(id)),
    ]
