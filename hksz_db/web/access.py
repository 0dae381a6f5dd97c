"""Who reads the pages: the cookie of a session, and the key that it stands for."""

import hmac
import re
from datetime import timedelta
from urllib.parse import urlencode

from flask import Response, current_app, g, redirect, request, url_for
from structlog.contextvars import bind_contextvars
from werkzeug import Response as BaseResponse

from hksz_db.domain.errors import Forbidden
from hksz_db.domain.vocabulary import Scope
from hksz_db.http.requests import SESSION_COOKIE, database
from hksz_db.services import sessions
from hksz_db.services.api_keys import Actor
from hksz_db.services.writing import writing
from hksz_db.web.translating import gettext

CSRF = "csrf"
"""The name of the hidden field that is bound to the session."""

_OPEN = {"pages.sign_in", "pages.begin_session"}
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_FOREIGN = {"cross-site", "same-site"}


def admit() -> BaseResponse | None:
    """Let a request pass, or send the reader to sign in. It is called before every page.

    Raises ``Forbidden`` if another site has sent a form.
    """
    if request.method == "POST" and _is_foreign():
        raise Forbidden("Another site has sent this form. Send it from these pages.")
    if current_app.config["OPEN_READS"] or request.endpoint in _OPEN or request.method == "POST":
        return None
    return None if actor() is not None else ask_to_sign_in()


def _is_foreign() -> bool:
    """Whether a browser says that another site has sent the form."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in _FOREIGN
    # Old browsers do not send it, and others do not over plain HTTP; clients other than browsers
    # send neither. Werkzeug's host would be empty if it is not the name of a domain.
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("Host")


def demand(scope: Scope) -> BaseResponse | None:
    """Send the reader to sign in if needed; raise ``Forbidden`` if their key lacks the scope."""
    found = actor()
    if found is None:
        return ask_to_sign_in()
    found.demand(scope)
    return None


def ask_to_sign_in() -> BaseResponse:
    """Send the reader to sign in, and back to the page that they have asked for."""
    question = request.query_string.decode("latin-1")
    asked = f"{request.path}?{question}" if question else request.path
    return redirect(f"{url_for('pages.sign_in')}?{urlencode({'next': asked})}", 303)


def own_path(text: str | None) -> str:
    """The path to return to; that of the search if it could lead to another site."""
    return text if text and _OWN_PATH.fullmatch(text) else url_for("pages.search")


def token() -> str | None:
    """The token of the session, which need not be valid."""
    if "session_token" not in g:
        g.session_token = request.cookies.get(SESSION_COOKIE)
    found: str | None = g.session_token
    return found


def actor() -> Actor | None:
    """The key with which the reader has signed in. It is looked up once for each request."""
    if "actor" not in g:
        g.actor = None
        if (held := token()) is not None:
            with writing(database()) as session:
                g.actor = sessions.resume(session, held)
            if g.actor:
                bind_contextvars(key=g.actor.label)
    found: Actor | None = g.actor
    return found


def sign_in(key: str) -> None:
    """Begin a session, in place of an earlier one of the browser.

    Raises ``Unauthenticated`` if the key is unknown, expired or revoked.
    """
    lifetime: timedelta = current_app.config["SESSION_LIFETIME"]
    earlier = token()
    with writing(database()) as session:
        begun, found = sessions.sign_in(session, key.strip(), lifetime)
        if earlier is not None:
            sessions.sign_out(session, earlier)
    g.session_token, g.actor, g.session_begins = begun, found, True


def sign_out() -> None:
    """End the session of the browser."""
    if (held := token()) is not None:
        with writing(database()) as session:
            sessions.sign_out(session, held)
    g.session_token, g.actor, g.session_begins = None, None, False


def remember_session(response: Response) -> None:
    """Set the cookie of a session that has begun, or remove that of one that has ended."""
    if "session_begins" in g:
        lifetime: timedelta = current_app.config["SESSION_LIFETIME"]
        response.set_cookie(
            SESSION_COOKIE,
            g.session_token or "",
            lifetime if g.session_begins else 0,
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )
    if g.get("actor") is not None:
        response.headers["Cache-Control"] = "private, no-cache"


def csrf_token() -> str:
    """What a form must hold so that it can be sent in this session; empty without one."""
    held = token()
    if held is None:
        return ""
    return hmac.new(held.encode("utf-8", "surrogatepass"), CSRF.encode(), "sha256").hexdigest()


def check_csrf() -> None:
    """Raise ``Forbidden`` if the form was not made in this session."""
    given = request.form.get(CSRF, "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, csrf_token().encode()):
        raise Forbidden(
            gettext("You have signed in again since this form was opened. Send it again.")
        )
