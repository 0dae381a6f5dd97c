"""Adding a passage, step by step: its source, the passage, its claim, and what follows.

All values travel in the form, so that a page that comes back with an error loses none of them. The
text of the source has no field: it stays in the browser.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from flask import Response, current_app, request, url_for
from werkzeug import Response as BaseResponse

from hksz_db.domain.errors import (
    Conflict,
    DomainError,
    Fault,
    FaultsError,
    Gone,
    Invalid,
    NotFound,
    Unauthenticated,
)
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.stated_figures import EXACTLY, read_stated
from hksz_db.domain.vocabulary import (
    Accumulation,
    Comparator,
    CslType,
    Dimension,
    EntityKind,
    MetricMeasure,
    Modality,
    Scope,
    Stance,
)
from hksz_db.exchange.reading import LIBRARY_SUFFIXES
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.queries.document_types import Alike, Claim, Evidence, Source, Titled
from hksz_db.queries.filters import Criterion
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.api_keys import Actor
from hksz_db.services.writing import writing
from hksz_db.web import access, files, submissions
from hksz_db.web.access import demand
from hksz_db.web.earlier import has_words, marked_before, passages_of
from hksz_db.web.existing import NamedClaims, claims_named, claims_with, document_of, in_one_line
from hksz_db.web.forms import Form as SentForm
from hksz_db.web.forms import (
    Problem,
    Write,
    check_session,
    new_form,
    problems_of,
    refused,
    sent_form,
    submit,
)
from hksz_db.web.measures import spoken_speaker
from hksz_db.web.messages import in_words
from hksz_db.web.search import address_or_doi
from hksz_db.web.site import answers_form_of, form_of, href, pages, shown
from hksz_db.web.stated import figure_in_words
from hksz_db.web.submissions import NEW, SimilarSources
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.typed import Form, text
from hksz_db.web.wording import duration_in_words
from schemas.figures import MOST_STATED

_SOURCES, _CLAIMS = RESOURCES["sources"], RESOURCES["claims"]
_SHOWN_OF_CLAIM = (
    *("id", "statement", "language", "claimant", "claimant_as_stated", "due", "status"),
    *("entities", "figures", "topics"),
)
_MOST_LISTED = 20
_AWAY = 500
_MOST_ALIKE = 4
_SUGGESTIONS = 8
_SUGGESTED = ("entities", "metrics", "units")
_REPEATING = ("copy_of", "syndicated_from", "translation_of", "rewrite_of", "quotes", "based_on")

# For how long a figure may hold.
_DURATIONS = ("P1Y", "P5Y", "P10Y", "P20Y")
# The fields of the form for fields of the rows, where their names differ.
_FIELDS = {"attributed_to": "reports", "entity": "subject", "to": "repeats"}
LABELS = {
    files.FIELD: _("File"),
    "title": _("Title"),
    "url": _("Address"),
    "doi": _("DOI"),
    "issued_edtf": _("Published"),
    "container_title": _("Published in"),
    "csl_type": _("Kind"),
    "author": _("Author"),
    "publisher": _("Publisher"),
    "publisher_place": _("Place of publication"),
    "issued_note": _("Note on the date"),
    "rights": _("Rights"),
    "repeats": _("The other source"),
    "reports": _("Whose statement does it report?"),
    **dict.fromkeys(("words", "is_another"), _("The passage")),
    "page": _("Page"),
    "note": _("Note on the passage"),
    "existing": _("Existing claim"),
    "statement": _("The claim in your own words"),
    "claimant": _("Who makes the claim"),
    "subject": _("Subject"),
    "time_edtf": _("Time"),
    "due_edtf": _("Due date of a plan or forecast"),
    "modality": _("Kind of statement"),
    "language": _("Language"),
    "topics": _("Topics"),
    "as_stated": _("As stated"),
    "period_edtf": _("Period"),
    "metric": _("What is counted"),
    "unit_code": _("Unit"),
    "comparator": _("The figure is"),
    "amount": _("Amount"),
    "lower_bound": _("At least"),
    "upper_bound": _("At most"),
    **dict.fromkeys((each for each in submissions.PARTS if each.endswith("_kind")), _("Kind")),
    **dict.fromkeys(
        (each for each in submissions.PARTS if each.endswith("_language")), _("Language")
    ),
    "metric_key": _("Key of the measure"),
    "metric_dimension": _("Kind of quantity"),
    "metric_accumulation": _("How it is counted"),
    "metric_measure": _("What its figures state"),
    "metric_holds_for": _("How long a figure holds"),
    "metric_description": _("What exactly is counted"),
}
"""The fields of the forms, as the pages call them."""

# It tells the script ``session.js`` that what was typed need not be kept any more, and shows what
# the page of the claim says about it.
_SAVED = "#saved"


@dataclass(frozen=True)
class Hints:
    """What the page says about a form that is being filled in.

    ``offered`` are claims that were named or listed, among which one can be chosen, and ``named``
    is the id of the one that the field for existing claims names, if it is the only one.
    ``marked`` are the stored passages that are the same, those with the same words first,
    ``claims_with_it`` are their claims, and ``is_repeated`` is whether one has the same words.
    ``chosen`` is the claim to which the passage would be attached; empty if one has to be chosen.
    ``reading`` is how the figure is read, and ``unread`` why it cannot be. ``unknown`` is the
    claimant who is kept as text, and ``twice`` are the new entities that several fields name.
    ``missing`` keeps it from being saved.
    """

    marked: Sequence[Evidence] = ()
    claims_with_it: Collection[str] = ()
    is_repeated: bool = False
    similar: Sequence[Alike] = ()
    offered: Sequence[Claim] = ()
    named: str = ""
    chosen: str = NEW
    reading: str = ""
    unread: str = ""
    unknown: str = ""
    twice: Sequence[str] = ()
    trial: submissions.Trial | None = None
    missing: Sequence[Problem] = ()


@pages.get("/add")
@costs(Cost.COSTLY)
def add() -> BaseResponse:
    """The first step or, once the source is known, the others."""
    if (sent_away := demand(Scope.CLAIMS_WRITE)) is not None:
        return sent_away
    if source_id := request.args.get("source"):
        return _marking(_source(source_id), request.args, new_form())
    return _choosing(request.args, new_form())


@form_of("pages.add", "/add/source")
@costs(Cost.COSTLY)
def add_source() -> Response:
    """Add the source and go on to its passages."""
    sent, similar = sent_form(), list[Titled]()

    def again(failed: SentForm) -> Response:
        return _choosing(request.form, failed, similar)

    def create(write: Write) -> str:
        try:
            with _faults_of_fields():
                id = submissions.create_source(write.session, write.actor, request.form)
        except SimilarSources as error:
            similar.extend(error.similar)
            detail = gettext("There are similar sources. Say whether it is one of them.")
            raise Conflict(detail) from error
        return _next_url(str(id), request.form, "reports", "answers", "claim")

    if text(request.form, "go") == "show":
        return _shown(sent, lambda: again(sent), again)
    return submit(sent, create, again)


@form_of("pages.add", "/add/file")
@costs(Cost.COSTLY)
def add_file() -> Response:
    """Fill in the form of a new source from a record of a file. Nothing is written."""
    form, sent = Form(), new_form()
    try:
        # Its fields cannot be read before all of it has been.
        if (request.content_length or 0) > files.MOST_BYTES:
            raise files.too_long()
        form, sent = request.form, sent_form()
        check_session()
        actor = _actor()
        actor.demand(Scope.CLAIMS_WRITE)
        if packed := form.get("record"):
            return _filled(files.unpacked(packed), actor, sent)
        found = files.read(request.files.get(files.FIELD))
        if len(found.records) > 1:
            return _choosing(form, sent, file=found)
        return _filled(found.records[0], actor, sent)
    except DomainError as error:
        return refused(sent, error, lambda failed: _choosing(form, failed))


@pages.post("/add")
@costs(Cost.COSTLY)
def add_passage() -> Response:
    """Check the passage, or save it and go on to its claim or to the next passage."""
    sent, form = sent_form(), request.form

    def save(write: Write) -> str:
        source = _source_of(form)
        with _faults_of_fields():
            claim_id = submissions.submit(write.session, write.actor, _settled(form), source)
        if text(form, "go") == "next":
            return _next_url(source["id"], form, "reports", saved=str(claim_id))
        return href("claims", claim_id) + _SAVED

    def again(failed: SentForm) -> Response:
        # What the page needs of the source is in the form, for when the database is away.
        known: Titled = {"id": text(form, "source"), "title": text(form, "title")}
        return _marking(known, form, failed, _after_failure(form, failed))

    def check() -> Response:
        source = _source_of(form)
        return _marking(source, form, sent, _hints(form, source, is_checked=True), is_checked=True)

    if text(form, "go") in {"check", "show"}:
        return _shown(sent, check, again)
    return submit(sent, save, again)


@pages.post("/add/hints")
@costs(Cost.COSTLY)
def add_hints() -> Response:
    """The part of the page that follows from what has been typed so far."""
    check_session()
    form = request.form
    hints = _hints(form, _source_of(form))
    return shown("add_answer.html", form=form, speaker=spoken_speaker, **_told(form, hints))


@pages.get("/add/suggest")
@costs(Cost.COSTLY)
def add_suggest() -> BaseResponse:
    """Names for what is being typed, as options of a list."""
    if (sent_away := demand(Scope.CLAIMS_WRITE)) is not None:
        return sent_away
    kinds = [kind for kind in request.args.getlist("kinds") if kind in _SUGGESTED]
    found = submissions.suggested(request.args.get("q", "").strip()[:200], kinds, _SUGGESTIONS)
    return shown("add_options.html", options=found)


def _shown(
    sent: SentForm, show: Callable[[], Response], again: Callable[[SentForm], Response]
) -> Response:
    """What ``show`` answers to a form that writes nothing, or the form with what is wrong."""
    try:
        check_session()
        return show()
    except DomainError as error:
        return refused(sent, error, again)


def _filled(record: files.Record, actor: Actor, sent: SentForm) -> Response:
    """The form of a new source with the fields of a record, below the sources that are here."""
    fields = submissions.with_new_entities(actor, record.fields)
    keys = [key for name in ("doi", "url") if (key := fields.get(name))]
    typed = next(filter(submissions.sources_like, keys), "") or [*keys, fields.get("title", "")][0]
    fields |= {name: text(request.form, name) for name in ("answers", "claim")} | {"q": typed}
    form = Form(fields)
    form.setlist(files.WARNING, record.warnings)
    return _choosing(form, sent)


def _choosing(
    form: Form,
    sent: SentForm,
    similar: Sequence[Titled] = (),
    *,
    file: files.Read | None = None,
) -> Response:
    typed, plan = text(form, "q"), _claim_of(form, "answers", sent)
    place = _place(form, "claim", q=typed or None)
    answers_form_of(place)
    is_searched = typed and not _is_away(sent)
    return shown(
        "add_source.html",
        sent.status,
        place=place,
        form=form,
        sent=sent,
        typed=typed,
        found=submissions.sources_like(typed) if is_searched else (),
        similar=similar,
        is_new=typed or request.endpoint == "pages.add_source",
        file=file,
        suffixes=LIBRARY_SUFFIXES,
        warnings=form.getlist(files.WARNING)[: files.MOST_WARNINGS],
        labels=LABELS,
        kinds=[*EntityKind],
        is_address=address_or_doi(typed) is not None,
        types=[*CslType],
        repeating=_REPEATING,
        claim=text(form, "claim") or None,
        chosen=_claim_of(form, "claim", sent),
        record=_record_of(form, sent),
        **_answered(form, plan, sent),
    )


def _marking(
    source: Titled,
    form: Form,
    sent: SentForm,
    hints: Hints | None = None,
    *,
    is_checked: bool = False,
) -> Response:
    plan = _claim_of(form, "answers", sent)
    if request.method == "GET":
        form, hints = _begun(form, plan, _claim_of(form, "claim", sent))
    hints = hints or Hints(chosen=text(form, "claim") or NEW)
    named = next((each for each in hints.offered if each["id"] == hints.named), None)
    if named is not None:
        form = Form({**form.to_dict(flat=False), "existing": [in_one_line(named["statement"])]})
    place = _place(form, "begun_with", source=source["id"])
    answers_form_of(place)
    return shown(
        "add.html",
        sent.status,
        place=place,
        source=source,
        form=form,
        sent=sent,
        is_checked=is_checked,
        earlier=_earlier(source["id"]) if sent.status < _AWAY else (),
        most_listed=_MOST_LISTED,
        stances=[*Stance],
        modalities=[*Modality],
        comparators=[*Comparator],
        kinds=[*EntityKind],
        dimensions=[*Dimension],
        accumulations=[*Accumulation],
        measures=[*MetricMeasure],
        durations=[(each, duration_in_words(each)) for each in _DURATIONS],
        exactly=EXACTLY,
        four_eyes=current_app.config["FOUR_EYES"],
        **_answered(form, plan, sent),
        named=named,
        **_told(form, hints),
    )


def _place(form: Form, claim: str, *, source: str | None = None, q: str | None = None) -> str:
    """The address of the step; ``claim`` is the field with the claim that was chosen before it."""
    answers, chosen = (text(form, name) or None for name in ("answers", claim))
    return url_for("pages.add", source=source, q=q, answers=answers, claim=chosen)


def _begun(form: Form, plan: Claim | None, chosen: Claim | None) -> tuple[Form, Hints]:
    """What the form begins with, and what the page says about it."""
    begun = {} if plan is None else submissions.answering(plan)
    if chosen is None:
        return Form({**begun, **form.to_dict()}), Hints()
    id = chosen["id"]
    begun |= {"begun_with": id}
    return Form({**begun, **form.to_dict()}), Hints(offered=[chosen], named=id, chosen=id)


def _claim_of(form: Form, name: str, sent: SentForm) -> Claim | None:
    """The claim in a field, if the database still has it."""
    id = text(form, name)
    if not id or _is_away(sent):
        return None
    try:
        found: Claim = _document(_CLAIMS, id, _SHOWN_OF_CLAIM)
    except (NotFound, Gone, Invalid):
        if request.method == "GET":
            raise
        return None
    return found


def _is_away(sent: SentForm) -> bool:
    """Whether nothing can be read for the form: nobody is signed in, or the database is away."""
    return sent.needs_key or sent.status >= _AWAY


def _record_of(form: Form, sent: SentForm) -> files.Record | None:
    """The record of a file that was chosen in a form for which somebody has to sign in again."""
    packed = form.get("record")
    return files.unpacked(packed) if packed and sent.needs_key else None


def _answered(form: Form, plan: Claim | None, sent: SentForm) -> dict[str, Any]:
    """What the pages need to show the claim that is answered, and to keep it if it is not shown."""
    answers = text(form, "answers") or None if plan or _is_away(sent) else None
    return {"plan": plan, "answers": answers, "speaker": spoken_speaker}


def _told(form: Form, hints: Hints) -> dict[str, Any]:
    """What the hints need, and the step that has been reached."""
    is_marked = text(form, "start_char") or text(form, "page")
    step = 3 if hints.trial else 2 if is_marked else 1
    return {"hints": hints, "step": step, "labels": LABELS, "new": NEW}


def _source_of(form: Form) -> Source:
    """The source that the form is about. Raises ``Invalid`` if it is gone."""
    try:
        return _source(text(form, "source"))
    except (NotFound, Gone) as error:
        raise Invalid(str(error)) from error


def _source(id: str) -> Source:
    found: Source = _document(_SOURCES, id, tuple(_SOURCES.document))
    return found


def _document(resource: Readable, id: str, fields: tuple[str, ...]) -> Any:
    """The document of a row, or of that into which it was merged."""
    try:
        known = UUID(id)
    except ValueError:
        detail = f"Choose a {resource.singular} first."
        raise Invalid(detail, [Fault("invalid", "Not an id.", f"#/{resource.singular}")]) from None
    return document_of(resource, known, fields)


def _earlier(source_id: str) -> list[Evidence]:
    """The passages of the source that have positions, in the order of the text."""
    return passages_of(source_id, Criterion("start_char", "isnull", False))[::-1]


def _hints(form: Form, source: Source, *, is_checked: bool = False) -> Hints:
    """The look-alikes, the reading of the figure and the consequences, as far as they go."""
    actor = _actor()
    actor.demand(Scope.CLAIMS_WRITE)
    hints = _seen(form, source["id"])
    if not text(form, "statement") and hints.chosen == NEW and not is_checked:
        return hints
    submitted = form.copy()
    submitted["claim"] = hints.chosen
    try:
        with writing(database()) as session, _faults_of_fields():
            trial = submissions.try_submission(session, actor, _settled(submitted), source)
    except (Invalid, Conflict) as error:
        missing = problems_of(error.faults) or [Problem("", in_words(error.detail))]
        return replace(hints, missing=missing)
    return replace(hints, trial=trial)


def _seen(form: Form, source_id: str) -> Hints:
    """What can be said of the form before it is tried."""
    said = text(form, "statement")
    marked = sorted(
        marked_before(source_id, form), key=lambda each: has_words(each, said), reverse=True
    )
    claims_with_it = {each["claim"]["id"] for each in marked}
    named = _named(form)
    similar: Sequence[Alike] = ()
    if said:
        with writing(database()) as session:
            similar = submissions.look_alikes(session, _actor(), form)[:_MOST_ALIKE]
        offered = {each["id"] for each in named.claims}
        similar = [each for each in similar if each["claim"]["id"] not in offered]
    chosen = _preselected(form, named, similar, claims_with_it)
    is_new = chosen == NEW
    return Hints(
        marked,
        claims_with_it,
        any(has_words(each, said) for each in marked[:1]),
        similar,
        named.claims,
        _named_alone(named),
        chosen,
        *_reading(form),
        submissions.unknown_claimant(form) if is_new else "",
        submissions.named_twice(form) if is_new else (),
    )


def _after_failure(form: Form, failed: SentForm) -> Hints | None:
    """What can be said of a form that failed, with the claim that was chosen in it.

    Whatever fails here, the form has to be shown.
    """
    if failed.status >= _AWAY:
        return None
    try:
        return _as_listed(form) if failed.needs_key else _as_sent(form)
    except (DomainError, psycopg.Error):
        return None


def _as_listed(form: Form) -> Hints:
    """The claims that the page had listed, for when nobody is signed in who may compare them."""
    named = _named(form)
    choice = _choice(form, named)
    chosen = text(form, "claim") or NEW if choice is None else choice
    listed = claims_with([chosen, *text(form, "listed").split()])
    known = {each["id"] for each in listed}
    offered = [*listed, *(each for each in named.claims if each["id"] not in known)]
    return Hints(offered=offered, named=_named_alone(named), chosen=chosen)


def _as_sent(form: Form) -> Hints:
    """What can be said of a form of somebody who is signed in."""
    chosen, hints = text(form, "claim"), _seen(form, text(form, "source"))
    claims = [*hints.offered, *(each["claim"] for each in hints.similar)]
    if chosen in {"", NEW, *(each["id"] for each in claims)}:
        return hints
    return replace(hints, similar=(), offered=claims_with([chosen]), chosen=chosen)


def _named(form: Form) -> NamedClaims:
    return claims_named(text(form, "existing"), text(form, "named"))


def _named_alone(named: NamedClaims) -> str:
    return named.claims[0]["id"] if named.is_exact else ""


def _choice(form: Form, named: NamedClaims) -> str | None:
    """The claim that is chosen by the field for existing ones; ``None`` if that is empty.

    The list of the claims that are named comes before the field once the page has shown it. The
    choice is empty if it has to be made in that list.
    """
    typed, chosen = text(form, "existing"), text(form, "claim")
    if not typed:
        return None
    if chosen and typed == text(form, "looked_up"):
        return chosen
    return named.claims[0]["id"] if named.is_exact else ""


def _settled(form: Form) -> Form:
    """The form with the claim that is chosen by the field for existing ones.

    Raises ``Invalid`` if that names none, or several of which none is chosen.
    """
    named = _named(form)
    choice = _choice(form, named)
    if choice is None:
        return form
    if not choice:
        detail = (
            gettext("Choose one of the claims that are listed below, or a new one.")
            if named.claims
            else gettext("No claim has this address, id or words.")
        )
        raise Invalid("No claim is chosen.", [Fault("not_found", detail, "#/existing")])
    settled = form.copy()
    settled["claim"] = choice
    return settled


def _preselected(
    form: Form, named: NamedClaims, similar: Sequence[Alike], claims_with_it: Collection[str]
) -> str:
    """The claim to which the passage is attached, unless somebody chooses another.

    A claim that is likely the same is the default when it is listed for the first time, unless
    it has the passage, or another claim was named.
    """
    choice = _choice(form, named)
    if choice == "" or choice in {each["id"] for each in named.claims}:
        return choice
    passed = {*text(form, "listed").split(), *claims_with_it}
    ids = {each["claim"]["id"] for each in similar}
    for each in similar:
        if each["likely_same"] and each["claim"]["id"] not in passed:
            return str(each["claim"]["id"])
    chosen = text(form, "claim")
    return chosen if chosen in ids else NEW


def _reading(form: Form) -> tuple[str, str]:
    """How the figure is read, and why it cannot be; one of them is empty, or both."""
    words = text(form, "as_stated")
    # Words that are too long are a fault of their field, and the reader of figures allows more.
    if not words or len(words) > MOST_STATED:
        return "", ""
    try:
        reading = figure_in_words(read_stated(words))
    except UnreadableFigure as error:
        return "", in_words(str(error))
    if submissions.is_exact(form):
        return gettext("%(figure)s, exactly this number", figure=reading), ""
    return reading, ""


def _actor() -> Actor:
    found = access.actor()
    if found is None:
        raise Unauthenticated(gettext("You are no longer signed in."))
    return found


@contextmanager
def _faults_of_fields() -> Iterator[None]:
    """Let faults point to the fields of the form instead of those of the rows."""
    try:
        yield
    except FaultsError as error:
        faults = [replace(each, pointer=f"#/{_field(each.pointer)}") for each in error.faults]
        raise type(error)(error.detail, faults) from error


def _field(pointer: str | None) -> str:
    """The field of the form for a pointer into a body; empty if it has none."""
    parts = [part for part in (pointer or "").split("/") if not part.isdigit()]
    last = parts[-1] if parts else ""
    if "contributors" in parts:
        # The position does not tell whether it is the author or the publisher.
        return ""
    if last.endswith(("_char", "_sha256", "char_length")):
        return "words"
    name = last.removesuffix("_external_id").removesuffix("_id")
    name = "claimant" if name == "claimant_as_stated" else _FIELDS.get(name, name)
    return name if name in LABELS else ""


def _next_url(source_id: str, form: Form, *names: str, **more: str) -> str:
    kept = {name: typed for name in names if (typed := text(form, name))}
    return f"{url_for('pages.add')}?{urlencode({'source': source_id, **kept, **more})}{_SAVED}"
