"""What a request holds (its body and its key), and the places that it may take."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

from flask import current_app, request
from marshmallow import Schema

from hksz_db.api.intake import is_bulk
from hksz_db.database import Session
from hksz_db.domain import locators, strict_json
from hksz_db.domain.errors import Cause, Invalid, Malformed, Overloaded, Unauthenticated
from hksz_db.http.statuses import ApiError
from hksz_db.services import loading
from hksz_db.services.api_keys import Actor
from hksz_db.services.review import ReviewRules

MERGE_PATCH = "application/merge-patch+json"
PLAIN_TEXT = "text/plain"


@dataclass(frozen=True)
class Write:
    """A write: its transaction, the owner of the key, and the ``versions`` of ``If-Match``.

    ``None`` allows any version. What a ``dry_run`` writes is rolled back.
    """

    session: Session
    actor: Actor
    versions: list[int] | None
    dry_run: bool = False

    @property
    def rules(self) -> ReviewRules:
        """What the key may do in reviews."""
        return ReviewRules.of(self.actor, four_eyes=current_app.config["FOUR_EYES"])


class Places:
    """A ``number`` of places, which threads take."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.taken = 0
        self._lock = Lock()

    @contextmanager
    def one(self, refusal: str, cause: Cause) -> Iterator[None]:
        """Take a place for the block. Raises ``Overloaded`` if all are taken."""
        with self._lock:
            if self.taken >= self.number:
                raise Overloaded(refusal, cause)
            self.taken += 1
        try:
            yield
        finally:
            with self._lock:
                self.taken -= 1


def bearer_key() -> str:
    """The key of the request. Raises ``Unauthenticated`` if it has none."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated("This needs a key: Authorization: Bearer hksz_….")
    return key.strip()


def load(schema: Schema, *media_types: str) -> dict[str, Any]:
    """The body, loaded through the schema.

    Raises ``Invalid`` with a pointer to each fault, and the errors of ``load_object``.
    """
    return loading.load(schema, load_object(*media_types))


def load_object(*media_types: str) -> dict[str, strict_json.Json]:
    """The body, which must be a JSON object (``strict_json``).

    ``media_types`` are accepted in addition to JSON. Raises ``ApiError`` 413 or 415, and
    ``Malformed``.
    """
    check_media_type("application/json", *media_types)
    try:
        text = read_body().decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8 (byte {error.start}).") from None
    document = strict_json.parse(text, "The body")
    if not isinstance(document, dict):
        raise Malformed("The body must be a JSON object.")
    return document


def load_text(schema: Schema) -> str:
    """The text in the body, in the form ``nfc-ws1``.

    The body is plain text in one of ``locators.CHARSETS``, or JSON with the text in the field
    ``text`` of the schema. Raises ``ApiError`` 413 or 415, ``Malformed`` if the JSON cannot be
    read, and ``Invalid`` if the text cannot. The messages do not repeat any of the text.
    """
    try:
        if request.mimetype != PLAIN_TEXT:
            return locators.read_decoded(load(schema, PLAIN_TEXT)["text"])
        check_media_type(PLAIN_TEXT, charsets=locators.CHARSETS)
        return locators.read(read_body(), _charset())
    except locators.NotText as error:
        raise Invalid(str(error)) from None


def check_media_type(*accepted: str, charsets: Sequence[str] = ("utf-8",)) -> None:
    """Raise ``ApiError`` 415 unless the body has one of the types and character sets."""
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if request.mimetype not in accepted or _charset() not in charsets or encoding != "identity":
        types, sets = " or ".join(accepted), " or ".join(charsets).upper()
        raise ApiError(415, f"The body must be {types} in {sets}, not encoded.")


def _charset() -> str:
    return request.mimetype_params.get("charset", "utf-8").lower()


def read_body() -> bytes:
    """The bytes of the body. Raises ``ApiError`` 413 if there are too many."""
    limit: int = current_app.config["MAX_BULK_BYTES" if is_bulk(request.path) else "MAX_BODY_BYTES"]
    # A chunked body has no declared length: one byte too many shows that it is too long.
    request.max_content_length = limit + 1
    declared = request.content_length or 0
    body = b"" if declared > limit else request.get_data()
    if max(declared, len(body)) > limit:
        raise ApiError(413, f"The body may have at most {limit} bytes.")
    if len(body) < declared:
        raise Malformed("The body ended before its declared length.")
    return body
