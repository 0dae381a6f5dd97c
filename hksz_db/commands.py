"""The command line: ``flask --help`` lists it."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from hksz_db.database import Database, DatabaseUnusable, fetch_in
from hksz_db.embedded import EmbeddedError
from hksz_db.errors import DomainError
from hksz_db.following import changes, due
from hksz_db.preparing import seed_folders
from hksz_db.queries.pages import RESOURCES
from hksz_db.queries.verification import named_statement, verifiable_statement
from hksz_db.services import api_keys, history, locating, seeding
from hksz_db.services.differences import differences
from hksz_db.services.verification import Checked, Verification, check
from hksz_db.services.writing import writing
from hksz_db.verification import Result
from hksz_db.vocabulary import Scope
from schemas.fields import EXTERNAL_ID_PATTERN

keys = AppGroup("keys", help="Make, list and revoke the keys of those who write.")


def register_commands(app: Flask) -> None:
    """Add the commands to ``flask``."""
    app.cli.add_command(keys)
    app.cli.add_command(changes)
    app.cli.add_command(due)
    app.cli.command("seed")(seed)
    app.cli.command("locate")(locate)
    app.cli.command("verify")(verify)
    app.cli.command("history")(show_history)


@contextmanager
def _writing() -> Iterator[Session]:
    """A transaction; what goes wrong in it is one sentence on the terminal."""
    with _reaching() as database, writing(database) as session:
        yield session


@contextmanager
def _reaching() -> Iterator[Database]:
    """The database; what goes wrong with it is one sentence on the terminal."""
    database: Database = current_app.extensions["hksz_database"]
    try:
        yield database
    except (DomainError, DatabaseUnusable, EmbeddedError, seeding.InvalidSeed) as error:
        raise click.ClickException(str(error)) from None


@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def seed(folders: tuple[Path, ...]) -> None:
    """Load data files: FOLDERS, or the seeds that the software ships."""
    for folder in folders or seed_folders():
        with _writing() as session:
            loaded = seeding.load(session, folder)
        click.echo(f"{folder.name}: {loaded.changed} loaded, {loaded.unchanged} unchanged")


@keys.command("create")
@click.argument("label")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What the key may do; may be given several times.",
)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Its last day, in UTC.")
def create_key(label: str, scopes: tuple[str, ...], expires: datetime | None) -> None:
    """Make a key for LABEL and print it; it cannot be shown again."""
    until = None
    if expires is not None:
        until = expires.replace(hour=23, minute=59, second=59, tzinfo=UTC)
    with _writing() as session:
        key = api_keys.create(session, label, [Scope(scope) for scope in scopes], until)
    click.echo(key)


@keys.command("path")
def path_of_key() -> None:
    """Print where the first key of the embedded database is."""
    path: Path = current_app.config["KEY_FILE"]
    if not path.exists():
        raise click.ClickException(f"There is no {path}; flask keys create makes a key.")
    click.echo(path)


@keys.command("list")
def list_keys() -> None:
    """List the keys: who, what for, until when, when last used."""
    with _writing() as session:
        for key in api_keys.listing(session):
            state = "revoked" if key["revoked_at"] else "active"
            until = f"until {key['expires_at']:%Y-%m-%d}" if key["expires_at"] else "no end"
            used = f"{key['last_used_at']:%Y-%m-%d %H:%M}" if key["last_used_at"] else "never"
            scopes = ",".join(key["scopes"])
            click.echo(f"{key['label']}\t{state}\t{scopes}\t{until}\tused {used}")


@keys.command("revoke")
@click.argument("label")
def revoke_key(label: str) -> None:
    """Revoke the key of LABEL for good."""
    with _writing() as session:
        if not api_keys.revoke(session, label):
            raise click.ClickException(f"There is no active key labelled {label!r}.")


@contextmanager
def _locating() -> Iterator[None]:
    """What is wrong with a file is one sentence on the terminal."""
    try:
        yield
    except locating.Unlocatable as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{place}{error.strerror}.") from None


class _Trouble(click.ClickException):
    exit_code = 2


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.argument("text", type=_FILE)
@click.argument("spans", type=_FILE)
@click.argument("claims", type=_FILE)
def locate(text: Path, spans: Path, claims: Path) -> None:
    """Write the locators of evidence into a data file.

    TEXT is your copy of the source, SPANS a JSON file {external_id of the evidence: {"words": …,
    "occurrence": 1}} that stays with you, CLAIMS the data file. It is replaced as a whole, or, if
    anything is wrong, left as it was.
    """
    with _locating():
        located = locating.write_locators(text, spans, claims)
    click.echo(f"{located.written} locators written, over {located.char_length} characters")
    click.echo(f"text_sha256 {located.text_sha256}")


@click.argument("source")
@click.argument("text", type=_FILE)
def verify(source: str, text: Path) -> None:
    """Compare TEXT, your copy of SOURCE, with the locators of its evidence.

    SOURCE is an id or an external id, TEXT a file in UTF-8, of which nothing is stored. There is
    a line for each span: the evidence, whether the span is exact, moved or missing, and its place
    in your text, in code points after normalisation.

    The exit status is that of diff: 0 when every span is exact, 1 when some are moved or missing,
    2 when there was trouble.
    """
    try:
        verification = _compared(source, text)
    except click.ClickException as error:
        raise _Trouble(error.message) from None
    for checked in verification.checked:
        click.echo(_line(checked))
    results = Counter(checked.finding.result for checked in verification.checked)
    click.echo(_summary(verification, results))
    if results.keys() != {Result.EXACT}:
        raise SystemExit(1)


def _compared(source: str, text: Path) -> Verification:
    with _locating():
        copy = locating.read_text(text)
    verification = check(copy, _verifiable(source))
    if not verification.checked:
        raise click.ClickException(f"No evidence of {source} has a locator to compare with.")
    return verification


def _verifiable(source: str) -> bytes:
    with _writing() as session:
        values = {"id": _id(source, session)}
        rows = fetch_in(session, verifiable_statement(), values)
    if not rows:
        raise click.ClickException(f"There is no source {source}.")
    ((_, deleted, _, verifiable),) = rows
    if deleted:
        raise click.ClickException(f"The source {source} was deleted; it can be restored.")
    return bytes(verifiable)


def _id(source: str, session: Session) -> UUID | None:
    if re.fullmatch(EXTERNAL_ID_PATTERN, source):
        rows = fetch_in(session, named_statement(), {"name": source})
        return rows[0][0] if rows else None
    try:
        return UUID(source)
    except ValueError:
        raise click.ClickException(f"{source!r} is neither an id nor an external id.") from None


def _line(checked: Checked) -> str:
    finding = checked.finding
    if finding.result is Result.MISSING:
        place = f"searched {finding.searched}"
    else:
        place = f"{finding.start_char}-{finding.end_char}"
    return f"{checked.external_id or checked.evidence_id}\t{finding.result}\t{place}"


def _summary(verification: Verification, results: Counter[Result]) -> str:
    counts = ", ".join(f"{results[result]} {result}" for result in Result)
    return (
        f"{counts}; {verification.without_locator} without a locator\n"
        f"capture {verification.capture}, {verification.char_length} characters\n"
        f"text_sha256 {verification.text_sha256}"
    )


@click.argument("resource", type=click.Choice(list(RESOURCES)))
@click.argument("name")
@click.option(
    "--diff", "pair", nargs=2, type=click.IntRange(1), help="Compare two versions, field by field."
)
def show_history(resource: str, name: str, pair: tuple[int, int] | None) -> None:
    """List the versions of a row, the newest first: when, who, in which request, what.

    RESOURCE is what it is listed under, NAME its id or its external id; it may be deleted. With
    --diff there is a line for each field that differs: its JSON pointer, what it was and what it
    became, as JSON, and a hyphen for what is not there.
    """
    with _reaching() as database:
        id = _row_id(database, resource, name)
        if pair:
            earlier, later = (history.document_in(database, resource, id, n) for n in pair)
            for found in differences(earlier, later):
                click.echo(f"{found.pointer}\t{_shown(found.before)}\t{_shown(found.after)}")
            return
        for entry in history.versions(database, resource, id):
            changed = ",".join(entry["changed"])
            parts = (entry["version"], entry["at"], entry["op"], entry["actor"])
            click.echo(
                "\t".join(str(_or_hyphen(p)) for p in (*parts, entry["request_id"], changed))
            )


def _row_id(database: Database, resource: str, name: str) -> UUID:
    if not re.fullmatch(EXTERNAL_ID_PATTERN, name):
        try:
            return UUID(name)
        except ValueError:
            raise click.ClickException(f"{name!r} is neither an id nor an external id.") from None
    found = history.named(database, resource, name)
    if found is None:
        raise click.ClickException(f"There is no {RESOURCES[resource].singular} {name}.")
    return found


def _or_hyphen(value: Any) -> Any:
    return "-" if value in {None, ""} else value


def _shown(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
