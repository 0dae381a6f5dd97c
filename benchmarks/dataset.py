"""The generated dataset; its size depends only on the number of claims."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
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

_SQL = Path(__file__).with_name("dataset.sql")
_BATCH = 10_000
# The generated rows are consistent, so triggers are not needed and would be slow. The rows belong
# to transaction 0, like those of a database that is older than its history.
_UNTRIGGERED = "-c session_replication_role=replica -c hksz.transaction=0"
_KEY_LABEL = "benchmark"
_GROWING = "claims, claim_bands, claim_entities, evidence, figures"
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
            if _one(connection, "SELECT EXISTS (SELECT FROM claims)"):
                raise UnusableHome("The folder contains another database; use a new folder.")
            _fill(superuser_url, claims)
            _count(superuser_url, claims)
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
    return hashlib.sha256(_SQL.read_bytes()).hexdigest()


def _fill(superuser_url: str, claims: int) -> None:
    with psycopg.connect(superuser_url, options=_UNTRIGGERED) as connection:
        connection.execute("SELECT set_config('benchmark.claims', %s, true)", (str(claims),))
        with _indexed_afterwards(connection):
            connection.execute(_SQL.read_bytes())
        # The statistics are for the plans of the counts.
        connection.execute("ANALYZE")


def _count(superuser_url: str, claims: int) -> None:
    """Count what the triggers would have counted, a batch on each core at a time."""

    def count(first: int) -> None:
        with psycopg.connect(superuser_url, autocommit=True, options=_UNTRIGGERED) as connection:
            connection.execute(
                "SELECT recount_claims(ARRAY(SELECT benchmark.claim_id(n)"
                " FROM generate_series(%s::int, %s::int) AS n))",
                (first, min(first + _BATCH, claims + 1) - 1),
            )

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        list(threads.map(count, range(1, claims + 1, _BATCH)))
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        # Autovacuum would do this in the course of time.
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


@contextmanager
def _indexed_afterwards(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
    indexes = connection.execute(_INDEXES).fetchall()
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for _, definition in indexes:
        connection.execute(definition)


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
