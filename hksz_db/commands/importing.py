"""``flask import``."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import click
from flask import current_app

from hksz_db.commands.terminal import FILE, Failure
from hksz_db.database import DatabaseUnusable
from hksz_db.domain.errors import DomainError, Fault
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.embedded import EmbeddedError
from hksz_db.exchange.importing import Report, import_entries
from hksz_db.exchange.readers.entries import ImportEntry, ImportRequest, Unreadable
from hksz_db.exchange.reading import READERS, columns, entries, format_of
from hksz_db.services.registry import WRITERS

_MAX_ACTOR = 200


_repeated = partial(click.option, multiple=True)


@click.argument("file", type=FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(READERS)),
    help="The format of the file. Default: the one of its suffix.",
)
@click.option(
    "--resource",
    type=click.Choice(list(WRITERS)),
    help="The resource of the rows of csv, and of lines of ndjson that do not name theirs.",
)
@click.option(
    "--namespace",
    default="",
    help="The namespace of new external ids; give each library its own. Default: zotero for"
    " csl-json, otherwise the format.",
)
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in BulkMode]),
    default="upsert",
    show_default=True,
    help="For existing rows, create fails, upsert updates them, and ignore leaves them alone.",
)
@click.option("--dry-run", is_flag=True, help="Report what would happen, and write nothing.")
@click.option("--atomic", is_flag=True, help="Write nothing if an entry fails.")
@_repeated(
    "--map", "maps", metavar="COLUMN=FIELD", help="The field of a csv column with another name."
)
@_repeated(
    "--set",
    "constants",
    metavar="FIELD=VALUE",
    help="The value of a field for every row of csv; of claim_external_id and stance for"
    " annotations that do not say theirs.",
)
@_repeated("--skip", "skipped", metavar="NAME", help="A csv column or ndjson field to skip.")
@click.option(
    "--mapping",
    type=FILE,
    help='These options as a JSON file: {"map": {COLUMN: FIELD}, "set": {FIELD: VALUE},'
    ' "skip": [COLUMN]}.',
)
@click.option("--delimiter", help="The delimiter of csv; tab for a tab.")
@click.option(
    "--decimal",
    type=click.Choice([".", ","]),
    help="What separates the fraction of a number in csv: 1,234.5 with a point, and 1.234,5 with a"
    " comma. Without it, numbers have no separators of thousands.",
)
@click.option("--no-quotes", is_flag=True, help="Take quotes in csv for text.")
@click.option("--encoding", default="utf-8", show_default=True, help="The encoding of the file.")
@click.option("--actor", help="Who imports, for the history. Default: import:FILE.")
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
    decimal: str | None,
    no_quotes: bool,
    encoding: str,
    actor: str | None,
) -> None:
    """Import FILE: a library, fact checks, annotations, a table, or an export of this database.

    \b
    csl-json   .json               sources, as exported by Zotero, Mendeley and others
    bibtex     .bib .bibtex        sources; also biblatex
    ris        .ris                sources
    csv        .csv .tsv           figures, evidence, claims, …: one a row (--resource)
    ndjson     .ndjson .jsonl      documents as written by flask export, or bodies of the API
    claimreview                    fact checks, as claims, sources and evidence
    web-annotation                 annotations, also those of Hypothesis, as sources and evidence

    Each contributor becomes an entity of the namespace, one for each distinct name; later imports
    reuse it. A source whose DOI or page another source has is not imported. Repeating an import
    changes nothing, even if it was interrupted. csv and ndjson files are unlimited, with up to 4 Mi
    characters a line; other files are read as a whole, up to 32 MiB.

    A line of ndjson may refer to later lines. Import the files of an export in the order of their
    references: units, metrics, entities --skip relations, sources, claims, and then entities
    again.

    The output has a line for each entry that failed, exists under another name or is not kept
    completely; with --dry-run, for every entry. The exit status is 0 if all went well, 1 if entries
    failed, and 2 if the import stopped; entries that were reported before stay written.
    """  # noqa: D301 - click reads the backspace
    output = _Output(file, every=dry_run)
    with output.failing():
        described = replace(
            columns(mapping, maps, constants, skipped, delimiter),
            decimal=decimal or "",
            has_quotes=not no_quotes,
        )
        request = ImportRequest(
            file, form or format_of(file), resource, namespace, encoding, described
        )
        reports = import_entries(
            current_app.extensions["hksz_database"],
            output.with_progress(entries(request)),
            BulkMode(mode),
            _actor(actor or f"import:{file.name}"),
            four_eyes=current_app.config["FOUR_EYES"],
            dry_run=dry_run,
            atomic=atomic,
        )
        output.show(reports)
    output.summarise(dry_run=dry_run, atomic=atomic)


def _actor(name: str) -> str:
    return name.encode("utf-8", "replace").decode()[:_MAX_ACTOR]


@dataclass
class _Output:
    """The output of an import; ``last`` is the last entry that was read."""

    file: Path
    every: bool
    outcomes: Counter[BulkOutcome] = field(default_factory=Counter)
    warnings: int = 0
    entities: int = 0
    last: ImportEntry | None = None

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Raise ``Failure``, which says how far the import came, for what stops it."""
        try:
            yield
        except Unreadable as error:
            raise Failure(f"{self.file}: {_printable(str(error))}") from None
        except (DomainError, DatabaseUnusable, EmbeddedError) as error:
            place = f"after {self.last.place}" if self.last else "before the first entry"
            raise Failure(f"{error} The import stopped {place}; run it again.") from None

    def with_progress(self, read: Iterator[ImportEntry]) -> Iterator[ImportEntry]:
        """Show a progress bar for the entries, unless it would mix with the report."""
        hidden = not sys.stderr.isatty() or sys.stdout.isatty()
        with click.progressbar(read, label=self.file.name, file=sys.stderr, hidden=hidden) as bar:
            for self.last in bar:
                yield self.last

    def show(self, reports: Iterator[Report]) -> None:
        """Print the reports as they come."""
        for report in reports:
            self.outcomes[report.outcome] += 1
            self.warnings += len(report.warnings)
            self.entities += report.entities
            lines = [f"warning: {warning}" for warning in report.warnings]
            if self.every or report.matched or report.outcome is BulkOutcome.FAILED:
                existing = f", exists as {report.matched}" if report.matched else ""
                reasons = "; ".join(map(_sentence, report.faults))
                lines.insert(0, f"{report.outcome}{existing}{': ' if reasons else ''}{reasons}")
            for line in lines:
                click.echo(_printable(f"{self.file}:{report.entry.place}: {line}"))

    def summarise(self, *, dry_run: bool, atomic: bool) -> None:
        """Print the totals; exit with status 1 if entries failed."""
        failed = self.outcomes[BulkOutcome.FAILED]
        counts = ", ".join(f"{self.outcomes[outcome]} {outcome}" for outcome in BulkOutcome)
        created = f", {self.entities} entities created" if self.entities else ""
        click.echo(
            f"{_printable(self.file.name)}: {self.outcomes.total()} entries: {counts};"
            f" {self.warnings} warnings{created}"
        )
        if dry_run or (atomic and failed):
            click.echo("Nothing was written.")
        if failed:
            raise SystemExit(1)


def _sentence(fault: Fault) -> str:
    where = (fault.pointer or "#").removeprefix("#/")
    return f"{where}: {fault.detail}" if where != "#" else fault.detail


def _printable(text: str) -> str:
    """The text on one line, with control characters escaped."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)
