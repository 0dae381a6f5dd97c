"""Signing in with a key, and signing out."""

from flask import Response, redirect, request, url_for

from hksz_db.domain.errors import Unauthenticated
from hksz_db.http.costs import Cost, costs
from hksz_db.web import access
from hksz_db.web.forms import KEY
from hksz_db.web.messages import in_words
from hksz_db.web.site import NAVIGATION_OF_KEYS, answers_form_of, form_of, pages, shown

_NEXT = "next"


@pages.get("/sign-in")
@costs(Cost.BOUNDED)
def sign_in() -> Response:
    """A form that asks for a key."""
    return shown("sign_in.html", next=access.own_path(request.args.get(_NEXT)), problem="")


@pages.post("/sign-in")
@costs(Cost.BOUNDED)
def begin_session() -> Response:
    """Begin a session, and return to the page that was asked for."""
    following = access.own_path(request.form.get(_NEXT))
    try:
        access.sign_in(request.form.get(KEY, ""))
    except Unauthenticated as error:
        answers_form_of(url_for("pages.sign_in", next=following))
        return shown("sign_in.html", 401, next=following, problem=in_words(str(error)))
    return redirect(following, 303)  # type: ignore[return-value]


@form_of("pages.search", "/sign-out")
@costs(Cost.BOUNDED)
def end_session() -> Response:
    """End the session of the browser, and return to the page if it needs no key."""
    if access.actor() is not None:
        access.check_csrf()
    access.sign_out()
    return redirect(_open_path(request.form.get(_NEXT)), 303)  # type: ignore[return-value]


def _open_path(text: str | None) -> str:
    """The path to return to; that of the search if its page asks for a key."""
    path = access.own_path(text)
    asking = ["pages.sign_in", *(endpoint for endpoint, *_ in NAVIGATION_OF_KEYS)]
    is_asking = path.startswith(tuple(url_for(endpoint) for endpoint in asking))
    return access.own_path(None) if is_asking else path
