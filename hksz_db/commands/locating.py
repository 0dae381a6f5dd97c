"""Find the words of spans in a text, and write their locators into a data file."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from stat import S_IMODE
from typing import Any, NamedTuple

import click
from marshmallow import Schema, ValidationError, fields

from hksz_db.commands.terminal import replacing
from hksz_db.domain.locators import NotText, SpanNotFound, digest, locate, read
from schemas.fields import StrictInteger


class Located(NamedTuple):
    """The number of locators that were written, and the text that they refer to."""

    written: int
    char_length: int
    text_sha256: str


class _SpanSchema(Schema):
    words = fields.String(required=True)
    occurrence = StrictInteger(minimum=1, load_default=1)


_SPANS = fields.Dict(fields.String(), fields.Nested(_SpanSchema))


def read_text(path: Path) -> str:
    """The text of a file in its normal form."""
    try:
        return read(path.read_bytes())
    except NotText as error:
        raise click.ClickException(f"{path}: {error}") from None


def write_locators(text: Path, spans: Path, claims: Path) -> Located:
    """Write the locators of all spans, or none if there is an error."""
    copy = read_text(text)
    wanted = _spans(spans)
    document = _json(claims)
    evidence = list(_evidence(document, claims))
    if unknown := wanted.keys() - {passage["external_id"] for passage in evidence}:
        names = ", ".join(sorted(unknown))
        raise click.ClickException(f"{spans} names evidence that {claims} lacks: {names}.")
    located = [passage for passage in evidence if passage["external_id"] in wanted]
    for passage in located:
        span = wanted[passage["external_id"]]
        try:
            passage.update(asdict(locate(copy, span["words"], span["occurrence"])))
        except SpanNotFound as error:
            raise click.ClickException(f"{passage['external_id']}: {error}.") from None
    with replacing(claims) as file:
        os.fchmod(file.fileno(), S_IMODE(claims.stat().st_mode))
        file.write(f"{json.dumps(document, indent=2, ensure_ascii=False)}\n".encode())
    return Located(len(located), len(copy), digest(copy))


def _json(path: Path) -> Any:
    try:
        document = json.loads(path.read_bytes().decode())
        # JSON can contain an escaped surrogate, which cannot be encoded.
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{path} is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise click.ClickException(f"{path} is not JSON: {error}.") from None
    except UnicodeEncodeError:
        raise click.ClickException(f"{path} has half of a surrogate pair.") from None
    except (ValueError, RecursionError):
        raise click.ClickException(
            f"{path} is JSON that is too large or too deeply nested."
        ) from None
    return document


def _spans(path: Path) -> dict[str, Any]:
    try:
        spans: dict[str, Any] = _SPANS.deserialize(_json(path))
    except ValidationError as error:
        wrong = f"; wrong: {', '.join(error.messages)}" if isinstance(error.messages, dict) else ""
        raise click.ClickException(
            f'{path} must be an object {{external_id: {{"words": "…", "occurrence": 1}}}}{wrong}.'
        ) from None
    return spans


def _evidence(claims: Any, path: Path) -> Iterator[dict[str, Any]]:
    if not isinstance(claims, list):
        raise click.ClickException(f"{path} must be a list of claims.")
    for number, claim in enumerate(claims, 1):
        evidence = claim.get("evidence", []) if isinstance(claim, dict) else None
        if not isinstance(evidence, list) or not all(map(_is_named, evidence)):
            raise click.ClickException(
                f"Entry {number} of {path} must be a claim whose evidence is a list of objects,"
                " each with an external_id."
            )
        yield from evidence


def _is_named(passage: Any) -> bool:
    return isinstance(passage, dict) and isinstance(passage.get("external_id"), str)
