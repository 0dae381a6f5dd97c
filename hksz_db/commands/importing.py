"""The command by which material of other programs comes in: ``flask import``."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import current_app

from hksz_db.commands.terminal import FILE, Trouble
from hksz_db.database import Database, DatabaseUnusable
from hksz_db.domain.errors import DomainError, Fault
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.embedded import EmbeddedError
from hksz_db.exchange.batch import Report
from hksz_db.exchange.importing import import_entries
from hksz_db.exchange.readers.columns import columns
from hksz_db.exchange.readers.entries import Entry, Unreadable
from hksz_db.exchange.reading import READERS, Wanted, entries, format_of
from hksz_db.services.kinds import KINDS

_MAX_ACTOR = 200


@click.argument("file", type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(READERS)),
    help="What the file is; else the end of its name says so.",
)
@click.option(
    "--resource",
    type=click.Choice(list(KINDS)),
    help="Of what the rows of csv are, and the lines of ndjson that do not say it.",
)
@click.option(
    "--namespace",
    default="",
    help="Before the colon of the external ids that are made: zotero for csl-json, or the name of"
    " the format. Give each library its own.",
)
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in BulkMode]),
    default="upsert",
    show_default=True,
    help="What becomes of an entry that is there: changed, left alone, refused.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen to each entry; write nothing.")
@click.option("--atomic", is_flag=True, help="Write all of it, or nothing if an entry fails.")
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="What a column of csv holds, where it is not called as the field.",
)
@click.option(
    "--set",
    "constants",
    multiple=True,
    metavar="FIELD=VALUE",
    help="The value of a field in each row of csv.",
)
@click.option(
    "--skip",
    "skipped",
    multiple=True,
    metavar="NAME",
    help="A column of csv, or a field of ndjson, that is not to be read.",
)
@click.option(
    "--mapping",
    type=FILE,
    help='The same as a JSON file: {"map": {COLUMN: FIELD}, "set": {FIELD: VALUE}, "skip": […]}.',
)
@click.option("--delimiter", help="What stands between the cells of csv; tab for a tab.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of the file.")
@click.option("--actor", help="Who imports; import:FILE unless given.")
def import_file(  # noqa: PLR0913, PLR0917 - the options of the command
    file: Path,
    form: str | None,
    resource: str | None,
    namespace: str,
    mode: str,
    dry_run: bool,
    atomic: bool,
    maps: tuple[str, ...],
    constants: tuple[str, ...],
    skipped: tuple[str, ...],
    mapping: Path | None,
    delimiter: str | None,
    encoding: str,
    actor: str | None,
) -> None:
    """Import FILE: sources from a citation manager, tables of figures, or what was exported.

    \b
    csl-json   .json               sources, as Zotero, Mendeley and others export them
    bibtex     .bib .bibtex        sources; biblatex too
    ris        .ris                sources
    csv        .csv .tsv           figures, evidence, claims, …: a row each (--resource)
    ndjson     .ndjson .jsonl      documents as flask export writes them, or bodies of the API

    Whoever made a source becomes an entity of the same namespace, one for each name, which the
    next import finds again. A source that is there already with the same DOI is left alone. The
    same import again changes nothing, also after it broke off. csl-json, bibtex and ris are read
    as a whole, up to 32 MiB; csv and ndjson have no limit but 4 Mi characters a line.

    What refers to later lines of ndjson is written after them. Of several files, those come first
    on which the others rest: units, metrics, entities --skip relations, sources, claims, and then
    entities again.

    There is a line for each entry that failed, is there under another name, or says what cannot be
    kept; with --dry-run for each entry. The exit status is 0 when all went well, 1 when entries
    failed, 2 when there was trouble: what was reported as written until then is.
    """  # noqa: D301 - click reads the backspace
    try:
        wanted = Wanted(
            file,
            form or format_of(file),
            resource,
            namespace,
            encoding,
            columns(mapping, maps, constants, skipped, delimiter),
        )
        shown = _Shown(file, every=dry_run)
        who = (actor or f"import:{file.name}").encode("utf-8", "replace").decode()[:_MAX_ACTOR]
        with _in_one_sentence(shown) as database:
            read = shown.counting(entries(wanted))
            shown.all(
                import_entries(database, read, BulkMode(mode), who, dry_run=dry_run, atomic=atomic)
            )
    except Unreadable as error:
        raise Trouble(f"{file}: {printable(str(error))}") from None
    shown.summary(dry_run=dry_run, atomic=atomic)


@contextmanager
def _in_one_sentence(shown: "_Shown") -> Iterator[Database]:
    try:
        yield current_app.extensions["hksz_database"]
    except (DomainError, DatabaseUnusable, EmbeddedError) as error:
        raise Trouble(f"{error} {shown.progress}") from None


class _Shown:
    """What is shown of an import while it runs, and what it comes to."""

    def __init__(self, file: Path, *, every: bool) -> None:
        self.file = file
        self.every = every
        self.outcomes: Counter[BulkOutcome] = Counter()
        self.warnings = 0
        self.entities = 0
        self.last: Entry | None = None
        # A bar among the lines of the report would spoil both.
        self.hidden = not sys.stderr.isatty() or sys.stdout.isatty()

    @property
    def progress(self) -> str:
        """How far the file was read."""
        place = f"after {self.last.place}" if self.last else "before the first entry"
        return f"The import stopped {place}; run it again."

    def counting(self, read: Iterator[Entry]) -> Iterator[Entry]:
        """The entries, with a bar on the terminal while they pass."""
        with click.progressbar(
            read, label=self.file.name, file=sys.stderr, hidden=self.hidden
        ) as bar:
            for self.last in bar:
                yield self.last

    def all(self, reports: Iterator[Report]) -> None:
        """Show the reports as they come."""
        for report in reports:
            self.outcomes[report.outcome] += 1
            self.warnings += len(report.warnings)
            self.entities += report.entities
            for line in self._lines(report):
                click.echo(printable(f"{self.file}:{report.entry.place}: {line}"))

    def _lines(self, report: Report) -> Iterator[str]:
        failed = report.outcome is BulkOutcome.FAILED
        if failed or report.matched or self.every:
            there = f", is there as {report.matched}" if report.matched else ""
            reasons = "; ".join(_sentence(fault) for fault in report.faults)
            yield f"{report.outcome}{there}{': ' if reasons else ''}{reasons}"
        for warning in report.warnings:
            yield f"warning: {warning}"

    def summary(self, *, dry_run: bool, atomic: bool) -> None:
        """Show what it came to; raises ``SystemExit`` with 1 where entries failed."""
        failed = self.outcomes[BulkOutcome.FAILED]
        counts = ", ".join(f"{self.outcomes[outcome]} {outcome}" for outcome in BulkOutcome)
        made = f", {self.entities} entities created" if self.entities else ""
        click.echo(
            f"{printable(self.file.name)}: {self.outcomes.total()} entries: {counts};"
            f" {self.warnings} warnings{made}"
        )
        if dry_run or (atomic and failed):
            click.echo("Nothing was written.")
        if failed:
            raise SystemExit(1)


def _sentence(fault: Fault) -> str:
    where = (fault.pointer or "#").removeprefix("#/")
    return f"{where}: {fault.detail}" if where != "#" else fault.detail


def printable(text: str) -> str:
    """The text on one line, with what no terminal should get written out."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)
