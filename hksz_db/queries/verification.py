"""Verification: compares a reader's copy of a text with the locators of a source.

The text does not reach PostgreSQL, whose logs and statistics could keep it. So this is the one
answer that Python makes from rows.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Literal

from sqlalchemy import func, select

from hksz_db.database import Prepared, prepare
from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR, Passage, digest
from hksz_db.domain.verification import Finding, verify
from hksz_db.models import Evidence, Source, SourceCapture, table_of
from hksz_db.queries.documents import Group, Many, expression
from hksz_db.queries.pages import one
from hksz_db.queries.sources import SOURCES

_sources = table_of(Source)
_captures = table_of(SourceCapture).alias()
_evidence = table_of(Evidence).alias()
_LOCATORS = (*LOCATOR, *LOOSE_LOCATOR)


@cache
def verifiable_statement() -> Prepared:
    """The parts of the source ``:id`` that are verified, as ``pages.one`` reads a row.

    It is its ``captures`` (length and hash), the ``locators`` of its live evidence in the
    order of their places, and how many pieces of evidence are ``without_locator``.
    """
    captures = Many(
        _captures,
        _captures.c.source_id == _sources.c.id,
        {name: _captures.c[name] for name in ("char_length", "text_sha256")},
        order_by=(_captures.c.id,),
    )
    live = (_evidence.c.source_id == _sources.c.id) & _evidence.c.deleted_at.is_(None)
    locators = Many(
        _evidence,
        live & _evidence.c.start_char.is_not(None),
        {name: _evidence.c[name] for name in ("id", "external_id", "claim_id", *_LOCATORS)},
        order_by=(_evidence.c.start_char, _evidence.c.id),
    )
    unlocated = select(func.count()).where(live, _evidence.c.start_char.is_(None))
    contents = Group(
        {
            "captures": captures,
            "locators": locators,
            "without_locator": unlocated.correlate(_sources).scalar_subquery(),
        }
    )
    return prepare(one(SOURCES, expression(contents)))


@dataclass(frozen=True)
class Checked:
    """A piece of evidence, and the result for its span."""

    evidence_id: str
    external_id: str | None
    claim_id: str
    finding: Finding


@dataclass(frozen=True)
class Verification:
    """The length and hash of a text, and the result for each span, in the order of the text.

    ``capture`` says whether the text equals a recorded copy of the source, if there is one.
    """

    char_length: int
    text_sha256: str
    capture: Literal["same", "different", "unknown"]
    without_locator: int
    checked: tuple[Checked, ...]


def check(text: str, verifiable: bytes) -> Verification:
    """Compare a normalised text with the result of the query ``verifiable`` for a source."""
    known = json.loads(verifiable)
    text_sha256 = digest(text)
    captures, rows = known["captures"], known["locators"]
    hashes = {capture["text_sha256"] for capture in captures}
    passages = [Passage.of(row) for row in rows]
    findings = verify(text, passages, {capture["char_length"] for capture in captures})
    return Verification(
        char_length=len(text),
        text_sha256=text_sha256,
        capture="same" if text_sha256 in hashes else "different" if hashes else "unknown",
        without_locator=known["without_locator"],
        checked=tuple(
            Checked(row["id"], row["external_id"], row["claim_id"], finding)
            for row, finding in zip(rows, findings, strict=True)
        ),
    )
