"""``flask erase``."""

from typing import TextIO

import click
import structlog
from marshmallow import ValidationError

from hksz_db.commands.terminal import errors_in_one_line, row_id
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import erasing
from hksz_db.services.writing import writing
from schemas.fields import Text

_log = structlog.get_logger(__name__)


@click.argument("resource", type=click.Choice(list(RESOURCES)))
@click.argument("name")
@click.argument("text", type=click.File(encoding="utf-8"))
@click.option("--reason", required=True, help="Why, for the readers of the tombstone.")
def erase(resource: str, name: str, text: TextIO, reason: str) -> None:
    """Erase a text from a row, its lists and its history, for good.

    NAME is the id or external id of a row of RESOURCE. TEXT is a file with the text, or - for the
    standard input. In its place is written that it was erased, when and why. Each line of the
    output is a column, and how many present and earlier states of it held the text. Then come
    other rows that hold it.

    Backups, exports and copies that others have made still have the text.
    """
    words, why = _one_line(text.read().rstrip("\r\n")), _one_line(reason)
    with errors_in_one_line() as database:
        id = row_id(database, resource, name)
        with writing(database) as session:
            erased = erasing.erase(session, resource, id, words, why)
    columns = [f"{each.table}.{each.column}" for each in erased.found]
    _log.warning("erased", resource=resource, id=str(id), columns=columns, reason=why)
    for column, each in zip(columns, erased.found, strict=True):
        click.echo(f"{column}\t{each.present} present\t{each.past} earlier")
    for other, other_id in erased.elsewhere:
        click.echo(f"still in {other} {other_id}")


def _one_line(text: str) -> str:
    try:
        return Text(1000).deserialize(text)
    except ValidationError as error:
        raise click.ClickException(f"Text or reason: {' '.join(error.messages)}") from None
