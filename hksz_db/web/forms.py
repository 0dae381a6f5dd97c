"""Forms: who may send one, that it is sent once, and that nothing typed is lost when it fails.

A form has three hidden fields, which the macro ``protected`` of ``forms.html`` writes: ``csrf`` is
bound to the session, so that no other site can send the form; ``idempotency`` makes a form that is
sent twice write once; ``version`` is the version of the row that was read. A form that cannot be
carried out is shown again with what was typed, and with a field for the key if the session has
ended.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from flask import Response, current_app, g, redirect, request

from hksz_db.database import Session
from hksz_db.domain.errors import (
    Contended,
    DomainError,
    Fault,
    FaultsError,
    Forbidden,
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
from hksz_db.services.writing import writing
from hksz_db.web import access
from hksz_db.web.translating import gettext

CSRF, IDEMPOTENCY, VERSION, KEY = "csrf", "idempotency", "version", "key"
_HIDDEN = {CSRF, IDEMPOTENCY, VERSION, KEY}
_IDEMPOTENCY_KEY = re.compile(r"[\w-]{16,64}", re.ASCII)
_ATTEMPTS, _PAUSE_S = 10, 0.1


@dataclass(frozen=True)
class Form:
    """A form as it is shown, or as it was sent.

    ``values`` are what was typed. ``version`` is the version of the row that was read. After a
    failure, ``status`` is that of the answer, and ``detail`` and ``faults`` say what is wrong.
    ``needs_key`` asks to sign in. ``outdated`` is the version that was read before another write.
    """

    values: Mapping[str, str]
    idempotency: str
    version: int | None = None
    status: int = 200
    detail: str = ""
    faults: Sequence[Fault] = ()
    needs_key: bool = False
    outdated: int | None = None

    def value(self, name: str, otherwise: str = "") -> str:
        """What was typed into a field."""
        return self.values.get(name, otherwise)

    def faults_of(self, name: str) -> list[str]:
        """What is wrong with a field; the field of ``#/figures/0/unit`` is ``figures.0.unit``."""
        return [each.detail for each in self.faults if field_of(each) == name]


class Write(NamedTuple):
    """A write: its transaction, the key, the versions that it may change, and what was typed."""

    session: Session
    actor: Actor
    versions: list[int] | None
    form: Form

    @property
    def rules(self) -> ReviewRules:
        """What the key may do in reviews."""
        return ReviewRules.of(self.actor, four_eyes=current_app.config["FOUR_EYES"])


def field_of(fault: Fault) -> str:
    """The name of the field that a fault is about; empty if it is about the whole form."""
    return (fault.pointer or "").removeprefix("#").lstrip("/").replace("/", ".")


def new_form(version: int | None = None, **values: str) -> Form:
    """A form that has not been sent yet, with what its fields begin with."""
    return Form(values, secrets.token_urlsafe(16), version)


def sent_form() -> Form:
    """The form in the body of the request. Raises ``Malformed`` if its hidden fields are not ours.

    Werkzeug answers with 413 if it is too long.
    """
    request.max_content_length = current_app.config["MAX_BODY_BYTES"]
    sent = request.form.to_dict()
    idempotency, version = sent.get(IDEMPOTENCY, ""), sent.get(VERSION, "")
    is_number = version.isascii() and version.isdigit() and len(version) < 10
    if not _IDEMPOTENCY_KEY.fullmatch(idempotency) or not (is_number or not version):
        raise Malformed("The form is not complete: its hidden fields are missing.")
    values = {
        name: text.replace("\r\n", "\n") for name, text in sent.items() if name not in _HIDDEN
    }
    return Form(values, idempotency, int(version) if version else None)


def csrf_token() -> str:
    """What a form must hold so that it can be sent in this session; empty without one."""
    token = access.token()
    if token is None:
        return ""
    return hmac.new(token.encode("utf-8", "surrogatepass"), CSRF.encode(), "sha256").hexdigest()


def check_csrf() -> None:
    """Raise ``Forbidden`` if the form was not made in this session."""
    given = request.form.get(CSRF, "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(given, csrf_token().encode()):
        raise Forbidden(
            gettext("The form was made before you signed in as you are now. Send it again.")
        )


def submit(
    form: Form, work: Callable[[Write], str], again: Callable[[Form], Response], *scopes: Scope
) -> Response:
    """Carry out a form once, and lead the browser to the page whose path ``work`` returns.

    If that fails, the answer is ``again``: the page with the form as it was sent.
    """
    try:
        check_session()
        path = _carried_out(form, work, scopes)
    except (NotFound, Gone, Merged):
        raise
    except DomainError as error:
        return again(failed(form, error))
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
        check_csrf()


def _carried_out(form: Form, work: Callable[[Write], str], scopes: Sequence[Scope]) -> str:
    for _ in range(_ATTEMPTS - 1):
        try:
            return _write(form, work, scopes)
        except (Contended, InFlight):
            # The same form may be being carried out: its answer is this one's, too.
            time.sleep(_PAUSE_S)
    return _write(form, work, scopes)


def _write(form: Form, work: Callable[[Write], str], scopes: Sequence[Scope]) -> str:
    with writing(database()) as session:
        actor = sessions.resume(session, access.token() or "", g.request_id)
        if actor is None:
            raise Unauthenticated(gettext("You are no longer signed in."))
        for scope in scopes:
            actor.demand(scope)
        this = Repeatable(actor.id, f"page-{form.idempotency}", _digest(form))
        if (before := begin(session, this)) is not None:
            return str(before.location)
        versions = None if form.version is None else [form.version]
        path = work(Write(session, actor, versions, form))
        keep(session, this, Answer(200, None, path, b""))
        return path


def _digest(form: Form) -> bytes:
    sent = repr((request.path, form.version, sorted(form.values.items())))
    return hashlib.sha256(sent.encode("utf-8", "surrogatepass")).digest()


def failed(form: Form, error: DomainError) -> Form:
    """The form as it is shown again after an error."""
    shown = replace(form, status=status_of(error), detail=str(error))
    if isinstance(error, FaultsError):
        shown = replace(shown, faults=error.faults)
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
        raise Invalid(gettext("Something is missing."), [Fault("required", message, f"#/{name}")])
    return typed


def chosen_id(form: Form, name: str) -> UUID:
    """The id in a field. Raises ``Malformed`` if it is none."""
    try:
        return UUID(form.value(name))
    except ValueError:
        raise Malformed(f"{name} must be an id.") from None
