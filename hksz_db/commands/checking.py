"""``flask check``: a text of yours, checked against what is known."""

import json
from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app

from hksz_db.checking.check import Checked, CheckedSentence, check_text
from hksz_db.checking.documents import document_of, why, why_of_figure
from hksz_db.commands.terminal import FILE, Failure, errors_in_one_line
from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.locators import NotText
from hksz_db.domain.vocabulary import Finding
from schemas.checks import MAX_BYTES


def _edtf(_: click.Context, __: click.Parameter, value: str | None) -> Period | None:
    try:
        return None if value is None else parse(value)
    except InvalidDate as error:
        raise click.BadParameter(str(error)) from None


@click.argument("file", type=FILE)
@click.option(
    "--published", metavar="EDTF", callback=_edtf, help="When the text was or will be published."
)
@click.option("--language", metavar="TAG", help="The language of the text, such as en or zh-Hant.")
@click.option(
    "form", "--format", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def check(file: Path, published: Period | None, language: str | None, form: str) -> None:
    """Check the sentences of FILE: which claims they repeat, and where their figures differ.

    As text, each sentence with a finding has a line: its line in FILE, its first and last code
    point, the finding, and why. Of a long text, only the first 2,000 sentences with 500 numbers
    are checked, and the last line says so. The exit status is 1 if a figure contradicts a known
    one, and 2 if the text could not be checked.
    """
    try:
        with errors_in_one_line() as database:
            text = _text_of(file)
            known = current_app.extensions["hksz_known_names"].of(database)
            checked = check_text(database, known, text, language=language, published=published)
    except click.ClickException as error:
        raise Failure(error.message) from None
    except NotText as error:
        raise Failure(f"{file}: {error}") from None
    if form == "json":
        click.echo(json.dumps(document_of(checked), ensure_ascii=False, indent=1))
    else:
        for line in _lines(text, checked):
            click.echo(line)
    if any(sentence.finding is Finding.CONTRADICTS for sentence in checked.sentences):
        raise click.exceptions.Exit(1)


def _text_of(file: Path) -> str:
    content = file.read_bytes()
    if len(content) > MAX_BYTES:
        raise click.ClickException(f"{file} has more than {MAX_BYTES} bytes.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file} is not UTF-8 (byte {error.start}).") from None


def _lines(text: str, checked: Checked) -> Iterator[str]:
    found = [each for each in checked.sentences if each.finding is not Finding.NOT_KNOWN]
    for sentence in found:
        start, end = sentence.read.span
        line = text.count("\n", 0, start) + 1
        yield f"{line}\t{start}-{end}\t{sentence.finding}\t{why(sentence)}"
        yield from _further(sentence)
    first = "" if checked.all_sentences else "the first "
    yield f"{len(found)} of {first}{len(checked.sentences)} sentences have a finding."


def _further(sentence: CheckedSentence) -> Iterator[str]:
    """The other figures of a sentence about which something was found."""
    said = why(sentence)
    for figure in sentence.figures:
        if figure.finding is not Finding.NOT_KNOWN and why_of_figure(figure) != said:
            start, end = figure.found.span
            yield f"\t{start}-{end}\t{figure.finding}\t{why_of_figure(figure)}"
