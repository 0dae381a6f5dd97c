"""Versions: what a row was, who changed it, and how."""

import json
from typing import Any
from uuid import UUID

import click

from hksz_db.commands.terminal import id_or_name, reaching
from hksz_db.database import Database
from hksz_db.domain.differences import differences
from hksz_db.queries import versions
from hksz_db.queries.pages import RESOURCES


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
    with reaching() as database:
        id = _row_id(database, resource, name)
        if pair:
            earlier, later = (versions.document_in(database, resource, id, n) for n in pair)
            for found in differences(earlier, later):
                click.echo(f"{found.pointer}\t{_shown(found.before)}\t{_shown(found.after)}")
            return
        for entry in versions.versions(database, resource, id):
            changed = ",".join(entry["changed"])
            parts = (entry["version"], entry["at"], entry["op"], entry["actor"])
            click.echo(
                "\t".join(str(_or_hyphen(p)) for p in (*parts, entry["request_id"], changed))
            )


def _row_id(database: Database, resource: str, name: str) -> UUID:
    named = id_or_name(name)
    found = named if isinstance(named, UUID) else versions.named(database, resource, named)
    if found is None:
        raise click.ClickException(f"There is no {RESOURCES[resource].singular} {name}.")
    return found


def _or_hyphen(value: Any) -> Any:
    return "-" if value in {None, ""} else value


def _shown(value: Any) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)
