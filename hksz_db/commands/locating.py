"""Locating: from a text and the words of its spans to the locators in a data file."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hksz_db.domain.locators import Locator, NotText, SpanNotFound, digest, locate, read


class Unlocatable(ValueError):
    """Files that do not fit together; the message is one sentence that names what is wrong."""


@dataclass(frozen=True)
class Located:
    """How many locators were written, and the measure of the text that they count in."""

    written: int
    char_length: int
    text_sha256: str


def read_text(path: Path) -> str:
    """The text of a file in its normal form. Raises ``Unlocatable`` when it is none."""
    try:
        return read(path.read_bytes())
    except NotText as error:
        raise Unlocatable(f"{path}: {error}") from None


def write_locators(text: Path, spans: Path, claims: Path) -> Located:
    """Write the locators of the spans' words into a file of claims, all of them or none.

    Raises ``Unlocatable`` when a file is not what it should be, when the spans name evidence that
    the claims have not, or when words do not occur in the text.
    """
    copy = read_text(text)
    words = _spans(spans)
    document = _json(claims)
    evidence = list(_evidence(document, claims))
    unknown = sorted(words.keys() - {passage["external_id"] for passage in evidence})
    if unknown:
        raise Unlocatable(f"{spans} names evidence that {claims} lacks: {', '.join(unknown)}.")
    named = [passage for passage in evidence if passage["external_id"] in words]
    for passage in named:
        name = passage["external_id"]
        passage.update(asdict(_locator(copy, name, words[name])))
    _replace(claims, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return Located(len(named), len(copy), digest(copy))


def _locator(copy: str, name: str, span: Mapping[str, Any]) -> Locator:
    try:
        return locate(copy, span["words"], span.get("occurrence", 1))
    except SpanNotFound as error:
        raise Unlocatable(f"{name}: {error}.") from None


def _json(path: Path) -> Any:
    try:
        document = json.loads(path.read_bytes().decode())
        # A surrogate that stands alone can be escaped in JSON, but not written.
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise Unlocatable(f"{path} is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Unlocatable(f"{path} is not JSON: {error.msg} ({where}).") from None
    except UnicodeEncodeError:
        raise Unlocatable(f"{path} holds half of a surrogate pair.") from None
    except (ValueError, RecursionError):
        raise Unlocatable(f"{path} is JSON that is too large or too deeply nested.") from None
    return document


def _spans(path: Path) -> dict[str, dict[str, Any]]:
    spans = _json(path)
    if not isinstance(spans, dict):
        raise Unlocatable(f"{path} must be an object: the words by the evidence's external_id.")
    for name, span in spans.items():
        if not _is_span(span):
            raise Unlocatable(
                f'{name} in {path} must be {{"words": "…"}}, with a whole number from 1 as'
                ' "occurrence" if need be.'
            )
    return spans


def _is_span(span: Any) -> bool:
    if not isinstance(span, dict) or not {"words"} <= span.keys() <= {"words", "occurrence"}:
        return False
    occurrence = span.get("occurrence", 1)
    counts = isinstance(occurrence, int) and not isinstance(occurrence, bool) and occurrence >= 1
    return isinstance(span["words"], str) and counts


def _evidence(claims: Any, path: Path) -> Iterator[dict[str, Any]]:
    if not isinstance(claims, list):
        raise Unlocatable(f"{path} must be a list of claims.")
    for number, claim in enumerate(claims, 1):
        if not isinstance(claim, dict):
            raise Unlocatable(f"Entry {number} of {path} is no claim.")
        evidence = claim.get("evidence", [])
        if not isinstance(evidence, list) or not all(map(_is_named, evidence)):
            raise Unlocatable(
                f"The evidence of entry {number} of {path} must be a list of entries, each with"
                " an external_id."
            )
        yield from evidence


def _is_named(passage: Any) -> bool:
    return isinstance(passage, dict) and isinstance(passage.get("external_id"), str)


def _replace(path: Path, text: str) -> None:
    """Give the file a new content: whoever reads it finds the old or the new one, whole."""
    target = path.resolve()  # what links to it stays a link
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        shutil.copymode(target, fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
