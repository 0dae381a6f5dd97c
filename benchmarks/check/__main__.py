"""``python -m benchmarks.check``: how good the findings of checks are, and how long a check takes.

Without ``--claims``, it prints the precision and the recall of each finding, for sentences about
the seeds. With it, it times the check of a text of 2,000 words on a generated database.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg

from benchmarks import dataset
from benchmarks.check.sentences import HELD_BACK, TUNED_ON, Sentence
from hksz_db import embedded
from hksz_db.checking.check import check_text
from hksz_db.checking.known import Known, KnownNames
from hksz_db.database import Database
from hksz_db.domain.chronology import parse
from hksz_db.domain.vocabulary import Finding
from hksz_db.preparing import prepare

_WORDS = 2_000
_TIMES = 7


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("--claims", type=int, help="time a check among this many claims")
    parser.add_argument("--home", type=Path, help="a folder in which the database is kept")
    parser.add_argument(
        "--wrong", action="store_true", help="list the sentences with a wrong finding"
    )
    options = parser.parse_args(arguments)
    with _home(options.home) as home, embedded.running(home) as server:
        database = Database(server.url, statement_timeout_ms=60_000)
        try:
            if options.claims:
                superuser = server.url(superuser=True)
                dataset.prepare(server.url(), superuser, options.claims)
                _time(database, superuser)
            else:
                prepare(database)
                _judge(database, list_wrong=options.wrong)
        finally:
            database.close()
    return 0


@contextmanager
def _home(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="hksz-check-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder / "home"


def _judge(database: Database, *, list_wrong: bool) -> None:
    known = KnownNames().of(database)
    for title, sentences in (("tuned on", TUNED_ON), ("held back", HELD_BACK)):
        found = [(each, _finding(database, known, each)) for each in sentences]
        print(f"{len(sentences)} sentences, {title}")
        print(
            f"{'finding':<12} {'right':>5} {'given':>5} {'due':>5} {'precision':>9} {'recall':>6}"
        )
        for finding in Finding:
            given = [each for each, got in found if got == finding]
            due = [each for each in sentences if each.finding == finding]
            right = sum(each.finding == finding for each in given)
            precision, recall = (f"{right / len(of):.2f}" if of else "-" for of in (given, due))
            print(
                f"{finding:<12} {right:>5} {len(given):>5} {len(due):>5} {precision:>9} {recall:>6}"
            )
        if list_wrong:
            for each, got in found:
                if got != each.finding:
                    print(f"{each.kind}: {each.finding}, not {got}: {each.text}")


def _finding(database: Database, known: Known, sentence: Sentence) -> str:
    checked = check_text(database, known, sentence.text, published=parse(sentence.published))
    (only,) = checked.sentences
    return only.finding


def _time(database: Database, superuser_url: str) -> None:
    text = _article(superuser_url)
    names = KnownNames()
    began = time.perf_counter()
    known = names.of(database)
    print(f"{len(known.names)} names loaded in {time.perf_counter() - began:.2f} s")
    taken, processor = [], []
    for _ in range(_TIMES):
        began, used = time.perf_counter(), time.process_time()
        checked = check_text(database, names.of(database), text, published=parse("2024-01-29"))
        taken.append(time.perf_counter() - began)
        processor.append(time.process_time() - used)
    figures = sum(len(each.figures) for each in checked.sentences)
    mentions = sum(len(each.read.mentions) for each in checked.sentences)
    alike = sum(len(each.claims) for each in checked.sentences)
    print(
        f"{len(text.split())} words, {len(checked.sentences)} sentences, {mentions} names,", end=" "
    )
    print(f"{figures} figures, {alike} claims that look alike")
    print(f"the first check took {taken[0]:.2f} s, the median {median(taken):.2f} s,", end=" ")
    print(f"of which {median(processor):.2f} s in Python")


def _article(superuser_url: str) -> str:
    """A text of statements of the dataset, and of other figures of its metrics and subjects."""
    query = """
        SELECT format(
            '%s. The %s of %s was %s %s in %s.', statement, metrics.label, entities.name,
            round(coalesce(amount, 1000)) + n,
            CASE figures.dimension WHEN 'money' THEN unit_code END,
            extract(year FROM coalesce(lower(period), '2020-01-01'))
        )
        FROM generate_series(1, 400) AS n
        JOIN claims ON claims.id = benchmark.claim_id(n * 200)
        JOIN figures ON figures.claim_id = claims.id
        JOIN metrics ON metrics.id = metric_id
        JOIN entities ON entities.id = subject_id
        ORDER BY n
    """
    with psycopg.connect(superuser_url) as connection:
        sentences = [row[0] for row in connection.execute(query)]
    words: list[str] = []
    for sentence in sentences:
        if len(words) >= _WORDS:
            break
        words += sentence.replace("\n", " ").split()
    return " ".join(words[:_WORDS])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
