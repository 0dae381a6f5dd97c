"""The commands of ``flask``."""

from flask import Flask

from hksz_db.commands.administration import grant, keys, seed
from hksz_db.commands.assistants import mcp
from hksz_db.commands.checking import check
from hksz_db.commands.erasing import erase
from hksz_db.commands.exporting import dump, export, load
from hksz_db.commands.following import changes, due, work
from hksz_db.commands.importing import import_file
from hksz_db.commands.rows import locate, show_history, verify


def register_commands(app: Flask) -> None:
    """Add the commands to ``flask``."""
    for command in (keys, changes, due, work):
        app.cli.add_command(command)
    for function in (seed, grant, locate, verify, check, mcp, erase, export, dump, load):
        app.cli.command(function.__name__)(function)
    app.cli.command("history")(show_history)
    app.cli.command("import")(import_file)
