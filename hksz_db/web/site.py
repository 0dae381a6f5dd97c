"""The blueprint of the pages: what is checked before each, and what is added to each answer."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Flask, Response, g, redirect, request, url_for
from werkzeug import Response as BaseResponse
from werkzeug.datastructures import MIMEAccept

from hksz_db.domain.vocabulary import Scope
from hksz_db.http.conditions import content_tag, is_known
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import arguments
from hksz_db.web import assets
from hksz_db.web.access import actor, admit, csrf_token, remember_session
from hksz_db.web.comparing import contradicted, explained
from hksz_db.web.foreign import guessed, lang, noted, spoken, within
from hksz_db.web.interface import (
    INTERFACES,
    PARAMETER,
    check_interface,
    forget_interface,
    interface,
    is_foreign,
    keep_interface,
    language_of,
    remember_interface,
)
from hksz_db.web.labels import field_in_words
from hksz_db.web.messages import in_words
from hksz_db.web.templating import Templates, register_templates, rendered
from hksz_db.web.terms import is_sent_back, state, term
from hksz_db.web.translating import gettext, marked_up, register_translations
from hksz_db.web.translating import marked as _
from hksz_db.web.verdicts import changed_origins
from hksz_db.web.wording import gap, moment_in_words, number_in_words, time_in_words

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""The headers of every page."""

NAVIGATION = (
    ("pages.search", _("Claims")),
    ("pages.entities", _("Entities")),
    ("pages.sources", _("Sources")),
    ("pages.metrics", _("Measures")),
    ("pages.check", _("Check")),
)
"""The pages that every page links to: their endpoints and labels."""

NAVIGATION_OF_KEYS: tuple[tuple[str, str, Scope | None], ...] = (
    ("pages.add", _("Add"), Scope.CLAIMS_WRITE),
    ("pages.review", _("Review"), Scope.REVIEW),
    ("pages.my_work", _("My work"), None),
)
"""Further pages, for those who have signed in: endpoint, label, and the scope that is needed."""

VARY = "Accept, Accept-Language, Cookie"


class FormatLink(NamedTuple):
    """What the page shows, in another format."""

    label: str
    url: str
    media_type: str = ""


class Option(NamedTuple):
    """A value of a parameter that can be chosen."""

    value: str
    label: str
    is_chosen: bool


class _Item(NamedTuple):
    href: str
    label: str
    is_here: bool


pages = Blueprint("pages", __name__, template_folder="templates")

_WITH_PAGES: dict[str, str] = {}
_PAGES_OF_FORMS: dict[str, str] = {}
_HTML, _JSON = "text/html", "application/json"
_View = TypeVar("_View", bound=Callable[..., Any])


def page_of(resource: str) -> Callable[[_View], _View]:
    """Declare that the decorated view, which takes ``id``, is the page of a resource's rows."""

    def declare(view: _View) -> _View:
        pages.add_url_rule(f"/{resource}/<uuid:id>", view_func=view)
        _WITH_PAGES[resource] = f"{pages.name}.{view.__name__}"
        return view

    return declare


def form_of(page: str, rule: str) -> Callable[[_View], _View]:
    """Declare that the decorated view receives a form of a page, to which a GET of the rule leads.

    Browsers send one when the answer to a form that failed is asked for again.
    """

    def declare(view: _View) -> _View:
        pages.add_url_rule(rule, view_func=view, methods=["POST"])
        pages.add_url_rule(rule, view_func=page_of_form)
        _PAGES_OF_FORMS[rule] = page
        return view

    return declare


@costs(Cost.BOUNDED)
def page_of_form(**_variables: object) -> BaseResponse:
    """Lead to the page of a form."""
    assert request.url_rule is not None
    return redirect(url_for(_PAGES_OF_FORMS[request.url_rule.rule]), 303)


def href(resource: str, id: str | UUID) -> str:
    """The URL of a row's page or, if its resource has no pages, of its document."""
    return f"/{resource}/{id}" if resource in _WITH_PAGES else f"/v1/{resource}/{id}"


def given(*own: str) -> list[tuple[str, str]]:
    """The pairs of the query string, without the names that only pages know.

    Empty values are left out, because a form sends a field that nobody has filled in.
    """
    return [(name, text) for name, text in arguments() if text and name not in {PARAMETER, *own}]


def here(**changes: str | None) -> str:
    """The path and query string of the page with some parameters changed; ``None`` removes one."""
    kept = [(name, text) for name, text in request.args.items(multi=True) if name not in changes]
    kept += [(name, text) for name, text in changes.items() if text is not None]
    # The answer to a form may stand at a path that cannot be asked for.
    is_asked = request.method in {"GET", "HEAD"}
    path = request.path if is_asked else g.get("form_page") or url_for("pages.search")
    return f"{path}{'&' if '?' in path else '?'}{urlencode(kept)}" if kept else path


def answers_form_of(page: str) -> None:
    """Say on which page the form stands that is being answered; ``here`` leads there."""
    g.form_page = page


def shown(template: str, status: int = 200, **context: object) -> Response:
    """The page that a template makes."""
    return sent(rendered(template, **context), status)


def sent(text: str, status: int = 200, media_type: str = _HTML) -> Response:
    """A text, unless the client has it already."""
    body = text.encode()
    tag = content_tag(body)
    is_unchanged = status == 200 and is_known(tag)
    response = Response(status=304) if is_unchanged else Response(body, status, mimetype=media_type)
    if status == 200:
        response.headers["ETag"] = f'"{tag}"'
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Language"] = interface().tag
    return response


def prefers_html() -> bool:
    """Whether the client prefers a page to a document."""
    accepted = request.environ.get("HTTP_ACCEPT", "")
    if _HTML not in accepted:
        return False
    types: MIMEAccept = request.accept_mimetypes
    return types.quality(_HTML) >= types.quality(_JSON)


def register_site(app: Flask, version: str) -> None:
    """Route requests to the pages, and send browsers from documents to the pages of the rows."""
    app.jinja_environment = Templates
    register_translations(app)
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(pages)
    targets = {f"{resource}.read": page for resource, page in _WITH_PAGES.items()}
    targets |= {"index": "pages.search", "operating.metrics": "pages.metrics"}

    @app.before_request
    def send_to_page() -> BaseResponse | None:
        target = targets.get(request.endpoint or "")
        if target is None or request.method not in {"GET", "HEAD"} or not prefers_html():
            return None
        path = url_for(target, **(request.view_args or {}))
        question = request.query_string.decode("latin-1")
        return redirect(f"{path}?{question}" if question else path, 303)

    @app.after_request
    def vary(response: Response) -> Response:
        if request.endpoint in targets:
            known = response.headers.get("Vary")
            response.headers["Vary"] = f"Accept, {known}" if known else "Accept"
        return response

    app.jinja_env.globals.update(
        actor=actor,
        asset_url=assets.asset_url,
        csrf_token=csrf_token,
        gap=gap,
        here=here,
        href=href,
        interfaces=INTERFACES,
        is_foreign=is_foreign,
        is_sent_back=is_sent_back,
        lang=lang,
        language_of=language_of,
        navigation=_navigation,
        state=state,
        term=term,
        version=version,
    )
    app.jinja_env.filters.update(
        changed_origins=changed_origins,
        contradicted=contradicted,
        explained=explained,
        field=field_in_words,
        guessed=guessed,
        noted=noted,
        message=in_words,
        moment=moment_in_words,
        number=number_in_words,
        spoken=spoken,
        time=time_in_words,
        within=within,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    register_templates(
        app,
        {"_": marked_up, "asset_url": assets.asset_url, "gap": gap, "url_for": url_for},
    )


def _navigation() -> list[_Item]:
    entries = [*NAVIGATION]
    if (signed_in := actor()) is not None:
        entries += [
            (endpoint, label)
            for endpoint, label, scope in NAVIGATION_OF_KEYS
            if scope is None or signed_in.has(scope)
        ]
    paths = [(_path(endpoint), label) for endpoint, label in entries]
    return [_Item(path, gettext(label), request.path.startswith(path)) for path, label in paths]


@cache
def _path(endpoint: str) -> str:
    return url_for(endpoint)


@pages.before_request
def _begin() -> BaseResponse | None:
    check_interface()
    keep_interface()
    return admit()


@pages.teardown_request
def _end(_: BaseException | None) -> None:
    forget_interface()


@pages.after_request
def secured(response: Response) -> Response:
    """Add the headers that every page has."""
    response.headers.update(HEADERS)
    response.headers["Vary"] = VARY
    remember_interface(response)
    remember_session(response)
    return response
