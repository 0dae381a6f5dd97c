"""``python -m benchmarks.sizes``: how many bytes of disk a claim takes, and a correction of it.

Claims with two links, two pieces of evidence and, three times of five, a figure are written into a
generated dataset through the service's own writers. Then each is corrected in its own transaction.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import dataset
from hksz_db import embedded
from hksz_db.database import Database
from hksz_db.domain.vocabulary import BulkMode
from hksz_db.services.bulk import write
from hksz_db.services.registry import WRITERS
from hksz_db.services.writing import writing

_BATCH = 500
_FEED = ("public.changes", "public.transactions", "past.transactions")
_SIZES = """
    SELECT relnamespace::regnamespace || '.' || relname, pg_table_size(oid), pg_indexes_size(oid)
    FROM pg_class
    WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'past'::regnamespace)
"""
_CORRECTION = "UPDATE claims SET modality = 'planned', version = version + 1 WHERE external_id = %s"
Sizes = dict[str, tuple[int, int]]


def main(arguments: Sequence[str]) -> int:
    """Measure and print bytes for each claim."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--claims", type=int, default=20_000, help="in the dataset (20000)")
    parser.add_argument("--written", type=int, default=4_000, help="how many to write (4000)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hksz-sizes-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(folder / "home", durable=False) as server:
            _measure(server, options.claims, options.written)
    return 0


def _measure(server: embedded.Server, claims: int, written: int) -> None:
    made = dataset.prepare(server.url(), server.url(superuser=True), claims)
    url = server.url()
    database = Database(lambda: url)
    with psycopg.connect(server.url(superuser=True), autocommit=True) as connection:
        empty = _sizes(connection)
        bodies = list(_bodies(made, written))
        for start in range(0, written, _BATCH):
            with writing(database) as session:
                results = write(
                    session,
                    WRITERS["claims"],
                    bodies[start : start + _BATCH],
                    BulkMode.CREATE,
                    atomic=True,
                )
            if refused := [result.faults for result in results if result.error]:
                raise RuntimeError(f"A claim was refused: {refused[0]}")
        filled = _sizes(connection)
        for body in bodies:
            connection.execute(_CORRECTION, [body["external_id"]])
        corrected = _sizes(connection)
    database.close()
    _print("A claim of the dataset, with its indexes just built", {}, empty, claims)
    _print("A new claim", empty, filled, written)
    _print("A correction", filled, corrected, written)


def _sizes(connection: psycopg.Connection) -> Sizes:
    """The bytes of each table and of its indexes."""
    connection.execute("CHECKPOINT")
    return {name: (rows, index) for name, rows, index in connection.execute(_SIZES.encode())}


def _bodies(made: dataset.Dataset, number: int) -> Iterator[dict[str, Any]]:
    for n in range(number):
        entity, source = n % made.entities + 1, n * 7 % made.sources + 1
        yield {
            "external_id": f"size:{n}",
            "statement": f"In ward {n % 977}, the city counted {n} new laboratories by the river.",
            "language": "en",
            "claimant_external_id": f"bench:entity-{entity:08d}",
            "time_edtf": str(2005 + n % 20),
            "topics": ["laboratories"],
            "entities": [
                {
                    "entity_external_id": f"bench:entity-{n * 3 % made.entities + 1:08d}",
                    "role": "location",
                },
                {
                    "entity_external_id": f"bench:entity-{n * 7 % made.entities + 1:08d}",
                    "role": "subject",
                },
            ],
            "figures": [_figure(n, entity, n % made.metrics + 1)] if n % 5 < 3 else [],
            "evidence": [
                {
                    "source_external_id": f"bench:source-{each:08d}",
                    "stance": stance,
                    "page": str(n),
                }
                for each, stance in ((source, "asserts"), (source % made.sources + 1, "supports"))
            ],
        }


def _figure(n: int, entity: int, metric: int) -> dict[str, Any]:
    return {
        "metric_external_id": f"bench:metric-{metric:08d}",
        "subject_external_id": f"bench:entity-{entity:08d}",
        "as_stated": str(n),
        "comparator": "eq",
        "amount": str(n),
        "unit_code": "{case}",
        "period_edtf": str(2005 + n % 20),
    }


def _print(what: str, before: Sizes, after: Sizes, number: int) -> None:
    parts = {"live": 0, "indexes of it": 0, "past": 0, "feed": 0}
    for name, (rows, index) in after.items():
        old_rows, old_index = before.get(name, (0, 0))
        grown, indexed = rows - old_rows, index - old_index
        if name in _FEED:
            parts["feed"] += grown + indexed
        elif name.startswith("past."):
            parts["past"] += grown + indexed
        else:
            parts["live"] += grown
            parts["indexes of it"] += indexed
    shares = ", ".join(f"{part} {size / number:,.0f}" for part, size in parts.items())
    total = sum(parts.values()) / number
    sys.stdout.write(f"{what}: {total:,.0f} bytes ({shares})\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
