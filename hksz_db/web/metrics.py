"""The page of a metric."""

from urllib.parse import urlencode
from uuid import UUID

from flask import Response

from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Figure, Metric
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.measures import speakers_of
from hksz_db.web.reading import (
    Asked,
    asked,
    document_link,
    export_link,
    history_of,
    today,
)
from hksz_db.web.series import FIGURE_FIELDS, Heading, series_of
from hksz_db.web.site import FormatLink, here, href, page_of, shown
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import duration_in_words

_METRICS = RESOURCES["metrics"]
_MOST_FIGURES = 40


@page_of("metrics")
@costs(Cost.COSTLY)
def metric(id: UUID) -> Response:
    """A metric: what it counts, and what it was at which time."""
    question = asked()
    document: Metric = question.document(_METRICS, id)
    figures, cursor = _figures(id, question)
    claims = {each["claim"]["id"] for each in figures}
    speakers = speakers_of(claims, question.preferred, question.as_of)
    return shown(
        "metric.html",
        metric=document,
        moment=question.moment,
        holds_for=duration_in_words(document["holds_for"]),
        units=sorted({unit_in_words(each["unit_code"]) for each in figures} - {""}),
        series=series_of(
            figures,
            speakers,
            lambda each: Heading(
                each["subject"]["name"],
                each["subject"].get("name_language"),
                href("entities", each["subject"]["id"]),
            ),
        ),
        next_page=None if cursor is None else here(cursor=cursor),
        first_page=None if question.cursor is None else here(cursor=None),
        comparisons_url=f"/v1/comparisons?{urlencode({'metric_id': id})}",
        history=history_of(_METRICS, id),
        formats=_formats(id, question),
        today=today(),
    )


def _figures(id: UUID, question: Asked) -> tuple[list[Figure], str | None]:
    """Figures in accepted claims, the latest periods first, and the next cursor."""
    wanted = AllOf((Criterion("metric_id", "eq", id), Criterion("claim__status", "eq", "accepted")))
    found: tuple[list[Figure], str | None] = question.listed(
        "figures", wanted, FIGURE_FIELDS, _MOST_FIGURES, "-period", question.cursor
    )
    return found


def _formats(id: UUID, question: Asked) -> list[FormatLink]:
    figures = export_link("CSV", "figures", "csv", "text/csv", question, metric_id=str(id))
    return [document_link("metrics", id, question), figures]
