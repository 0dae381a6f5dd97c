"""The command line: ``flask --help`` lists it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from hksz_db import locators
from hksz_db.database import Database, DatabaseUnusable
from hksz_db.embedded import EmbeddedError
from hksz_db.errors import DomainError
from hksz_db.preparing import seed_folders
from hksz_db.services import api_keys, seeding
from hksz_db.services.writing import writing
from hksz_db.vocabulary import Scope

keys = AppGroup("keys", help="Make, list and revoke the keys of those who write.")


def register_commands(app: Flask) -> None:
    """Add the commands to ``flask``."""
    app.cli.add_command(keys)
    app.cli.command("seed")(seed)
    app.cli.command("locate")(locate)


@contextmanager
def _writing() -> Iterator[Session]:
    """A transaction; what goes wrong in it is one sentence on the terminal."""
    database: Database = current_app.extensions["hksz_database"]
    try:
        with writing(database) as session:
            yield session
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


@click.argument("text", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("spans", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("claims", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def locate(text: Path, spans: Path, claims: Path) -> None:
    """Write the locators of evidence into a data file.

    TEXT is your copy of the source, SPANS a JSON file {external_id of the evidence: {"words": …,
    "occurrence": 1}} that stays with you, CLAIMS the data file.
    """
    copy = locators.normalise(text.read_text(encoding="utf-8"))
    words = json.loads(spans.read_text(encoding="utf-8"))
    document = json.loads(claims.read_text(encoding="utf-8"))
    located = 0
    for claim in document:
        for passage in claim.get("evidence", []):
            span = words.get(passage["external_id"])
            if span is not None:
                passage.update(_locator(copy, span, passage["external_id"]))
                located += 1
    claims.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"{located} locators written, over {len(copy)} characters")
    click.echo(f"text_sha256 {locators.digest(copy)}")


def _locator(copy: str, span: dict[str, str | int], name: str) -> dict[str, str | int]:
    try:
        found = locators.locate(copy, str(span["words"]), int(span.get("occurrence", 1)))
    except locators.SpanNotFound as error:
        raise click.ClickException(f"{name}: {error}") from None
    return vars(found)
