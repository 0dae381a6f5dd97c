"""The generated dataset; its size depends only on the number of claims."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from hksz_db.database import Database, driver_url, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.preparing import upgrade
from hksz_db.services import api_keys
from hksz_db.services.writing import writing

POSTED = "bench:post-"
"""The prefix of the external ids of claims that are created by measurements."""

_FIRST, _CLAIMS, _LAST = (
    Path(__file__).with_name(f"{name}.sql") for name in ("dataset", "dataset_claims", "dataset_end")
)
_BATCH = 10_000
# The generated rows are consistent, so triggers are not needed and would be slow. The rows belong
# to transaction 0, like those of a database that is older than its history.
_UNTRIGGERED = "-c session_replication_role=replica -c hksz.transaction=0"
_KEY_LABEL = "benchmark"
_GROWING = "claims, claim_bands, claim_entities, evidence, figures"
_IS_USED = """
    SELECT to_regnamespace('benchmark') IS NOT NULL OR EXISTS (SELECT FROM claims)
"""
# Indexes without a constraint. Loading is several times faster if they are created afterwards.
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


class UnusableHome(RuntimeError):
    """The folder cannot be used; the message is one sentence."""


@dataclass(frozen=True)
class Dataset:
    """The number of rows of each kind; rows are numbered from 1.

    Entities and words with higher numbers are less frequent. The first ``full_entities`` entities
    have more than 50 claims in every year.
    """

    claims: int
    sources: int
    entities: int
    metrics: int
    words: int
    first_year: int
    last_year: int
    full_entities: int


def prepare(url: str, superuser_url: str, claims: int) -> Dataset:
    """Return the dataset in the database; create it if the database is empty.

    Raises ``UnusableHome`` if the database contains something else.
    """
    upgrade(driver_url(url))
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        version = _one(connection, "SELECT obj_description(to_regnamespace('benchmark'))")
        if version is None:
            if _one(connection, _IS_USED):
                raise UnusableHome("The folder contains another database; use a new folder.")
            _fill(superuser_url, claims)
            # The dataset is complete.
            comment = sql.SQL("COMMENT ON SCHEMA benchmark IS {}").format(sql.Literal(_version()))
            connection.execute(comment)
        elif version != _version():
            raise UnusableHome(
                "The folder contains the dataset of another version; use a new folder."
            )
        with connection.cursor(row_factory=class_row(Dataset)) as cursor:
            dataset = cursor.execute("SELECT * FROM benchmark.dataset").fetchone()
    assert dataset is not None
    if dataset.claims != claims:
        raise UnusableHome(
            f"The folder contains {dataset.claims} claims, not {claims};"
            " use that number or a new folder."
        )
    return dataset


def _one(connection: psycopg.Connection, query: LiteralString) -> Any:
    found = connection.execute(query).fetchone()
    assert found is not None
    return found[0]


def _version() -> str:
    return hashlib.sha256(b"".join(f.read_bytes() for f in (_FIRST, _CLAIMS, _LAST))).hexdigest()


def _fill(superuser_url: str, claims: int) -> None:
    """Generate all rows, and count what the triggers would have counted; all cores are used."""

    def connected() -> psycopg.Connection:
        return psycopg.connect(superuser_url, options=_UNTRIGGERED)

    def generate(batch: tuple[int, int]) -> None:
        with connected() as connection:
            connection.execute(
                "SELECT set_config('benchmark.first', %s, true),"
                " set_config('benchmark.last', %s, true)",
                [str(number) for number in batch],
            )
            connection.execute(_CLAIMS.read_bytes())

    def create(index: str) -> None:
        with connected() as connection:
            connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
            connection.execute(index.encode())

    def count(batch: tuple[int, int]) -> None:
        with connected() as connection:
            connection.execute(
                "SELECT recount_claims(ARRAY(SELECT benchmark.claim_id(n)"
                " FROM generate_series(%s::int, %s::int) AS n))",
                batch,
            )

    batches = [(n, min(n + _BATCH - 1, claims)) for n in range(1, claims + 1, _BATCH)]
    with connected() as connection:
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        connection.execute("SELECT set_config('benchmark.claims', %s, true)", (str(claims),))
        connection.execute(_FIRST.read_bytes())
    of_counts = [index for _, index in indexes if " ON public.corroborations " in index]
    of_others = [index for _, index in indexes if index not in of_counts]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(generate, batches))
        list(threads.map(create, of_others))
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            # The statistics are for the plans of the counts.
            connection.execute("ANALYZE")
            connection.execute(_LAST.read_bytes())
        list(threads.map(count, batches))
        list(threads.map(create, of_counts))
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # Autovacuum would do this in the course of time.
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


def delete_posted(superuser_url: str) -> None:
    """Delete the claims that were created by measurements."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        with connection.transaction():
            connection.execute(
                "CREATE TEMP TABLE posted ON COMMIT DROP AS"
                " SELECT id FROM claims WHERE external_id ^@ %s",
                (POSTED,),
            )
            connection.execute("DELETE FROM evidence USING posted WHERE claim_id = posted.id")
            connection.execute("DELETE FROM figures USING posted WHERE claim_id = posted.id")
            connection.execute("DELETE FROM claims USING posted WHERE claims.id = posted.id")
        connection.execute(f"VACUUM (ANALYZE) {_GROWING}")


def new_key(url: str) -> str:
    """Create a key that may write claims, in place of the key of an earlier run."""
    database = Database(lambda: url)
    try:
        with writing(database) as session:
            run(session, "DELETE FROM api_keys WHERE label = $1", _KEY_LABEL)
            return api_keys.create(session, _KEY_LABEL, [Scope.CLAIMS_WRITE])
    finally:
        database.close()
