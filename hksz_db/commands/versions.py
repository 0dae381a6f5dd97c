"""``flask history``."""

import json
from typing import Any

import click

from hksz_db.commands.terminal import reaching, row_id
from hksz_db.domain.differences import differences
from hksz_db.queries import versions
from hksz_db.queries.pages import RESOURCES


@click.argument("resource", type=click.Choice(list(RESOURCES)))
@click.argument("name")
@click.option(
    "--diff", "pair", nargs=2, type=click.IntRange(1), help="Compare two versions, field by field."
)
def show_history(resource: str, name: str, pair: tuple[int, int] | None) -> None:
    """List the versions of a row, newest first: number, time, operation, actor, request, fields.

    NAME is the id or external id of a row of RESOURCE, which may be deleted. With --diff, each line
    is a field that differs: its JSON pointer, and its value before and after as JSON, or a hyphen
    for no value.
    """
    with reaching() as database:
        id = row_id(database, resource, name)
        if pair:
            earlier, later = (versions.document_in(database, resource, id, n) for n in pair)
            for each in differences(earlier, later):
                click.echo(f"{each.pointer}\t{_as_json(each.before)}\t{_as_json(each.after)}")
            return
        for entry in versions.versions(database, resource, id):
            who = (entry.actor, entry.request_id)
            values = (entry.version, entry.at, entry.op, *who, ",".join(entry.changed))
            click.echo("\t".join(str(value or "-") for value in values))


def _as_json(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
