"""``flask seed``."""

from pathlib import Path

import click

from hksz_db.commands.terminal import writing_here
from hksz_db.preparing import seed_folders
from hksz_db.services import seeding


@click.argument("folders", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
def seed(folders: tuple[Path, ...]) -> None:
    """Load the data files in FOLDERS. Default: the seeds of the software."""
    for folder in folders or seed_folders():
        with writing_here() as session:
            loaded = seeding.load(session, folder)
        click.echo(f"{folder.name}: {loaded.changed} loaded, {loaded.unchanged} unchanged")
