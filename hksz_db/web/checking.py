"""The page that checks a text: the findings beside the marks in one's own text.

The text is sent in the body of a form, so that it stands in no address and no log, and the report
is made on the server.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from flask import Response, current_app, request, url_for
from markupsafe import Markup
from werkzeug import Response as BaseResponse

from hksz_db.checking.check import (
    AlikeClaim,
    Checked,
    CheckedFigure,
    CheckedSentence,
    Comparison,
    check_text,
)
from hksz_db.checking.documents import why
from hksz_db.checking.known import KnownNames
from hksz_db.checking.sentences import Span
from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.locators import Locator, NotText, digest, locator, normalise, read_decoded
from hksz_db.domain.ranges import Interval
from hksz_db.domain.vocabulary import Finding, NothingFound, Scope
from hksz_db.http.costs import Cost, Weight, costs
from hksz_db.http.requests import database
from hksz_db.queries.document_types import Source
from hksz_db.web import submissions
from hksz_db.web.access import actor, ask_to_sign_in
from hksz_db.web.comparing import explained
from hksz_db.web.forms import Form, new_form, refused
from hksz_db.web.site import answers_form_of, pages, shown
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.typed import text as typed_text
from schemas.checks import MAX_BYTES

LABELS = {"text": _("Text"), "published": _("Published"), "source": _("Source")}
_MOST_CLAIMS = 3
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Piece(NamedTuple):
    """A part of a sentence; a figure or a name is marked."""

    text: str
    is_marked: bool


class Entry(NamedTuple):
    """What the page says about a sentence.

    ``compared`` are the claims with whose figures those of the sentence were compared.
    ``adding`` are the fields of the form that adds a passage with it, if the reader may.
    """

    number: int
    finding: str
    words: str
    pieces: Sequence[Piece]
    reasons: Sequence[str | Markup]
    claims: Sequence[AlikeClaim]
    compared: Sequence[Mapping[str, Any]]
    adding: Mapping[str, str] | None


@pages.get("/check")
@costs(Cost.COSTLY)
def check() -> Response:
    """A form for a text."""
    return _page(new_form())


@pages.post("/check")
@costs(Cost.COSTLY, Weight.SCAN)
def report() -> BaseResponse:
    """The report on a text, as a page or as CSV. Nothing is written."""
    answers_form_of(url_for("pages.check"))
    if not current_app.config["OPEN_READS"] and actor() is None:
        return ask_to_sign_in()
    text = request.form.get("text", "").replace("\r\n", "\n")
    faults, published = [*_faults(text)], None
    try:
        if date := typed_text(request.form, "published"):
            published = parse(date)
    except InvalidDate:
        detail = gettext("This is not a date, such as 2024-01-29.")
        faults.append(Fault("date", detail, "#/published"))
    form = new_form()
    if faults:
        return refused(form, Invalid("The text could not be checked.", faults), _page)
    known: KnownNames = current_app.extensions["hksz_known_names"]
    checked = check_text(database(), known.of(database()), text, published=published)
    if typed_text(request.form, "go") == "csv":
        return _csv(text, checked)
    return _page(form, text, checked, published)


def _faults(text: str) -> Iterator[Fault]:
    try:
        read_decoded(text)
    except NotText:
        detail = gettext("The text is empty or contains characters that are not allowed.")
        yield Fault("text", detail, "#/text")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        yield Fault("text", gettext("The text is longer than 64 kB."), "#/text")


def _page(
    form: Form,
    text: str = "",
    checked: Checked | None = None,
    published: Period | None = None,
) -> Response:
    entries: list[Entry] = []
    source = _source() if checked else None
    if checked is not None:
        adding = _Adding(text, source, published) if source else None
        entries = [_entry(n, text, each, adding) for n, each in enumerate(checked.sentences, 1)]
    order = [*Finding]
    told = [each for each in entries if each.finding != Finding.NOT_KNOWN]
    response = shown(
        "check.html",
        form.status,
        sent=form,
        labels=LABELS,
        text=request.form.get("text", ""),
        published=request.form.get("published", ""),
        typed=request.form.get("source", ""),
        may_add=_may_add(),
        source=source,
        checked=checked,
        entries=entries,
        found=sorted(told, key=lambda each: order.index(Finding(each.finding))),
        unknown=[each for each in entries if each.finding == Finding.NOT_KNOWN],
        counts=[(finding, sum(each.finding == finding for each in entries)) for finding in order],
    )
    if request.method == "POST":
        response.headers["Cache-Control"] = "no-store"
    return response


def _may_add() -> bool:
    reader = actor()
    return reader is not None and reader.has(Scope.CLAIMS_WRITE)


def _source() -> Source | None:
    """The source that the text is from, if the reader has named it and may add passages of it."""
    typed = typed_text(request.form, "source")
    found = submissions.sources_like(typed) if typed and _may_add() else []
    return found[0] if len(found) == 1 else None


def _entry(number: int, text: str, sentence: CheckedSentence, adding: "_Adding | None") -> Entry:
    is_known = sentence.finding is not Finding.NOT_KNOWN
    return Entry(
        number,
        sentence.finding,
        text[slice(*sentence.read.span)],
        [*_pieces(text, sentence)],
        [*_reasons(sentence)],
        sentence.claims[:_MOST_CLAIMS],
        _compared(sentence),
        adding.fields(sentence) if adding and not is_known else None,
    )


def _compared(sentence: CheckedSentence) -> list[Mapping[str, Any]]:
    shown = {each.claim["id"] for each in sentence.claims[:_MOST_CLAIMS]}
    found = {
        comparison.other["claim"]["id"]: comparison.other["claim"]
        for figure in sentence.figures
        if figure.finding is not Finding.NOT_KNOWN
        for comparison in figure.comparisons
    }
    return [claim for id, claim in found.items() if id not in shown][:_MOST_CLAIMS]


def _pieces(text: str, sentence: CheckedSentence) -> Iterator[Piece]:
    at, end = sentence.read.span
    for figure in sentence.figures:
        start, after = figure.found.span
        yield Piece(text[at:start], False)
        yield Piece(text[start:after], True)
        at = after
    yield Piece(text[at:end], False)


def _reasons(sentence: CheckedSentence) -> Iterator[str | Markup]:
    """Why the sentence has its finding, in the language of the page."""
    if any(each.is_quoted for each in sentence.claims):
        yield gettext("It has the words of a passage on which a known claim rests.")
    elif sentence.finding is Finding.REPEATS:
        yield gettext(
            "A known claim says the same, and one of the two has all the words of the other."
        )
    for figure in sentence.figures:
        if figure.finding is Finding.NOT_KNOWN:
            yield f"{figure.found.words}{gettext(': ')}{_unknown(figure)}"
        else:
            yield explained(_comparison(figure, figure.comparisons[0], sentence))
    if not sentence.figures and sentence.finding is Finding.NOT_KNOWN:
        yield gettext("It states no figure, and no known claim says the same in its words.")


def _unknown(figure: CheckedFigure) -> str:
    return term("NothingFound", figure.reason or NothingFound.NOT_COMPARED)


def _comparison(figure: CheckedFigure, comparison: Comparison, sentence: CheckedSentence) -> Any:
    """A comparison with the figure of the text as it stands there."""
    found, period = figure.identification.found, figure.period
    assert found is not None
    own = {
        "as_stated": figure.found.words,
        "unit_code": found.ranged.unit_code,
        "value_range": _range(found.ranged.reading.value),
        "plausible_range": _range(found.ranged.reading.plausible),
        "period": {
            "edtf": period and period.edtf,
            "earliest": period and period.earliest and str(period.earliest),
            "latest": period and period.latest and str(period.latest),
        },
        "modality": sentence.read.modality,
        "breakdown": found.part,
        "definition": None,
    }
    return {"verdict": comparison.verdict, "figure": own, "other": comparison.other}


def _range(interval: Interval) -> dict[str, object]:
    return {
        "lower": None if interval.lower is None else format(interval.lower, "f"),
        "lower_inclusive": interval.lower_inclusive,
        "upper": None if interval.upper is None else format(interval.upper, "f"),
        "upper_inclusive": interval.upper_inclusive,
    }


class _Adding:
    """The fields that carry a sentence of the text over to the page for adding."""

    def __init__(self, text: str, source: Source, published: Period | None) -> None:
        self._text, self._source, self._published = text, source, published
        self._normal = read_decoded(text)
        self._digest = digest(self._normal)

    def fields(self, sentence: CheckedSentence) -> dict[str, str] | None:
        """The passage by its place and hashes, and what was read of its figure."""
        place = self._locator(sentence.read.span)
        if place is None:
            return None
        fields = {name: str(value) for name, value in vars(place).items()}
        fields |= {
            "source": self._source["id"],
            "title": self._source["title"],
            "text_sha256": self._digest,
            "char_length": str(len(self._normal)),
            "modality": sentence.read.modality,
        }
        if sentence.figures:
            figure = sentence.figures[0]
            fields["as_stated"] = figure.found.words
            time = sentence.read.time_of(figure.found)
            if time is not None:
                fields["period_edtf"] = time.period.edtf
        return fields

    def _locator(self, span: Span) -> Locator | None:
        words = normalise(self._text[slice(*span)])
        before = normalise(self._text[: span.start])
        start = self._normal.find(words, max(0, len(before) - 1))
        return locator(self._normal, start, start + len(words)) if start >= 0 else None


def _csv(text: str, checked: Checked) -> Response:
    """The report as a table for spreadsheets, in which no cell is a formula."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(("start", "end", "finding", "why", "sentence", "figures", "claims"))
    for each in checked.sentences:
        claims = [claim.claim["external_id"] or claim.claim["id"] for claim in each.claims]
        claims += [
            comparison.other["claim"]["external_id"] or comparison.other["claim"]["id"]
            for figure in each.figures
            for comparison in figure.comparisons
        ]
        figures = "; ".join(figure.found.printed for figure in each.figures)
        words = text[slice(*each.read.span)]
        cells = (*each.read.span, each.finding, why(each), words, figures)
        writer.writerow([*map(_cell, cells), " ".join(dict.fromkeys(claims))])
    response = Response(f"\ufeff{file.getvalue()}".encode(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="check.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
