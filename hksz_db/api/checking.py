"""``/v1/check``: a text of somebody else, checked against what is known."""

from typing import Any

from flask import Response, current_app, request

from hksz_db.api import answers
from hksz_db.api.calls import Call, Section
from hksz_db.api.requests import PLAIN_TEXT, check_media_type, load, read_body
from hksz_db.checking.check import check_text
from hksz_db.checking.documents import document_of
from hksz_db.checking.known import KnownNames
from hksz_db.domain.errors import Invalid, Malformed
from hksz_db.domain.locators import NotText
from hksz_db.domain.strict_json import compact
from hksz_db.http.costs import Weight
from hksz_db.http.languages import localized, preference
from hksz_db.http.requests import database
from hksz_db.http.statuses import ApiError
from schemas.checks import MAX_BYTES, CheckSchema, TextToCheckSchema


def _check() -> Response:
    """Check a text: which known claims it repeats, and which figures it contradicts.

    Send it as JSON, or as plain text in UTF-8. Each sentence is answered by its position, never in
    its words, with the entities it names, the figures and times that were read, the claims that
    look like it, and how its figures compare with known ones of the same metric, subject and time.

    A sentence gets a finding only if rules identify the subject and the measure. Otherwise it is
    `not_known`, with the candidates. No statistical model is used. Nothing of the text is stored or
    logged, and none of its words are sent to the database, only hashes, numbers, dates and ids.
    """
    given = _given()
    text = given["text"]
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise ApiError(413, f"The text may have at most {MAX_BYTES} bytes in UTF-8.")
    try:
        found = check_text(
            database(),
            known_names().of(database()),
            text,
            language=given.get("language"),
            published=given.get("published_edtf"),
        )
    except NotText as error:
        raise Invalid(str(error)) from None
    body = compact(document_of(found))
    shown = localized(body, CheckSchema, None, preference(given.get("lang")), None)
    response = answers.json_response(shown.body)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Language"
    if shown.languages:
        response.headers["Content-Language"] = ", ".join(shown.languages)
    return response


def _given() -> dict[str, Any]:
    if request.mimetype != PLAIN_TEXT:
        return load(TextToCheckSchema(), PLAIN_TEXT)
    check_media_type(PLAIN_TEXT)
    try:
        return {"text": read_body().decode()}
    except UnicodeDecodeError as error:
        raise Malformed(f"The body is not UTF-8 (byte {error.start}).") from None


def known_names() -> KnownNames:
    """The names and metrics that this worker looks for."""
    known: KnownNames = current_app.extensions["hksz_known_names"]
    return known


CHECK = Section(
    "check",
    CheckSchema,
    [
        Call(
            "POST ",
            _check,
            CheckSchema,
            headers=("Cache-Control",),
            body={
                "application/json": TextToCheckSchema,
                PLAIN_TEXT: {"type": "string", "minLength": 1},
            },
            errors=(422,),
            weight=Weight.SCAN,
        )
    ],
)
