"""Forms: who may send one, that it is sent once, and that nothing typed is lost when it fails.

A form has three hidden fields, which the macro ``protected`` of ``forms.html`` writes: ``csrf`` is
bound to the session, so that no other site can send the form; ``idempotency`` makes a form that is
sent twice write once; ``version`` is the version of the row that was read. A form that cannot be
carried out is shown again with what was typed, and with a field for the key if the session has
ended.
"""

import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple
from uuid import UUID

from flask import Response, current_app, g, redirect, request
from structlog.contextvars import bind_contextvars

from hksz_db.database import Session
from hksz_db.domain.errors import (
    Conflict,
    Contended,
    DomainError,
    Fault,
    FaultsError,
    Gone,
    InFlight,
    Invalid,
    Malformed,
    Merged,
    NotFound,
    Stale,
    Unauthenticated,
)
from hksz_db.domain.vocabulary import Scope
from hksz_db.http.requests import database
from hksz_db.http.statuses import status_of
from hksz_db.services import sessions
from hksz_db.services.api_keys import Actor
from hksz_db.services.idempotency import Answer, Repeatable, begin, keep
from hksz_db.services.review import ReviewRules
from hksz_db.services.writing import retried, writing
from hksz_db.web import access
from hksz_db.web.messages import in_words
from hksz_db.web.site import shown
from hksz_db.web.translating import gettext

IDEMPOTENCY, VERSION, KEY = "idempotency", "version", "key"
_HIDDEN = {access.CSRF, IDEMPOTENCY, VERSION, KEY}
_IDEMPOTENCY_KEY = re.compile(r"[\w-]{16,64}", re.ASCII)
_ATTEMPTS, _PAUSE_S = 10, 0.1


class Problem(NamedTuple):
    """A fault of a form, and the field that it is about; empty for the whole form."""

    field: str
    detail: str


def problems_of(faults: Sequence[Fault]) -> list[Problem]:
    """The faults by field; the field of ``#/figures/0/unit`` is ``figures.0.unit``."""
    return [
        Problem(
            (each.pointer or "").removeprefix("#").lstrip("/").replace("/", "."),
            in_words(each.detail),
        )
        for each in faults
    ]


@dataclass(frozen=True)
class Form:
    """A form as it is shown, or as it was sent.

    ``values`` are what was typed, and ``pairs`` the same with all values of a field. ``version`` is
    the version of the row that was read. After a failure, ``status`` is that of the answer, and
    ``detail`` and ``faults`` say what is wrong. ``needs_key`` asks to sign in. ``outdated`` is the
    version that was read before another write.
    """

    values: Mapping[str, str]
    idempotency: str
    version: int | None = None
    pairs: Sequence[tuple[str, str]] = ()
    status: int = 200
    detail: str = ""
    faults: Sequence[Fault] = ()
    needs_key: bool = False
    outdated: int | None = None

    def value(self, name: str, otherwise: str = "") -> str:
        """What was typed into a field."""
        return self.values.get(name, otherwise)

    @property
    def problems(self) -> list[Problem]:
        """The faults by field."""
        return problems_of(self.faults)

    def faults_of(self, name: str) -> list[str]:
        """What is wrong with a field."""
        return [each.detail for each in self.problems if each.field == name]


class Write(NamedTuple):
    """A write: its transaction, the key, the version that it may change, and what was typed.

    ``versions`` is that one, or ``None`` if the form changes no row that was read.
    """

    session: Session
    actor: Actor
    versions: list[int] | None
    form: Form

    @property
    def rules(self) -> ReviewRules:
        """What the key may do in reviews."""
        return ReviewRules.of(self.actor, four_eyes=current_app.config["FOUR_EYES"])


def new_form(version: int | None = None, **values: str) -> Form:
    """A form that has not been sent yet, with what its fields begin with."""
    return Form(values, secrets.token_urlsafe(16), version)


def sent_form(*, changes_row: bool = False) -> Form:
    """The form in the body of the request. Raises ``Malformed`` if its hidden fields are not ours.

    A form that changes a row has the version that was read. Werkzeug answers with 413 if the form
    is too long.
    """
    request.max_content_length = current_app.config["MAX_BODY_BYTES"]
    sent = request.form.to_dict()
    idempotency, version = sent.get(IDEMPOTENCY, ""), sent.get(VERSION, "")
    is_number = version.isascii() and version.isdigit() and len(version) < 10
    is_versioned = is_number or not (version or changes_row)
    if not _IDEMPOTENCY_KEY.fullmatch(idempotency) or not is_versioned:
        raise Malformed("The form is not complete: its hidden fields are missing.")
    pairs = [
        (name, text.replace("\r\n", "\n"))
        for name, text in request.form.items(multi=True)
        if name not in _HIDDEN
    ]
    # Of several values of a field, the first, as in ``sent``.
    values = dict(reversed(pairs))
    return Form(values, idempotency, int(version) if version else None, pairs)


def submit(
    form: Form, work: Callable[[Write], str], again: Callable[[Form], Response], *scopes: Scope
) -> Response:
    """Carry out a form once, and lead the browser to the page whose path ``work`` returns.

    If that fails, the answer is ``again``: the page with the form as it was sent.
    """
    try:
        check_session()
        # The same form may be being carried out: its answer is this one's, too.
        write = partial(_write, form, work, scopes)
        path = retried(write, _ATTEMPTS, after=(Contended, InFlight), pause_s=_PAUSE_S)
    except (NotFound, Gone, Merged):
        raise
    except DomainError as error:
        return refused(form, error, again)
    return redirect(path, 303)  # type: ignore[return-value]


def check_session() -> None:
    """Sign in with the key in the form, if there is one; otherwise check that the form is ours."""
    if access.actor() is None:
        # The key itself shows that no other site has sent the form.
        key = request.form.get(KEY, "")
        if not key:
            raise Unauthenticated(
                gettext("You are no longer signed in. Nothing that you typed is lost.")
            )
        access.sign_in(key)
    else:
        access.check_csrf()


def _write(form: Form, work: Callable[[Write], str], scopes: Sequence[Scope]) -> str:
    with writing(database()) as session:
        actor = sessions.resume(session, access.token() or "", g.request_id)
        if actor is None:
            raise Unauthenticated(gettext("You are no longer signed in."))
        bind_contextvars(key=actor.label)
        for scope in scopes:
            actor.demand(scope)
        this = Repeatable(actor.id, f"page-{form.idempotency}", _digest(form))
        if (before := _begun(session, this)) is not None:
            return str(before.location)
        versions = None if form.version is None else [form.version]
        path = work(Write(session, actor, versions, form))
        keep(session, this, Answer(200, None, path, b""))
        return path


def _begun(session: Session, this: Repeatable) -> Answer | None:
    try:
        return begin(session, this)
    except Invalid as error:
        detail = gettext(
            "This form has already been sent, and was changed since. Send it again to save it as a"
            " new entry."
        )
        raise Conflict(detail) from error


def _digest(form: Form) -> bytes:
    sent = repr((request.path, form.version, sorted(form.pairs)))
    return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).digest()


def refused(form: Form, error: DomainError, again: Callable[[Form], Response]) -> Response:
    """The page with the form as it was sent, and what is wrong with it."""
    failed = _failed(form, error)
    is_closed = not current_app.config["OPEN_READS"]
    if is_closed and (failed.needs_key or g.get("actor") is None):
        # The page may show what only keys may read.
        return shown("sign_in_again.html", failed.status, form=failed)
    return again(failed)


def _failed(form: Form, error: DomainError) -> Form:
    shown = replace(form, status=status_of(error), detail=in_words(str(error)))
    if isinstance(error, Conflict):
        # The form may have been sent before; sent again, it is another one.
        shown = replace(shown, idempotency=secrets.token_urlsafe(16))
    if isinstance(error, FaultsError):
        shown = replace(shown, faults=error.faults)
    if isinstance(error, Invalid) and error.faults:
        # The services speak of the body of a request.
        detail = gettext("Something is missing or cannot be saved as it is.")
        shown = replace(shown, detail=detail)
    if isinstance(error, Unauthenticated):
        shown = replace(shown, needs_key=True)
    if isinstance(error, Stale):
        # Sent again, it changes the version that is shown beside it.
        shown = replace(shown, outdated=form.version, version=error.version)
    return shown


def require(form: Form, name: str, message: str) -> str:
    """What was typed into a field. Raises ``Invalid`` with the message if that is nothing."""
    typed = form.value(name).strip()
    if not typed:
        raise Invalid("A field is missing.", [Fault("required", message, f"#/{name}")])
    return typed


def chosen_id(form: Form, name: str) -> UUID:
    """The id in a field. Raises ``Malformed`` if it is none."""
    try:
        return UUID(form.value(name))
    except ValueError:
        raise Malformed(f"{name} must be an id.") from None
