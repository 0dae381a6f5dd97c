"""``python -m benchmarks``: measures the service against an ORM, PostgreSQL alone and peers."""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psycopg

from benchmarks import ceiling, dataset, equivalence, load, paging, report
from benchmarks.peers import statements
from benchmarks.questions import Question, questions
from benchmarks.report import CEILING, FASTAPI, FASTIFY, ORM, SERVICE, Rates, Result
from benchmarks.servers import (
    NotServing,
    Server,
    fastapi_peer,
    fastify_peer,
    orm_service,
    this_service,
)
from hksz_db import embedded

_WARM_UP_S = 2
_CHECKED = 10
_Measure = Callable[[float], load.Rate]


class MissingProgram(RuntimeError):
    """A required program is not installed; the message is one sentence."""


@dataclass(frozen=True)
class Environment:
    """A database with the dataset, and a folder for files."""

    database: embedded.Server
    dataset: dataset.Dataset
    key: str
    folder: Path


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark and return the exit code."""
    options = _parser().parse_args(arguments)
    # SIGTERM too stops the servers that have been started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _check_programs()
        with _environment(options.home, options.claims) as environment:
            return _measure_all(environment, options)
    except KeyboardInterrupt:
        return 130
    except (
        MissingProgram,
        NotServing,
        dataset.UnusableHome,
        embedded.EmbeddedError,
        equivalence.AnswersDiffer,
    ) as error:
        _say(f"benchmarks: {error}")
        return 1
    except subprocess.CalledProcessError as error:
        _say(f"benchmarks: {error.cmd[0]} failed:\n{error.stderr}")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--claims", type=int, default=100_000, help="how many claims to measure with (100000)")
    add("--home", type=Path, help="a folder in which the dataset is kept for later runs")
    add("--rounds", type=int, default=3, help="how often each request is measured (3)")
    add("--seconds", type=int, default=5, help="how many seconds each measurement takes (5)")
    add("--peers", action="store_true", help="also measure FastAPI and Fastify")
    add("--paging", action="store_true", help="also compare a distant page with the first one")
    add("--json", type=Path, metavar="FILE", help="also write all numbers to a file")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _check_programs() -> None:
    if not load.is_installed():
        raise MissingProgram("wrk is missing: install it (Debian: apt-get install wrk).")
    if find_spec("gunicorn") is None:
        raise MissingProgram("gunicorn is missing: pip install -r benchmarks/requirements.txt.")


@contextmanager
def _environment(home: Path | None, claims: int) -> Iterator[Environment]:
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name:
        folder = Path(name)
        # For root, the database runs under another account, which needs access.
        folder.chmod(0o755)
        with embedded.running(home or folder / "home") as server:
            _say(f"Preparing a dataset of {claims:,} claims …")
            prepared = dataset.prepare(server.url(), server.url(superuser=True), claims)
            dataset.delete_posted(server.url(superuser=True))
            try:
                yield Environment(server, prepared, dataset.new_key(server.url()), folder)
            finally:
                dataset.delete_posted(server.url(superuser=True))


def _measure_all(environment: Environment, options: argparse.Namespace) -> int:
    asked = questions(environment.dataset)
    parts = (environment.database.url(), environment.key, environment.folder)
    with (
        this_service(*parts) as service,
        orm_service(*parts) as orm,
        _peers(environment, asked, options.peers) as peers,
    ):
        lines = _write_lines(environment, asked)
        _say("Checking that all give the same answers …")
        for question in asked:
            checked = lines[question.letter].read_text().splitlines()[:_CHECKED]
            for other in _answering(question, orm, peers).values():
                equivalence.check(service, other, checked)
        _say("Recording the statements for pgbench …")
        ceilings = ceiling.prepare(environment.database, environment.key, asked, environment.folder)
        results = []
        for question in asked:
            _say(f"Measuring {question.letter}, {question.title} …")
            path = lines[question.letter]
            measures: dict[str, _Measure] = {
                SERVICE: partial(load.measure, service, path),
                CEILING: ceilings[question.letter].measure,
                **{
                    name: partial(load.measure, server, path)
                    for name, server in _answering(question, orm, peers).items()
                },
            }
            rates = _rounds(measures, options.rounds, options.seconds)
            results.append(Result(question, rates))
        claims = environment.dataset.claims
        depth = paging.measure(service, claims) if options.paging else None
    facts = report.facts(_version(environment), claims, options.rounds, options.seconds)
    sys.stdout.write(report.text(facts, results, depth))
    if options.json:
        report.write(options.json, facts, results, depth)
    return 1 if any(result.failed for result in results) else 0


@contextmanager
def _peers(
    environment: Environment, asked: Sequence[Question], wanted: bool
) -> Iterator[Mapping[str, Server]]:
    """The peers by name, without those that cannot run here."""
    if not wanted:
        yield {}
        return
    url, path = environment.database.url(), environment.folder / "statements.json"
    with psycopg.connect(url) as connection:
        statements.write((each for each in asked if each.peer_aim), connection, path)
    parts = (statements.peer_url(url), path, environment.folder)
    with ExitStack() as running:
        peers = {}
        if all(map(find_spec, ("asyncpg", "fastapi", "uvicorn"))):
            peers[FASTAPI] = running.enter_context(fastapi_peer(*parts))
        else:
            _say("FastAPI is left out: pip install -r benchmarks/peers/requirements.txt.")
        if shutil.which("node") and shutil.which("npm"):
            peers[FASTIFY] = running.enter_context(fastify_peer(*parts))
        else:
            _say("Fastify is left out: node or npm is missing (Debian: apt-get install npm).")
        yield peers


def _answering(question: Question, orm: Server, peers: Mapping[str, Server]) -> dict[str, Server]:
    """The other servers that answer a question, by name."""
    return {
        **({ORM: orm} if question.orm_aim else {}),
        **(peers if question.peer_aim else {}),
    }


def _write_lines(environment: Environment, asked: Sequence[Question]) -> dict[str, Path]:
    """Write the requests of each question to a file."""
    written = {}
    with psycopg.connect(environment.database.url()) as connection:
        for question in asked:
            written[question.letter] = environment.folder / f"{question.letter}.txt"
            text = "\n".join(question.lines(connection))
            written[question.letter].write_text(text)
    return written


def _rounds(measures: Mapping[str, _Measure], rounds: int, seconds: int) -> Rates:
    """The rates of each variant in each round; each round begins with another variant."""
    for measure in measures.values():
        measure(_WARM_UP_S)
    names = list(measures)
    rates: Rates = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            rates[name].append(measures[name](seconds))
    return rates


def _version(environment: Environment) -> str:
    with psycopg.connect(environment.database.url()) as connection:
        return connection.info.parameter_status("server_version") or ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
