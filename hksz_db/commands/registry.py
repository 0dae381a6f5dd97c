"""All commands, by their names."""

from flask import Flask

from hksz_db.commands.exporting import dump, export, load
from hksz_db.commands.following import changes, due
from hksz_db.commands.importing import import_file
from hksz_db.commands.keys import keys
from hksz_db.commands.seeds import seed
from hksz_db.commands.texts import locate, verify
from hksz_db.commands.versions import show_history


def register_commands(app: Flask) -> None:
    """Add the commands to ``flask``."""
    for group in (keys, changes, due):
        app.cli.add_command(group)
    app.cli.command("seed")(seed)
    app.cli.command("locate")(locate)
    app.cli.command("verify")(verify)
    app.cli.command("history")(show_history)
    app.cli.command("import")(import_file)
    app.cli.command("export")(export)
    app.cli.command("dump")(dump)
    app.cli.command("load")(load)
