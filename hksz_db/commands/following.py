"""Following the feed at a terminal: ``flask changes follow``."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from hksz_db.database import Database, DatabaseUnusable
from hksz_db.domain.errors import Unavailable
from hksz_db.embedded import EmbeddedError
from hksz_db.feed.due import note_due
from hksz_db.feed.listener import Bell
from hksz_db.feed.pages import BEGINNING, Feed, ForeignCursor, Page, Position, horizon
from hksz_db.queries.pages import RESOURCES

_PER_PAGE = 100
_WAIT_S = 30.0
_RETRY_S = 1.0

changes = AppGroup("changes", help="Follow what is changed.")


@changes.command("follow")
@click.option("--from", "start", metavar="PLACE", help="beginning (the default), now, or a cursor.")
@click.option(
    "--resource",
    "names",
    multiple=True,
    type=click.Choice(list(RESOURCES)),
    help="Of which resource; may be given several times.",
)
@click.option(
    "--cursor-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where to keep the cursor of what was printed; if it is there, go on from it.",
)
@click.option("--once", is_flag=True, help="End when nothing follows for now.")
def follow(start: str | None, names: tuple[str, ...], cursor_file: Path | None, once: bool) -> None:
    """Print each change as a line of JSON, in the order in which they were committed.

    It waits for more until Ctrl-C, and for a database that is away. Lines may come twice after it
    was killed: the cursor is kept when they are out.
    """
    database: Database = current_app.extensions["hksz_database"]
    feed = Feed(database, tuple(name for name in RESOURCES if name in (names or RESOURCES)))
    kept = _kept(cursor_file)
    if kept and start:
        raise click.ClickException(f"{cursor_file} says where to go on: leave out --from.")
    try:
        position = _position(feed, kept or start or "beginning")
        for page in _pages(feed, position, once=once):
            if page.entries:
                click.echo(page.entries)
            if cursor_file is not None:
                _keep(cursor_file, feed.cursor(page.position))
    except ForeignCursor:
        raise click.ClickException("The cursor is not one of this feed.") from None
    except (DatabaseUnusable, EmbeddedError, Unavailable) as error:
        raise click.ClickException(str(error)) from None
    except KeyboardInterrupt:
        pass
    except BrokenPipeError:
        # Whoever read the lines has gone, and nothing is to be said when this ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.command("due")
@with_appcontext
def due() -> None:
    """Note which planned claims have fallen due; a running server does it once a minute."""
    try:
        click.echo(f"{note_due(current_app.extensions['hksz_database'])} fell due")
    except (DatabaseUnusable, EmbeddedError, Unavailable) as error:
        raise click.ClickException(str(error)) from None


def _kept(file: Path | None) -> str | None:
    return file.read_text(encoding="ascii").strip() if file and file.exists() else None


def _position(feed: Feed, place: str) -> Position:
    if place == "beginning":
        return BEGINNING
    return horizon(feed.database).position if place == "now" else feed.position(place)


def _pages(feed: Feed, position: Position, *, once: bool) -> Iterator[Page]:
    """All pages from a position on; once they have begun, a database that is away is waited for."""
    bell = Bell(feed.database)
    begun = False
    while True:
        try:
            page = feed.after(position, _PER_PAGE, separator="\n")
        except Unavailable as error:
            if once or not begun:
                raise
            click.echo(f"{error} It is asked again.", err=True)
            time.sleep(_RETRY_S)
            continue
        begun, position = True, page.position
        yield page
        if page.caught_up and once:
            return
        if page.caught_up:
            bell.wait(position, _WAIT_S)


def _keep(file: Path, cursor: str) -> None:
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(f"{cursor}\n", encoding="ascii")
    fresh.replace(file)
