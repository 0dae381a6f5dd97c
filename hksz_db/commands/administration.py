"""``flask seed``, ``flask keys`` and ``flask grant``."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from flask import current_app
from flask.cli import AppGroup

from hksz_db.commands.terminal import writing_here
from hksz_db.domain.vocabulary import Scope
from hksz_db.preparing import seed_folders
from hksz_db.services import api_keys, granting, seeding

_QUOTA = click.IntRange(1, 10**9)

keys = AppGroup("keys", help="Create, list, limit, rotate and revoke API keys.")


@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def seed(folders: tuple[Path, ...]) -> None:
    """Load the data files in FOLDERS. Default: the seeds of the software."""
    for folder in folders or seed_folders():
        with writing_here() as session:
            loaded = seeding.load(session, folder)
        click.echo(f"{folder.name}: {loaded.changed} loaded, {loaded.unchanged} unchanged")


@click.argument("role")
def grant(role: str) -> None:
    """Give ROLE the rights of the service, also to tables of later migrations.

    DATABASE_URL has to name the owner of the database. The role, which must exist, can then write
    all data, but not change the history.
    """
    with writing_here() as session:
        granting.grant(session, role)


@keys.command("create")
@click.argument("label")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="A scope of the key; may be given several times.",
)
@click.option("--expires", type=click.DateTime(["%Y-%m-%d"]), help="Its last day, in UTC.")
@click.option(
    "--quota",
    type=_QUOTA,
    help="How many units its holder may use in a minute. Default: HKSZ_LIMIT_KEY.",
)
def create_key(
    label: str, scopes: tuple[str, ...], expires: datetime | None, quota: int | None
) -> None:
    """Create a key for LABEL and print it. It cannot be shown again."""
    until = expires and expires.replace(hour=23, minute=59, second=59, tzinfo=UTC)
    with writing_here() as session:
        key = api_keys.create(session, label, [Scope(scope) for scope in scopes], until, quota)
    click.echo(key)


@keys.command("path")
def path_of_key() -> None:
    """Print the path of the file with the first key of the embedded database."""
    path: Path = current_app.config["KEY_FILE"]
    if not path.exists():
        raise click.ClickException(f"{path} does not exist; create a key with flask keys create.")
    click.echo(path)


@keys.command("list")
def list_keys() -> None:
    """List the keys: label, id, state, scopes, expiry, last use, quota.

    The id is the beginning of the SHA-256 of the key. It tells whose key has leaked:
    printf %s KEY | sha256sum.
    """
    with writing_here() as session:
        for key in api_keys.listing(session):
            until = f"until {key['expires_at']:%Y-%m-%d %H:%M}" if key["expires_at"] else "no end"
            used = f"{key['last_used_at']:%Y-%m-%d %H:%M}" if key["last_used_at"] else "never"
            scopes = ",".join(key["scopes"])
            quota = f"{key['quota']} a minute" if key["quota"] else "usual quota"
            shown = (key["label"], key["id"], key["state"], scopes, until, f"used {used}", quota)
            click.echo("\t".join(shown))


@keys.command("rotate")
@click.argument("label")
@click.option(
    "--overlap-hours",
    type=click.IntRange(0, 24 * 366),
    default=24,
    show_default=True,
    help="How long the key that is replaced stays valid.",
)
def rotate_key(label: str, overlap_hours: int) -> None:
    """Replace the key of LABEL and print the new one. It cannot be shown again.

    Its scopes and its expiry stay, and so do the sessions of its holder. After a leak, give an
    overlap of 0, which ends the sessions and all earlier keys.
    """
    with writing_here() as session:
        key = api_keys.rotate(session, label, timedelta(hours=overlap_hours))
    if key is None:
        raise click.ClickException(f"There is no active key labelled {label!r}.")
    click.echo(key)


@keys.command("quota")
@click.argument("label")
@click.argument("units", type=_QUOTA, required=False)
def change_quota(label: str, units: int | None) -> None:
    """Let the holder of LABEL use UNITS in a minute. Default: HKSZ_LIMIT_KEY.

    A running service follows within a minute.
    """
    with writing_here() as session:
        if not api_keys.set_quota(session, label, units):
            raise click.ClickException(f"There is no active key labelled {label!r}.")


@keys.command("revoke")
@click.argument("label")
def revoke_key(label: str) -> None:
    """Revoke the key of LABEL permanently."""
    with writing_here() as session:
        if not api_keys.revoke(session, label):
            raise click.ClickException(f"There is no active key labelled {label!r}.")
