"""The commands ``export``, ``dump`` and ``load``."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import click

from hksz_db.commands.terminal import FILE, errors_in_one_line, replacing
from hksz_db.exchange import dumps, exporting
from hksz_db.exchange.exporting import FORMATS
from hksz_db.queries.pages import matches_statement
from hksz_db.queries.registry import RESOURCES

# Terminals are slow.
_PROGRESS_STEPS = 200
_TARGET = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
# All values of a repeated option are read, as over HTTP: names add up, others are refused.
_parameter = partial(click.option, multiple=True)


@contextmanager
def _progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A progress bar, if standard error is a terminal."""
    with click.progressbar(
        length=length,
        label=label,
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        update_min_steps=max(1, length // _PROGRESS_STEPS),
    ) as bar:
        yield bar.update


@click.argument("resource", type=click.Choice(list(RESOURCES)))
@_parameter("--format", type=click.Choice(list(FORMATS)))
@_parameter(
    "--filter",
    "filters",
    metavar="NAME=VALUE",
    help="A filter of the list of the resource; several can be given.",
)
@_parameter("--q", metavar="WORDS", help="Words to search for.")
@_parameter("--sort", metavar="KEYS", help="Keys to sort by; a hyphen before a key descends.")
@_parameter("--select", metavar="NAMES", help="The fields to write, separated by commas.")
@_parameter("--include", metavar="NAMES", help="What to embed, separated by commas.")
@_parameter("--as-of", metavar="MOMENT", help="As of this moment, as 2026-11-22T21:00:00Z.")
@click.option(
    "--output", type=_TARGET, default="-", show_default=True, help="A file; - is standard output."
)
def export(
    resource: str, filters: tuple[str, ...], output: Path, **options: tuple[str, ...]
) -> None:
    """Write the rows of a RESOURCE that the filters select, in the order of the ids or of --sort.

    A file gets its name when it is complete.
    """
    with errors_in_one_line() as database:
        pairs = [text.partition("=")[::2] for text in filters]
        pairs += [(name, value) for name, values in options.items() for value in values]
        wanted = exporting.read_export(resource, pairs)
        statement = matches_statement(wanted.shape)
        expected = database.explain(statement, wanted.values, wanted.as_of)
        with _progress(resource, expected) as step:
            pieces = exporting.export(database, wanted, seen=lambda: step(1))
            is_stdout = str(output) == "-"
            with nullcontext(sys.stdout.buffer) if is_stdout else replacing(output) as file:
                file.writelines(pieces)


@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-keys", is_flag=True, help="Also the API keys (their hashes).")
def dump(file: Path, with_keys: bool) -> None:
    """Write the whole database to FILE, compressed if its name ends in .gz.

    Only you can read FILE. It gets its name when it is complete.
    """
    with (
        errors_in_one_line() as database,
        replacing(file, 0o600) as target,
        ExitStack() as bars,
    ):
        rows = dumps.dump(
            database,
            target,
            compressed=file.suffix == ".gz",
            with_keys=with_keys,
            begun=lambda expected: bars.enter_context(_progress("dumping", expected)),
        )
    click.echo(f"{file}: {rows} rows")


@click.argument("file", type=FILE)
def load(file: Path) -> None:
    """Load FILE, a dump, into an empty database, migrated to the revision of the dump.

    Either the whole dump is loaded or nothing. The file is checked first, then loaded.
    """
    with errors_in_one_line() as database:
        with _progress("checking", file.stat().st_size) as step:
            checked = dumps.check(file, step)
        with _progress("loading", checked.rows) as step:
            dumps.load(database, file, checked, step)
    click.echo(f"{file}: {checked.rows} rows loaded")
