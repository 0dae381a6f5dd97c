"""The statements of the service, for peers to send."""

import json
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, quote

import psycopg

from benchmarks.questions import PATH, Ask, Question
from hksz_db.database import Prepared
from hksz_db.database.connecting import Connector
from hksz_db.queries.pages import document_statement, page_statement
from hksz_db.queries.questions import read_document, read_list

# What decides the text of the statement, or is the same in every request.
_FIXED = {"include", "per_page"}
_TIMEOUT_MS = 5000


def peer_url(url: str) -> str:
    """The URL of the database with the options of the service's connections."""
    options = Connector(lambda: url, _TIMEOUT_MS).parameters()["options"]
    return f"{url}&options={quote(options)}"


def write(questions: Iterable[Question], connection: psycopg.Connection, path: Path) -> None:
    """Write the statement of each read by its letter, with the arguments of a request.

    ``{NAME}`` in an argument stands for the parameter of that name, and ``{id}`` for the id in the
    path.
    """
    found = {}
    for question in questions:
        line, _ = question.sample(connection)
        statement, arguments, given = _asked(Ask.from_line(line, ""))
        text = json.dumps(arguments, default=str)
        for name, value in given.items():
            if name not in _FIXED:
                text = text.replace(value, f"{{{name}}}")
        found[question.letter] = {"sql": statement.sql, "arguments": json.loads(text)}
    path.write_text(json.dumps(found))


def _asked(ask: Ask) -> tuple[Prepared, list[object], dict[str, str]]:
    """The statement for a request and its arguments, and the parameters of the request."""
    path, _, query = ask.path.partition("?")
    pairs = parse_qsl(query)
    if path == PATH:
        listed = read_list("claims", pairs)
        statement = page_statement(listed.shape("claims", None))
        return statement, statement.arguments(listed.values()), dict(pairs)
    id = path.removeprefix(f"{PATH}/")
    statement = document_statement("claims", read_document("claims", pairs).fields)
    return statement, statement.arguments({"id": id}), {**dict(pairs), "id": id}
