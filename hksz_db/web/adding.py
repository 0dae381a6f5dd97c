"""Adding a passage, step by step: its source, the passage, its claim, and what follows.

All values travel in the form, so that a page that comes back with an error loses none of them. The
text of the source has no field: it stays in the browser.
"""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for
from werkzeug import Response as BaseResponse

from hksz_db.domain.errors import (
    Conflict,
    DomainError,
    Fault,
    Gone,
    Invalid,
    Merged,
    NotFound,
    Unauthenticated,
)
from hksz_db.domain.figure_printing import printed
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.stated_figures import read_stated
from hksz_db.domain.vocabulary import (
    Comparator,
    ContributorRole,
    CslType,
    Modality,
    Scope,
    Stance,
)
from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.queries.document_types import Alike, Evidence, Source, Titled
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.api_keys import Actor
from hksz_db.services.writing import writing
from hksz_db.web import access, submissions
from hksz_db.web.access import demand
from hksz_db.web.forms import Form as SentForm
from hksz_db.web.forms import Write, check_session, new_form, refused, sent_form, submit
from hksz_db.web.interface import names_preferred
from hksz_db.web.search import address_or_doi
from hksz_db.web.site import href, pages, shown
from hksz_db.web.submissions import NEW, Form, SimilarSources, text
from hksz_db.web.translating import gettext

_SOURCES, _EVIDENCE = RESOURCES["sources"], RESOURCES["evidence"]
_MOST_PASSAGES = 100
_MOST_LISTED = 20
_AWAY = 500
_MOST_ALIKE = 4
_SUGGESTIONS = 8
_SUGGESTED = ("entities", "metrics", "units")
_REPEATING = ("copy_of", "syndicated_from", "translation_of", "rewrite_of", "quotes", "based_on")


class Problem(NamedTuple):
    """A fault of the form: the field that it is about, if any, and what is wrong."""

    field: str
    detail: str


class Hints(NamedTuple):
    """What the page says about a form that is being filled in."""

    similar: Sequence[Alike] = ()
    chosen: str = NEW
    reading: str = ""
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


@pages.post("/add/source")
@costs(Cost.COSTLY)
def add_source() -> Response:
    """Add the source and go on to its passages."""
    sent, similar = sent_form(), list[Titled]()

    def create(write: Write) -> str:
        try:
            id = submissions.create_source(write.session, write.actor, request.form)
        except SimilarSources as error:
            similar.extend(error.similar)
            detail = gettext("There are sources like it. Say whether it is one of them.")
            raise Conflict(detail) from error
        return _next_url(str(id), request.form)

    return submit(sent, create, lambda failed: _choosing(request.form, failed, similar))


@pages.post("/add")
@costs(Cost.COSTLY)
def add_passage() -> Response:
    """Check the passage, or save it and go on to its claim or to the next passage."""
    sent, form = sent_form(), request.form

    def save(write: Write) -> str:
        source = _source_of(form)
        claim_id = submissions.submit(write.session, write.actor, form, source)
        if text(form, "go") == "next":
            return _next_url(source["id"], form, saved=str(claim_id))
        return href("claims", claim_id)

    def again(failed: SentForm) -> Response:
        # What the page needs of the source is in the form, for when the database is away.
        known: Titled = {"id": text(form, "source"), "title": text(form, "title")}
        return _marking(known, form, failed, Hints(chosen=text(form, "claim") or NEW))

    if text(form, "go") != "check":
        return submit(sent, save, again)
    try:
        check_session()
        source = _source_of(form)
        return _marking(source, form, sent, _hints(form, source))
    except DomainError as error:
        return refused(sent, error, again)


@pages.post("/add/hints")
@costs(Cost.COSTLY)
def add_hints() -> Response:
    """The part of the page that follows from what has been typed so far."""
    check_session()
    form = request.form
    return shown("add_hints.html", hints=_hints(form, _source_of(form)), form=form, new=NEW)


@pages.get("/add/suggest")
@costs(Cost.COSTLY)
def add_suggest() -> BaseResponse:
    """Names for what is being typed, as options of a list."""
    if (sent_away := demand(Scope.CLAIMS_WRITE)) is not None:
        return sent_away
    kinds = [kind for kind in request.args.getlist("kinds") if kind in _SUGGESTED]
    found = submissions.suggested(request.args.get("q", "").strip()[:200], kinds, _SUGGESTIONS)
    return shown("add_options.html", options=found)


def _choosing(form: Form, sent: SentForm, similar: Sequence[Titled] = ()) -> Response:
    typed = text(form, "q")
    is_searched = typed and not sent.needs_key and sent.status < _AWAY
    return shown(
        "add_source.html",
        sent.status,
        form=form,
        sent=sent,
        typed=typed,
        found=submissions.sources_like(typed) if is_searched else (),
        similar=similar,
        problems=_problems_of(sent),
        is_address=address_or_doi(typed) is not None,
        types=[*CslType],
        roles=[*ContributorRole],
        repeating=_REPEATING,
    )


def _marking(source: Titled, form: Form, sent: SentForm, hints: Hints | None = None) -> Response:
    return shown(
        "add.html",
        sent.status,
        source=source,
        form=form,
        sent=sent,
        hints=hints or Hints(),
        problems=_problems_of(sent),
        earlier=_passages_of(source["id"]) if sent.status < _AWAY else (),
        most_listed=_MOST_LISTED,
        stances=[*Stance],
        modalities=[*Modality],
        comparators=[*Comparator],
        new=NEW,
    )


def _source_of(form: Form) -> Source:
    """The source that the form is about. Raises ``Invalid`` if it is gone."""
    try:
        return _source(text(form, "source"))
    except (NotFound, Gone) as error:
        raise Invalid(str(error)) from error


def _source(id: str) -> Source:
    try:
        known = UUID(id)
    except ValueError:
        raise Invalid(
            "Choose a source first.", [Fault("invalid", "Not an id.", "#/source")]
        ) from None
    fields = tuple(_SOURCES.document)
    try:
        found = documents.document(_SOURCES, known, Reading(fields), names_preferred(None))
    except Merged as error:
        return _source(str(error.into_id))
    source: Source = json.loads(found.body)
    return source


def _passages_of(source_id: str) -> list[Evidence]:
    """The passages of the source that have locators; none if the id is no id."""
    try:
        wanted = AllOf((Criterion("source_id", "eq", UUID(source_id)),))
    except ValueError:
        return []
    fields = ("id", "start_char", "end_char", "exact_sha256", "claim", "stance")
    question = Question(wanted, sort=(("id", False),), fields=fields, per_page=_MOST_PASSAGES)
    found: list[Evidence] = json.loads(documents.page(_EVIDENCE, question, None).data)
    return [each for each in found if each["start_char"] is not None]


def _hints(form: Form, source: Source) -> Hints:
    """The look-alikes, the reading of the figure and the consequences, as far as they go."""
    reading = _reading(text(form, "as_stated"))
    if not text(form, "statement"):
        return Hints(reading=reading)
    actor = _actor()
    actor.demand(Scope.CLAIMS_WRITE)
    with writing(database()) as session:
        similar = submissions.look_alikes(session, actor, form)[:_MOST_ALIKE]
    chosen = _preselected(form, similar)
    submitted = form.copy()
    submitted["claim"] = chosen
    try:
        with writing(database()) as session:
            trial = submissions.try_submission(session, actor, submitted, source)
    except Invalid as error:
        return Hints(similar, chosen, reading, None, [*_problems(error.detail, error.faults)])
    return Hints(similar, chosen, reading, trial)


def _preselected(form: Form, similar: Sequence[Alike]) -> str:
    """The claim to which the passage is attached, unless somebody chooses another.

    A claim that is likely the same is the default when it is listed for the first time.
    """
    listed = text(form, "listed").split()
    ids = {each["claim"]["id"] for each in similar}
    for each in similar:
        if each["likely_same"] and each["claim"]["id"] not in listed:
            return str(each["claim"]["id"])
    chosen = text(form, "claim")
    return chosen if chosen in ids else NEW


def _reading(words: str) -> str:
    if not words:
        return ""
    try:
        return printed(read_stated(words))
    except UnreadableFigure as error:
        return str(error)


def _actor() -> Actor:
    found = access.actor()
    if found is None:
        raise Unauthenticated(gettext("You are no longer signed in."))
    return found


def _problems_of(sent: SentForm) -> list[Problem]:
    return [*_problems(sent.detail, sent.faults)] if sent.detail else []


def _problems(detail: str, faults: Sequence[Fault]) -> Iterator[Problem]:
    if not faults:
        yield Problem("", detail)
    for fault in faults:
        last = (fault.pointer or "#").rpartition("/")[2]
        yield Problem(_field(last), fault.detail)


def _field(last: str) -> str:
    """The field of the form for the last token of a pointer into a body."""
    if last.endswith(("_char", "_sha256")):
        return "words"
    name = last.removesuffix("_external_id").removesuffix("_id").removesuffix("_as_stated")
    return {"attributed_to": "reports", "as": "as_stated", "#": ""}.get(name, name)


def _next_url(source_id: str, form: Form, **more: str) -> str:
    kept = {name: typed for name in ("reports",) if (typed := text(form, name))}
    return f"{url_for('pages.add')}?{urlencode({'source': source_id, **kept, **more})}"
