"""Adding a passage, step by step: its source, the passage, its claim, and what follows.

All values travel in the form, so that a page that comes back with an error loses none of them. The
text of the source has no field: it stays in the browser.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from flask import Response, g, request, url_for

from hksz_db.database import Session
from hksz_db.domain.errors import DomainError, Fault, FaultsError, Invalid, Unauthenticated
from hksz_db.domain.figure_printing import printed
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.stated_figures import read_stated
from hksz_db.domain.vocabulary import (
    Comparator,
    ContributorRole,
    CslType,
    Modality,
    Stance,
)
from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.http.statuses import status_of
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.api_keys import Actor, authenticate
from hksz_db.services.idempotency import Answer, Repeatable, begin, keep
from hksz_db.services.writing import translate, writing
from hksz_db.web import submissions
from hksz_db.web.interface import names_preferred
from hksz_db.web.search import address_or_doi
from hksz_db.web.site import href, pages, shown
from hksz_db.web.submissions import NEW, Form, SimilarSources, text

_SOURCES, _EVIDENCE = RESOURCES["sources"], RESOURCES["evidence"]
_MOST_PASSAGES = 100
_MOST_LISTED = 20
_SUGGESTIONS = 8
_SUGGESTED = ("entities", "metrics", "units")
_REPEATING = ("copy_of", "syndicated_from", "translation_of", "rewrite_of", "quotes", "based_on")

Json = Mapping[str, Any]


class Problem(NamedTuple):
    """A fault of the form: the field that it is about, if any, and what is wrong."""

    field: str
    detail: str


class Hints(NamedTuple):
    """What the page says about a form that is being filled in."""

    similar: Sequence[Json] = ()
    chosen: str = NEW
    reading: str = ""
    trial: submissions.Trial | None = None
    missing: Sequence[Problem] = ()


@pages.get("/add")
@costs(Cost.COSTLY)
def add() -> Response:
    """The first step or, once the source is known, the others."""
    if source_id := request.args.get("source"):
        return _marking(_source(source_id), request.args, Hints())
    return _choosing(request.args)


@pages.post("/add/source")
@costs(Cost.COSTLY)
def add_source() -> Response:
    """Add the source and go on to its passages."""
    form = request.form
    similar: Sequence[Json] = ()

    def create(session: Session, actor: Actor) -> str:
        return _next_url(str(submissions.create_source(session, actor, form)), form)

    try:
        return _go(_once(create))
    except SimilarSources as error:
        similar = error.similar
        problems, status = [], 409
    except (DomainError, psycopg.Error) as error:
        known = _known(error)
        problems, status = [*_problems(known)], status_of(known)
    return _choosing(form, problems, similar, status)


@pages.post("/add")
@costs(Cost.COSTLY)
def add_passage() -> Response:
    """Check the passage, or save it and go on to its claim or to the next passage."""
    form = request.form
    # What the page needs of the source is in the form, too, for when the database is away.
    source: Json = {"id": text(form, "source"), "title": text(form, "title"), "captures": []}
    try:
        source = _source(source["id"])
        if text(form, "go") == "check":
            return _marking(source, form, _hints(form, source))

        def save(session: Session, actor: Actor) -> str:
            claim_id = submissions.submit(session, actor, form, source)
            if text(form, "go") == "next":
                return _next_url(source["id"], form, saved=str(claim_id))
            return href("claims", claim_id)

        return _go(_once(save))
    except (DomainError, psycopg.Error) as error:
        known = _known(error)
        hints = Hints(chosen=text(form, "claim") or NEW)
        return _marking(source, form, hints, [*_problems(known)], status_of(known))


@pages.post("/add/hints")
@costs(Cost.COSTLY)
def add_hints() -> Response:
    """The part of the page that follows from what has been typed so far."""
    form = request.form
    hints = _hints(form, _source(text(form, "source")))
    return shown("add_hints.html", form=form, hints=hints, **_words())


@pages.get("/add/suggest")
@costs(Cost.COSTLY)
def add_suggest() -> Response:
    """Names for what is being typed, as options of a list."""
    kinds = [kind for kind in request.args.getlist("kinds") if kind in _SUGGESTED]
    found = submissions.suggested(request.args.get("q", "").strip()[:200], kinds, _SUGGESTIONS)
    return shown("add_options.html", options=found)


def _choosing(
    form: Form,
    problems: Sequence[Problem] = (),
    similar: Sequence[Json] = (),
    status: int = 200,
) -> Response:
    typed = text(form, "q")
    return shown(
        "add_source.html",
        status,
        form=form,
        typed=typed,
        found=submissions.sources_like(typed) if typed else (),
        similar=similar,
        problems=problems,
        is_address=address_or_doi(typed) is not None,
        types=[*CslType],
        roles=[*ContributorRole],
        repeating=_REPEATING,
        token=text(form, "idempotency") or secrets.token_urlsafe(16),
    )


def _marking(
    source: Json,
    form: Form,
    hints: Hints,
    problems: Sequence[Problem] = (),
    status: int = 200,
) -> Response:
    earlier = _passages_of(source["id"]) if status < 500 else ()
    return shown(
        "add.html",
        status,
        source=source,
        form=form,
        hints=hints,
        problems=problems,
        earlier=earlier,
        most_listed=_MOST_LISTED,
        token=text(form, "idempotency") or secrets.token_urlsafe(16),
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {
        "stances": [*Stance],
        "modalities": [*Modality],
        "comparators": [*Comparator],
        "new": NEW,
    }


def _source(id: str) -> Json:
    try:
        known = UUID(id)
    except ValueError:
        raise Invalid(
            "Choose a source first.", [Fault("invalid", "Not an id.", "#/source")]
        ) from None
    fields = tuple(_SOURCES.document)
    found = documents.document(_SOURCES, known, Reading(fields), names_preferred(None))
    source: Json = json.loads(found.body)
    return source


def _passages_of(source_id: str) -> list[Json]:
    """The passages of the source that have locators."""
    wanted = AllOf((Criterion("source_id", "eq", UUID(source_id)),))
    fields = ("id", "start_char", "end_char", "exact_sha256", "claim", "stance")
    question = Question(wanted, sort=(("id", False),), fields=fields, per_page=_MOST_PASSAGES)
    found: list[Json] = json.loads(documents.page(_EVIDENCE, question, None).data)
    return [each for each in found if each["start_char"] is not None]


def _hints(form: Form, source: Json) -> Hints:
    """The look-alikes, the reading of the figure and the consequences, as far as they go."""
    reading = _reading(text(form, "as_stated"))
    if not text(form, "statement"):
        return Hints(reading=reading)
    with writing(database()) as session:
        similar = submissions.look_alikes(session, _actor(session), form)
    chosen = _preselected(form, similar)
    submitted = form.copy()
    submitted["claim"] = chosen
    try:
        with writing(database()) as session:
            trial = submissions.try_submission(session, _actor(session), submitted, source)
    except Invalid as error:
        return Hints(similar, chosen, reading, None, [*_problems(error)])
    return Hints(similar, chosen, reading, trial)


def _preselected(form: Form, similar: Sequence[Json]) -> str:
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


def _known(error: DomainError | psycopg.Error) -> DomainError:
    """The error in terms of the API. Raises an error of the database that has none."""
    known = error if isinstance(error, DomainError) else translate(error)
    if known is None:
        raise error
    return known


def _problems(error: DomainError) -> Iterator[Problem]:
    faults = error.faults if isinstance(error, FaultsError) else ()
    if not faults:
        yield Problem("", str(error))
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


def _go(location: str) -> Response:
    response = Response(status=303)
    response.headers["Location"] = location
    return response


def _actor(session: Session) -> Actor:
    key = text(request.form, "key")
    if not key:
        raise Unauthenticated(
            "This needs your key.", [Fault("required", "Give your key.", "#/key")]
        )
    return authenticate(session, key, g.request_id)


def _once(work: Callable[[Session, Actor], str]) -> str:
    """Where ``work`` leads, or where it led when the same form was sent before."""
    form = request.form
    sent = repr((request.path, sorted((n, v) for n, v in form.items(multi=True) if n != "key")))
    with writing(database()) as session:
        actor = _actor(session)
        if not text(form, "idempotency"):
            return work(session, actor)
        digest = hashlib.sha256(sent.encode("utf-8", "surrogatepass")).digest()
        this = Repeatable(actor.id, f"page:{text(form, 'idempotency')}"[:255], digest)
        before = begin(session, this)
        if before is not None and before.location is not None:
            return before.location
        location = work(session, actor)
        keep(session, this, Answer(201, None, location, b""))
        return location
