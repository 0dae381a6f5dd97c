"""Request bodies, limited in length: strict JSON, loaded through a schema, or plain text."""

from typing import Any

from flask import current_app, g, request
from marshmallow import Schema

from hksz_db.api.intake import is_bulk
from hksz_db.api.problems import ApiError
from hksz_db.domain import locators, strict_json
from hksz_db.domain.errors import Invalid, Malformed
from hksz_db.services import loading

MERGE_PATCH = "application/merge-patch+json"
PLAIN_TEXT = "text/plain"


def load(schema: Schema, *media_types: str) -> dict[str, Any]:
    """The body of the request, loaded through the schema.

    Raises ``ApiError`` 413 or 415, ``Malformed`` if the body is not a JSON object in the strict
    sense, and ``Invalid`` with a pointer to each fault.
    """
    return loading.load(schema, load_object(*media_types))


def load_object(*media_types: str) -> dict[str, Any]:
    """The body of the request, which must be a JSON object."""
    _check_media_type("application/json", *media_types)
    document = parse(read_body())
    if not isinstance(document, dict):
        raise Malformed("The body must be a JSON object.")
    return document


def load_text() -> str:
    """The body of the request, which must be plain text, in its normal form (``nfc-ws1``).

    Raises ``ApiError`` 413 or 415, ``Malformed`` if it is not UTF-8, and ``Invalid`` if it is
    empty or contains a NUL. The messages do not repeat any of the text.
    """
    _check_media_type(PLAIN_TEXT)
    try:
        return locators.read(read_body())
    except locators.NotUtf8 as error:
        raise Malformed(str(error)) from None
    except locators.NotText as error:
        raise Invalid(str(error)) from None


def _check_media_type(*accepted: str) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if request.mimetype not in accepted or charset != "utf-8" or encoding != "identity":
        raise ApiError(415, f"The body must be {' or '.join(accepted)} in UTF-8, not encoded.")


def read_body() -> bytes:
    """The body of the request. Raises ``ApiError`` 413 if it is too long."""
    if "body" not in g:
        g.body = _read()
    body: bytes = g.body
    return body


def _read() -> bytes:
    name = "MAX_BULK_BYTES" if is_bulk(request.path) else "MAX_BODY_BYTES"
    limit: int = current_app.config[name]
    declared = request.content_length
    if declared is not None and declared > limit:
        raise ApiError(413, f"The body may have at most {limit} bytes.")
    if declared is None and "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return b""
    # A chunked body has no declared length: one byte too many shows that it is too long.
    body = request.environ["wsgi.input"].read(limit + 1 if declared is None else declared)
    if len(body) > limit:
        raise ApiError(413, f"The body may have at most {limit} bytes.")
    if declared is not None and len(body) < declared:
        raise Malformed("The body ended before its declared length.")
    return bytes(body)


def parse(body: bytes) -> Any:
    """Strict JSON (``strict_json``) in UTF-8. Raises ``Malformed``."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8 (byte {error.start}).") from None
    return strict_json.parse(text, "The body")
