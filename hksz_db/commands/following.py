"""``flask changes follow`` prints the feed; ``due`` and ``work`` do what a running server does."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from hksz_db.commands.terminal import errors_in_one_line, replacing
from hksz_db.domain.errors import Unavailable
from hksz_db.feed.due import note_due
from hksz_db.feed.listener import ChangeListener
from hksz_db.feed.pages import Feed, ForeignCursor, Page, Position
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.work import work_off

_PER_PAGE = 100
_WAIT_S = 30.0
_RETRY_S = 1.0

changes = AppGroup("changes", help="Follow the feed of changes.")


@changes.command("follow")
@click.option("--from", "start", metavar="PLACE", help="beginning (the default), now, or a cursor.")
@click.option(
    "--resource",
    "names",
    multiple=True,
    type=click.Choice(list(RESOURCES)),
    help="Only this resource; can be given several times.",
)
@click.option(
    "--cursor-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to keep the cursor; if the file exists, go on from its cursor.",
)
@click.option("--once", is_flag=True, help="End instead of waiting for more.")
def follow(start: str | None, names: tuple[str, ...], cursor_file: Path | None, once: bool) -> None:
    """Print each change as a line of JSON, in the order in which they were committed.

    It waits for more until Ctrl-C, and while the database is away. The cursor is saved after the
    lines are printed, so lines can be repeated after the process was killed.
    """
    resources = tuple(name for name in RESOURCES if name in (names or RESOURCES))
    saved = None
    if cursor_file and cursor_file.exists():
        saved = cursor_file.read_text(encoding="ascii").strip()
    if saved and start:
        raise click.ClickException(f"{cursor_file} has a cursor already: leave out --from.")
    with errors_in_one_line() as database:
        try:
            feed = Feed(database, resources)
            position = _position(feed, saved or start or "beginning")
            for page, cursor in _pages(feed, position, once=once):
                if page.entries:
                    click.echo(page.entries)
                if cursor_file is not None:
                    with replacing(cursor_file) as file:
                        file.write(f"{cursor}\n".encode())
        except ForeignCursor:
            raise click.ClickException("The cursor is not one of this feed.") from None
        except KeyboardInterrupt:
            pass
        except BrokenPipeError:
            # The reader has gone; flushing at exit must not fail as well.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.command("due")
@with_appcontext
def due() -> None:
    """Record overdue planned claims; a running server does so once a minute."""
    with errors_in_one_line() as database:
        click.echo(f"{note_due(database)} fell due")


@click.command("work")
@with_appcontext
def work() -> None:
    """Do the work that waits, such as recounts of claims, as a running server does."""
    with errors_in_one_line() as database:
        click.echo(f"{work_off(database)} items worked off")


def _position(feed: Feed, place: str) -> Position:
    if place == "beginning":
        return feed.beginning()
    return feed.end() if place == "now" else feed.position(place)


def _pages(feed: Feed, position: Position, *, once: bool) -> Iterator[tuple[Page, str]]:
    """All pages from a position on, each with the cursor after it.

    After the first, a database that does not answer is retried. It may be another server by then,
    which has to know what was read: otherwise this raises ``LostHistory``.
    """
    listener = ChangeListener(feed.database)
    cursor, is_interrupted = "", False
    while True:
        try:
            if is_interrupted:
                position, is_interrupted = feed.position(cursor), False
            page = feed.after(position, _PER_PAGE, separator="\n")
            cursor = feed.cursor(page.position)
        except Unavailable as error:
            if once or not cursor:
                raise
            is_interrupted = True
            click.echo(f"{error} Retrying.", err=True)
            time.sleep(_RETRY_S)
            continue
        position = page.position
        yield page, cursor
        if page.caught_up and once:
            return
        if page.caught_up:
            listener.wait(position, _WAIT_S)
