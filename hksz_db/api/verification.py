"""``POST /v1/sources/{id}/verify``: check locators against a text that the client sends."""

from typing import Any
from uuid import UUID

from flask import Response

from hksz_db.api import answers
from hksz_db.api.bodies import PLAIN_TEXT, load_text
from hksz_db.api.calls import Call
from hksz_db.api.resource import Resource
from hksz_db.domain.locators import NORMALIZATION
from hksz_db.queries.verification import Checked, Verification, check, verifiable_statement
from schemas.verification import VerificationSchema


def verify(sources: Resource) -> Call:
    """``POST /v1/sources/{id}/verify``."""

    def verify(id: UUID) -> Response:
        """Check the locators of one source against your own copy of its text.

        The text is read as UTF-8, without its byte order mark, and normalised as `nfc-ws1`:
        Unicode NFC, each run of white space as one space, and none at either end. Offsets count
        code points of that form, and the end is exclusive. The text is not stored or logged, and
        is not sent to the database.
        """
        text = load_text()
        verifiable = answers.raw(sources, id, verifiable_statement())
        return answers.computed(_document(id, check(text, verifiable)))

    return Call(
        "POST /<uuid:id>/verify",
        verify,
        VerificationSchema,
        headers=("Cache-Control",),
        body={PLAIN_TEXT: {"type": "string", "minLength": 1}},
        errors=(410, 422),
    )


def _document(source_id: UUID, verification: Verification) -> dict[str, Any]:
    return {
        "source_id": str(source_id),
        "normalization": NORMALIZATION,
        "char_length": verification.char_length,
        "text_sha256": verification.text_sha256,
        "capture": verification.capture,
        "without_locator": verification.without_locator,
        "locators": [_locator(checked) for checked in verification.checked],
    }


def _locator(checked: Checked) -> dict[str, Any]:
    return {
        "evidence_id": checked.evidence_id,
        "claim_id": checked.claim_id,
        **vars(checked.finding),
    }
