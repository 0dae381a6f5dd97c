"""The commands by which a database goes out, and comes back: ``export``, ``dump``, ``load``."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO

import click
import psycopg
from flask import current_app
from marshmallow import ValidationError

from hksz_db.commands.terminal import FILE
from hksz_db.database import Database, DatabaseUnusable
from hksz_db.domain.errors import DomainError, Fault, FaultsError
from hksz_db.embedded import EmbeddedError
from hksz_db.exchange import dumping, exporting, loading
from hksz_db.exchange.asking import whole
from hksz_db.exchange.formats import FORMATS, formats_for
from hksz_db.queries.pages import RESOURCES, matches_statement
from schemas.fields import Moment

# How often a bar is drawn on its way: a terminal is slow.
_DRAWN = 200
_TARGET = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@contextmanager
def _in_one_sentence() -> Iterator[Database]:
    """The database; what goes wrong with it or with a file is one sentence on the terminal."""
    try:
        yield current_app.extensions["hksz_database"]
    except FaultsError as error:
        raise click.ClickException(" ".join(map(_sentence, error.faults))) from None
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise click.ClickException(f"The database refused: {reason}.") from None
    except (DomainError, DatabaseUnusable, EmbeddedError, loading.Unloadable) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{place}{error.strerror or error}.") from None


def _sentence(fault: Fault) -> str:
    return f"{fault.parameter}: {fault.detail}" if fault.parameter else fault.detail


@contextmanager
def _progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=length,
        label=label,
        file=sys.stderr,
        hidden=hidden,
        update_min_steps=max(1, length // _DRAWN),
    ) as bar:
        yield bar.update


@contextmanager
def _written_whole(path: Path, mode: int) -> Iterator[IO[bytes]]:
    """A file that gets its name when all of it is there, and is gone when something fails."""
    if path.exists() and not path.is_file():
        raise click.ClickException(f"{path} is no ordinary file.")
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@click.argument("resource", type=click.Choice(list(RESOURCES)))
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="ndjson")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A filter as the list of the resource has it; may be given several times.",
)
@click.option(
    "--output", type=_TARGET, default="-", show_default=True, help="A file; - is standard output."
)
@click.option("--as-of", "moment", help="As at this moment, as 2026-11-22T21:00:00Z.")
def export(
    resource: str, form: str, filters: tuple[str, ...], output: Path, moment: str | None
) -> None:
    """Write all of a RESOURCE that the filters select, in the order of the ids.

    A file gets its name when all of it is written.
    """
    known = formats_for(RESOURCES[resource])
    if form not in known:
        raise click.ClickException(f"{resource} cannot be {form}; known: {', '.join(known)}.")
    with _in_one_sentence() as database:
        pairs = [text.partition("=")[::2] for text in filters]
        wanted = replace(whole(resource, known[form], pairs), as_of=_as_of(moment))
        statement = matches_statement(wanted.shape)
        expected = database.explain(statement, wanted.values, wanted.as_of)
        with _progress(resource, expected) as step:
            pieces = exporting.export(database, wanted, seen=lambda: step(1))
            if str(output) == "-":
                _copy(pieces, sys.stdout.buffer)
            else:
                with _written_whole(output, 0o666) as file:
                    _copy(pieces, file)


def _as_of(moment: str | None) -> datetime | None:
    try:
        found: datetime | None = None if moment is None else Moment().deserialize(moment)
    except ValidationError as error:
        raise click.ClickException(f"--as-of: {' '.join(error.messages)}") from None
    return found


def _copy(pieces: Iterator[bytes], file: IO[bytes]) -> None:
    for piece in pieces:
        file.write(piece)


@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-keys", is_flag=True, help="The API keys (their hashes) too.")
def dump(file: Path, with_keys: bool) -> None:
    """Write the whole database to FILE, compressed where the name ends in .gz.

    FILE can be read by you alone, and gets its name when all of it is written.
    """
    with (
        _in_one_sentence() as database,
        _written_whole(file, 0o600) as target,
        ExitStack() as bars,
    ):
        rows = dumping.dump(
            database,
            target,
            compressed=file.suffix == ".gz",
            with_keys=with_keys,
            begun=lambda expected: bars.enter_context(_progress("dumping", expected)),
        )
    click.echo(f"{file}: {rows} rows")


@click.argument("file", type=FILE)
def load(file: Path) -> None:
    """Read FILE, a dump, into an empty database that is migrated to the revision of the dump.

    All of it or nothing. The file is read twice: at first only to see whether it is whole.
    """
    with _in_one_sentence() as database:
        with _progress("checking", file.stat().st_size) as step:
            checked = loading.check(file, step)
        with _progress("loading", checked.rows) as step:
            loading.load(database, file, checked, step)
    click.echo(f"{file}: {checked.rows} rows loaded")
