"""``python -m benchmarks``: measures the service beside the usual way and PostgreSQL alone."""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import psycopg

from benchmarks import ceiling, dataset, load, paging, report, sameness
from benchmarks.questions import Question, questions
from benchmarks.report import CEILING, SERVICE, USUAL, Rates, Result
from benchmarks.servers import NotServing, the_usual_way, this_service
from hksz_db import embedded

_WARM_UP_S = 2
_CHECKED = 10
_Measure = Callable[[float], load.Rate]


class MissingProgram(RuntimeError):
    """A program that measures is not installed; the message is one sentence."""


@dataclass(frozen=True)
class Ground:
    """What the measuring stands on: a database with the dataset, and a folder for files."""

    database: embedded.Server
    dataset: dataset.Dataset
    key: str
    folder: Path


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; the exit code."""
    options = _parser().parse_args(arguments)
    # Ended either way, whatever was started is stopped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _check_programs()
        with _ground(options.home, options.claims) as ground:
            return _measure_all(ground, options)
    except KeyboardInterrupt:
        return 130
    except (
        MissingProgram,
        NotServing,
        dataset.UnusableHome,
        embedded.EmbeddedError,
        sameness.AnswersDiffer,
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
    add("--home", type=Path, help="a folder to keep the dataset in, for the next time")
    add("--rounds", type=int, default=3, help="how often each request is measured (3)")
    add("--seconds", type=int, default=5, help="how long each time (5)")
    add("--paging", action="store_true", help="compare a page far down a list with the first, too")
    add("--json", type=Path, metavar="FILE", help="write all numbers to a file, too")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _check_programs() -> None:
    if not load.is_there():
        raise MissingProgram("wrk is missing: install it (Debian: apt-get install wrk).")
    if find_spec("gunicorn") is None:
        raise MissingProgram("gunicorn is missing: pip install -r benchmarks/requirements.txt.")


@contextmanager
def _ground(home: Path | None, claims: int) -> Iterator[Ground]:
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name:
        folder = Path(name)
        # For root the database runs as another account, which has to get in.
        folder.chmod(0o755)
        with embedded.running(home or folder / "home") as server:
            _say(f"Making or finding a dataset of {claims:,} claims …")
            found = dataset.provide(server.url(), server.url(superuser=True), claims)
            dataset.tidy(server.url(superuser=True))
            try:
                yield Ground(server, found, dataset.new_key(server.url()), folder)
            finally:
                dataset.tidy(server.url(superuser=True))


def _measure_all(ground: Ground, options: argparse.Namespace) -> int:
    asked = questions(ground.dataset)
    parts = (ground.database.url(), ground.key, ground.folder)
    with this_service(*parts) as service, the_usual_way(*parts) as usual:
        lines = _write_lines(ground, asked)
        _say("Checking that both give the same answers …")
        for path in lines.values():
            sameness.check(service, usual, path.read_text().splitlines()[:_CHECKED])
        _say("Looking for the ceilings …")
        ceilings = ceiling.prepare(ground.database, ground.key, asked, ground.folder)
        results = []
        for question in asked:
            _say(f"Measuring {question.letter}, {question.title} …")
            path = lines[question.letter]
            measures: dict[str, _Measure] = {
                SERVICE: partial(load.press, service, path),
                USUAL: partial(load.press, usual, path),
                CEILING: ceilings[question.letter].measure,
            }
            rates = _rounds(measures, options.rounds, options.seconds)
            results.append(Result(question, rates))
        depth = paging.measure(service, ground.dataset.claims) if options.paging else None
    facts = report.facts(_version(ground), ground.dataset.claims, options.rounds, options.seconds)
    sys.stdout.write(report.text(facts, results, depth))
    if options.json:
        report.write(options.json, facts, results, depth)
    return 1 if any(result.failed for result in results) else 0


def _write_lines(ground: Ground, asked: Sequence[Question]) -> dict[str, Path]:
    """What is asked, a file for each question."""
    written = {}
    with psycopg.connect(ground.database.url()) as connection:
        for question in asked:
            written[question.letter] = ground.folder / f"{question.letter}.txt"
            text = "\n".join(question.lines(connection))
            written[question.letter].write_text(text)
    return written


def _rounds(measures: Mapping[str, _Measure], rounds: int, seconds: int) -> Rates:
    """The rates of every variant, a round an entry; the first in a round is each in turn."""
    for measure in measures.values():
        measure(_WARM_UP_S)
    names = list(measures)
    rates: Rates = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            rates[name].append(measures[name](seconds))
    return rates


def _version(ground: Ground) -> str:
    with psycopg.connect(ground.database.url()) as connection:
        return connection.info.parameter_status("server_version") or ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
