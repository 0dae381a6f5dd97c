"""``flask history``, and locators in your copy of a text: ``flask locate`` and ``flask verify``."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE
from typing import Any

import click
from marshmallow import Schema, ValidationError, fields

from hksz_db.commands.terminal import FILE, Failure, errors_in_one_line, replacing, row_id
from hksz_db.domain.differences import differences
from hksz_db.domain.locators import NotText, Passage, SpanNotFound, digest, read
from hksz_db.domain.locators import locate as locate_span
from hksz_db.domain.loose_form import LooseForm
from hksz_db.domain.verification import Result
from hksz_db.exchange.readers.text import json_file
from hksz_db.queries import versions
from hksz_db.queries.registry import RESOURCES
from hksz_db.queries.verification import Checked, Verification, check, verifiable_statement
from schemas.fields import StrictInteger


class _SpanSchema(Schema):
    words = fields.String(required=True)
    occurrence = StrictInteger(minimum=1, load_default=1)


_SPANS = fields.Dict(fields.String(), fields.Nested(_SpanSchema))


@click.argument("resource", type=click.Choice(list(RESOURCES)))
@click.argument("name")
@click.option(
    "--diff", "pair", nargs=2, type=click.IntRange(1), help="Compare two versions, field by field."
)
def show_history(resource: str, name: str, pair: tuple[int, int] | None) -> None:
    """List the versions of a row, newest first: number, time, operation, actor, request, fields.

    NAME is the id or external id of a row of RESOURCE, which may be deleted. With --diff, each line
    is a field that differs: its JSON pointer, and its value before and after as JSON, or a hyphen
    for no value.
    """
    with errors_in_one_line() as database:
        id = row_id(database, resource, name)
        if pair:
            earlier, later = (versions.document_in(database, resource, id, n) for n in pair)
            for each in differences(earlier, later):
                click.echo(f"{each.pointer}\t{_as_json(each.before)}\t{_as_json(each.after)}")
            return
        for entry in versions.versions(database, resource, id):
            who = (entry.actor, entry.request_id)
            values = (entry.version, entry.at, entry.op, *who, ",".join(entry.changed))
            click.echo("\t".join(str(value or "-") for value in values))


def _as_json(value: object) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)


@click.argument("text", type=FILE)
@click.argument("spans", type=FILE)
@click.argument("claims", type=FILE)
def locate(text: Path, spans: Path, claims: Path) -> None:
    """Write the locators of evidence into a data file.

    TEXT is your copy of the source, SPANS a JSON file {external_id of the evidence: {"words": …,
    "occurrence": 1}} that stays with you, and CLAIMS the data file. It does not change if there is
    an error.
    """
    with errors_in_one_line():
        copy = _read_text(text)
        form = LooseForm(copy)
        wanted = _spans(spans)
        document = _json(claims)
        evidence = list(_evidence(document, claims))
        located = [passage for passage in evidence if passage["external_id"] in wanted]
        if unknown := wanted.keys() - {passage["external_id"] for passage in located}:
            names = ", ".join(sorted(unknown))
            raise click.ClickException(f"{spans} names evidence that {claims} lacks: {names}.")
        for passage in located:
            span = wanted[passage["external_id"]]
            try:
                exact = locate_span(copy, span["words"], span["occurrence"])
            except SpanNotFound as error:
                raise click.ClickException(f"{passage['external_id']}: {error}.") from None
            passage.update(Passage(exact, form.locator(exact)).fields)
        with replacing(claims) as file:
            os.fchmod(file.fileno(), S_IMODE(claims.stat().st_mode))
            written = json.dumps(document, indent=2, ensure_ascii=False, default=float)
            file.write(f"{written}\n".encode())
    click.echo(f"{len(located)} locators written for a text of {len(copy)} characters")
    click.echo(f"text_sha256 {digest(copy)}")


def _read_text(path: Path) -> str:
    """The text of a file in its normal form."""
    try:
        return read(path.read_bytes())
    except NotText as error:
        raise click.ClickException(f"{path}: {error}") from None


def _json(path: Path) -> object:
    document = json_file(path)
    try:
        # JSON can contain an escaped surrogate, which cannot be encoded.
        json.dumps(document, ensure_ascii=False, default=float).encode()
    except UnicodeEncodeError:
        raise click.ClickException(f"{path} has half of a surrogate pair.") from None
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


def _evidence(claims: object, path: Path) -> Iterator[dict[str, Any]]:
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


def _is_named(passage: object) -> bool:
    return isinstance(passage, dict) and isinstance(passage.get("external_id"), str)


@click.argument("source")
@click.argument("text", type=FILE)
def verify(source: str, text: Path) -> None:
    """Compare TEXT, your copy of SOURCE, with the locators of its evidence.

    SOURCE is an id or an external id, and TEXT a file in UTF-8, which is not stored. Each line of
    the output is a span: the evidence, whether the span is exact, same_but_typography, moved,
    elsewhere or missing, and its position in your text, in code points after normalisation.

    The exit status is that of diff: 0 if every span is exact, 1 if some are not, and 2 if there was
    an error.
    """
    try:
        verification = _verification(source, text)
    except click.ClickException as error:
        raise Failure(error.message) from None
    for checked in verification.checked:
        click.echo(_line(checked))
    results = Counter(checked.finding.result for checked in verification.checked)
    counts = ", ".join(f"{results[result]} {result}" for result in Result)
    click.echo(f"{counts}; {verification.without_locator} without a locator")
    click.echo(f"capture {verification.capture}, {verification.char_length} characters")
    click.echo(f"text_sha256 {verification.text_sha256}")
    if results.keys() != {Result.EXACT}:
        raise SystemExit(1)


def _verification(source: str, text: Path) -> Verification:
    with errors_in_one_line() as database:
        copy = _read_text(text)
        id = row_id(database, "sources", source)
        rows = database.read(verifiable_statement(), {"id": id})
    if not rows:
        raise click.ClickException(f"There is no source {source}.")
    ((_, deleted, _, verifiable),) = rows
    if deleted:
        raise click.ClickException(f"The source {source} was deleted; it can be restored.")
    verification = check(copy, bytes(verifiable))
    if not verification.checked:
        raise click.ClickException(f"No evidence of {source} has a locator to compare with.")
    return verification


def _line(checked: Checked) -> str:
    finding = checked.finding
    if finding.result is Result.MISSING:
        place = f"searched {finding.searched}"
    else:
        place = f"{finding.start_char}-{finding.end_char}"
    if finding.result is Result.ELSEWHERE:
        place += f", surroundings {finding.surroundings}"
    return f"{checked.external_id or checked.evidence_id}\t{finding.result}\t{place}"
