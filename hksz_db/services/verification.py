"""Verifying: a text that somebody holds, against the locators of a source.

The text goes no further than here: what PostgreSQL is told, its logs and statistics could keep.
So this is the one answer that is made in Python from rows.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from hksz_db.locators import Locator, digest
from hksz_db.verification import Finding, verify


class Capture(StrEnum):
    """Whether a text is a copy of the source that was held before; ``UNKNOWN``: none was."""

    SAME = "same"
    DIFFERENT = "different"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Checked:
    """A piece of evidence, and what became of its span."""

    evidence_id: str
    external_id: str | None
    claim_id: str
    finding: Finding


@dataclass(frozen=True)
class Verification:
    """The measure of a text, and what became of each span, in the order of their places."""

    char_length: int
    text_sha256: str
    capture: Capture
    without_locator: int
    checked: tuple[Checked, ...]


def check(text: str, verifiable: bytes) -> Verification:
    """Hold a normalised text against what the query ``verifiable`` gave for a source."""
    known = json.loads(verifiable)
    text_sha256 = digest(text)
    rows = known["locators"]
    names = Locator.__dataclass_fields__
    locators = [Locator(**{name: row[name] for name in names}) for row in rows]
    lengths = {capture["char_length"] for capture in known["captures"]}
    findings = verify(text, locators, lengths)
    return Verification(
        char_length=len(text),
        text_sha256=text_sha256,
        capture=_capture(text_sha256, {capture["text_sha256"] for capture in known["captures"]}),
        without_locator=known["without_locator"],
        checked=tuple(
            Checked(row["id"], row["external_id"], row["claim_id"], finding)
            for row, finding in zip(rows, findings, strict=True)
        ),
    )


def _capture(text_sha256: str, held: set[str]) -> Capture:
    if not held:
        return Capture.UNKNOWN
    return Capture.SAME if text_sha256 in held else Capture.DIFFERENT
