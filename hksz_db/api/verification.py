"""``/v1/sources/{id}/verify``: a reader's own copy of a text, held against the locators."""

from typing import Any
from uuid import UUID

from flask import Response
from flask_smorest import Blueprint

from hksz_db.api import answers, operations
from hksz_db.api.access import check_reader
from hksz_db.api.bodies import load_text
from hksz_db.api.catalogue import SOURCES
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import no_parameters
from hksz_db.api.views import add_call
from hksz_db.domain.locators import NORMALIZATION
from hksz_db.queries.verification import Checked, Verification, check, verifiable_statement


def add_verification(blueprint: Blueprint) -> None:
    """Add the call to the blueprint of the sources."""

    def verify(id: UUID) -> Response:
        check_reader()
        no_parameters()
        text = load_text()
        verifiable = answers.raw(SOURCES, id, verifiable_statement())
        return answers.computed(_document(id, check(text, verifiable)))

    described = operations.verifying(SOURCES)
    add_call(blueprint, "POST /<uuid:id>/verify", "verify", described, verify, cost=Cost.COSTLY)


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
