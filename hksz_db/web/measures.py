"""The figures of a claim beside others of the same subject."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from markupsafe import Markup, escape

from hksz_db.domain.languages import Preference
from hksz_db.domain.vocabulary import ClaimStatus
from hksz_db.http import documents
from hksz_db.queries.document_types import Claim, Comparison, Figure
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import Question
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.comparing import Sentence, explained_together, part_in_words
from hksz_db.web.foreign import ENGLISH, spoken
from hksz_db.web.plots import Plot, Row, plot, span
from hksz_db.web.series import FIGURE_FIELDS
from hksz_db.web.site import href
from hksz_db.web.terms import is_sent_back, term
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.wording import time_in_words

_CLAIMS, _FIGURES = RESOURCES["claims"], RESOURCES["figures"]
_ASIDE = tuple(name for name in FIGURE_FIELDS if name != "subject")
_MOST_COMPARED, _MOST_ASIDE = 10, 5
# Some of them are among the compared ones, or beside another figure.
_MOST_READ = 50


class Measured(NamedTuple):
    """A figure of the claim, the plot of what is comparable, and of what is not compared.

    ``reason`` says why nothing is compared, if that is because of the status of the claim.
    """

    figure: Figure
    compared: Plot
    comparisons: Sequence[Comparison]
    aside: Plot | None
    heading: str
    reason: str

    @property
    def sentences(self) -> list[Sentence]:
        """How the figure compares with the others."""
        return explained_together(self.comparisons)


_SENT_BACK = _("This claim was sent back: its figures are compared once it is submitted again.")
_UNCOMPARED: Mapping[str, str] = {
    ClaimStatus.DRAFT: _("This claim is a draft: its figures are compared once it is submitted."),
    ClaimStatus.REJECTED: _("This claim was rejected: its figures are not compared."),
    ClaimStatus.RETRACTED: _("This claim was retracted: its figures are not compared."),
}


def measured_of(
    document: Claim, preferred: Preference | None, as_of: datetime | None
) -> list[Measured]:
    """Each figure of the claim beside others of its subject."""
    figures = document["figures"]
    if not figures:
        return []
    comparisons = document["comparisons"]["data"]
    others = _figures_beside(figures, as_of)
    speakers = _speakers(document, comparisons, others, preferred, as_of)
    reason = _SENT_BACK if is_sent_back(document) else _UNCOMPARED.get(document["status"], "")
    measured, seen = [], {each["id"] for each in figures}
    for figure in figures:
        compared = [_turned(each, figure["id"]) for each in comparisons]
        comparable = [each for each in compared if each is not None]
        beside = comparable[:_MOST_COMPARED]
        unit = figure["unit_code"]
        rows = [_row(figure, unit, "own", gettext("this claim"), speakers.get(document["id"], ""))]
        rows += [_compared_row(each, unit, speakers) for each in beside]
        seen |= {each["other"]["id"] for each in comparable}
        aside = [each for each in others if each["id"] not in seen and _has_axis_of(each, figure)][
            :_MOST_ASIDE
        ]
        # Each stands beside one figure of the claim only.
        seen |= {each["id"] for each in aside}
        measured.append(
            Measured(
                figure,
                plot(rows, unit),
                beside,
                plot([_aside_row(each, unit, speakers) for each in aside], unit) if aside else None,
                _heading(figure, aside, reason),
                reason and gettext(reason),
            )
        )
    return measured


def _heading(figure: Figure, aside: Sequence[Figure], reason: str) -> str:
    """What the figures beside a figure that are not compared with it have in common."""
    if reason:
        return gettext("The same subject: not compared")
    if any(each["metric"]["id"] == figure["metric"]["id"] for each in aside):
        return gettext("The same subject, at other times or counted otherwise: not comparable")
    return gettext("The same subject, counted otherwise: not comparable")


def _figures_beside(figures: Sequence[Figure], as_of: datetime | None) -> list[Figure]:
    """The newest figures of the same subjects and dimensions in accepted claims.

    Those of the latest periods come first.
    """
    first, *further = sorted({each["subject"]["id"] for each in figures})
    # One subject is looked up in an index that has the order of its figures.
    of_subjects = (
        Criterion("subject_id", "in", [UUID(each) for each in (first, *further)])
        if further
        else Criterion("subject_id", "eq", UUID(first))
    )
    wanted = AllOf(
        (
            of_subjects,
            Criterion("dimension", "in", sorted({each["dimension"] for each in figures})),
            Criterion("claim__status", "eq", "accepted"),
        )
    )
    newest = (("id", True),)
    question = Question(wanted, sort=newest, fields=_ASIDE, per_page=_MOST_READ, as_of=as_of)
    found: list[Figure] = json.loads(documents.page(_FIGURES, question, None).data)
    return sorted(found, key=lambda each: each["period"]["earliest"] or "", reverse=True)


def _has_axis_of(other: Figure, figure: Figure) -> bool:
    same_dimension = other["dimension"] == figure["dimension"]
    is_money = figure["dimension"] == "money"
    return same_dimension and (not is_money or other["unit_code"] == figure["unit_code"])


def _turned(comparison: Comparison, figure_id: str) -> Comparison | None:
    """The comparison with the figure first; ``None`` if it is about other figures."""
    if comparison["figure"]["id"] == figure_id:
        return comparison
    if comparison["other"]["id"] == figure_id:
        return {**comparison, "figure": comparison["other"], "other": comparison["figure"]}
    return None


def _speakers(
    document: Claim,
    comparisons: Sequence[Comparison],
    others: Sequence[Figure],
    preferred: Preference | None,
    as_of: datetime | None,
) -> dict[str, Markup]:
    """Who makes each of the claims whose figures are shown."""
    ids = {each["other"]["claim"]["id"] for each in comparisons}
    ids |= {each["claim"]["id"] for each in others}
    ids -= {document["id"]}
    return {document["id"]: spoken_speaker(document), **speakers_of(ids, preferred, as_of)}


def speakers_of(
    claim_ids: Iterable[str], preferred: Preference | None, as_of: datetime | None
) -> dict[str, Markup]:
    """Who makes each of the claims, of which the first hundred are looked up."""
    ids = [UUID(each) for each in sorted(claim_ids)[:100]]
    if not ids:
        return {}
    fields = ("id", "claimant", "claimant_as_stated")
    wanted = AllOf((Criterion("id", "in", ids),))
    question = Question(wanted, sort=(("id", False),), fields=fields, per_page=100, as_of=as_of)
    page = documents.page(_CLAIMS, question, preferred)
    return {each["id"]: spoken_speaker(each) for each in json.loads(page.data)}


def speaker(document: Claim) -> str:
    """Who makes a claim: the name of the claimant, or what the source calls them."""
    claimant = document["claimant"]
    return str(claimant["name"] if claimant else document["claimant_as_stated"])


def spoken_speaker(document: Claim) -> Markup:
    """Who makes a claim, marked with the language of the name."""
    claimant = document["claimant"]
    return spoken(speaker(document), claimant.get("name_language") if claimant else None)


def _row(
    figure: Figure, unit: str, kind: str, note: str | Markup, who: str, url: str | None = None
) -> Row:
    said = (who, time_in_words(figure["period"]["edtf"]), part_in_words(figure))
    return Row(
        label=figure["as_stated"],
        meta=escape(gettext(", ")).join(part for part in said if part),
        allowed=span(figure["value_range"], unit),
        plausible=span(figure["plausible_range"], unit),
        kind=kind,
        note=note,
        url=url,
    )


def _compared_row(comparison: Comparison, unit: str, speakers: Mapping[str, str]) -> Row:
    other = comparison["other"]
    claim_id = other["claim"]["id"]
    note = term("ComparisonVerdict", comparison["verdict"])
    return _row(other, unit, "other", note, speakers.get(claim_id, ""), href("claims", claim_id))


def _aside_row(figure: Figure, unit: str, speakers: Mapping[str, str]) -> Row:
    claim_id = figure["claim"]["id"]
    who = speakers.get(claim_id, "")
    counted = spoken(figure["metric"]["label"], ENGLISH)
    return _row(figure, unit, "aside", counted, who, href("claims", claim_id))


def not_compared_of(document: Claim, as_of: datetime | None) -> list[object]:
    """How many pairs of figures are not compared, and why."""
    if not document["figures"]:
        return []
    of_claim = Criterion("claim_id", "eq", UUID(document["id"]))
    question = Question(AllOf((of_claim,)), fields=("verdict",), per_page=1, as_of=as_of)
    return documents.not_compared(question) or []
