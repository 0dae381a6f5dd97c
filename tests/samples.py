"""Samples of each resource, rows of those that no seed fills, and where a text is stored."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from hksz_db.database import Database
from hksz_db.domain.vocabulary import BulkMode, Scope
from hksz_db.services.bulk import write
from hksz_db.services.registry import WRITERS
from hksz_db.services.writing import writing


@dataclass(frozen=True)
class Sample:
    """A body that creates a row of a resource, and a patch that changes it.

    ``body`` refers to the seed, ``plain`` are the fields that are returned as they were
    sent, ``change`` is a patch with another value, and both need ``scope``.

    If no seed has rows of the resource, ``rows`` are at least six others with external ids, and
    each filter must select some of them and not all.
    """

    resource: str
    scope: Scope
    body: dict[str, Any]
    plain: tuple[str, ...]
    change: dict[str, Any]
    rows: tuple[dict[str, Any], ...] = ()

    @property
    def path(self) -> str:
        return f"/v1/{self.resource}"


SAMPLES = (
    Sample(
        "sources",
        Scope.SOURCES_WRITE,
        {
            "external_id": "test:report",
            "csl_type": "report",
            "title": "A report",
            "contributors": [{"entity_external_id": "hksz:hkpc", "role": "publisher"}],
        },
        ("external_id", "csl_type", "title"),
        {"title": "Another report"},
    ),
    Sample(
        "claims",
        Scope.CLAIMS_WRITE,
        {
            "external_id": "test:claim",
            "statement": "Forty firms moved.",
            "claimant_external_id": "hksz:hkpc",
            "topics": ["firms"],
            "figures": [
                {
                    "metric_external_id": "hksz:metric-ttps-approved",
                    "subject_external_id": "hksz:ttps",
                    "as_stated": "forty",
                    "comparator": "eq",
                    "amount": "40",
                    "unit_code": "1",
                }
            ],
            "evidence": [
                {"source_external_id": "hksz:shenzhen-daily-article", "stance": "mentions"}
            ],
        },
        ("external_id", "statement", "topics"),
        {"statement": "Fifty firms moved."},
    ),
    Sample(
        "entities",
        Scope.ENTITIES_WRITE,
        {
            "external_id": "test:firm",
            "kind": "organisation",
            "names": [{"name": "A firm", "language": "en", "kind": "preferred"}],
            "identifiers": [{"scheme": "lei", "value": "5493001KJTIIGC8Y1R12"}],
        },
        ("external_id", "kind", "names", "identifiers"),
        {"kind": "facility"},
    ),
    Sample(
        "figures",
        Scope.CLAIMS_WRITE,
        {
            "external_id": "test:figure",
            "claim_external_id": "hksz:ttps-approved-2023",
            "metric_external_id": "hksz:metric-ttps-approved",
            "subject_external_id": "hksz:ttps",
            "as_stated": "some sixty",
            "comparator": "approx",
            "amount": "60",
            "unit_code": "1",
        },
        ("external_id", "as_stated", "comparator", "amount", "unit_code"),
        {"amount": "60.0"},
    ),
    Sample(
        "evidence",
        Scope.CLAIMS_WRITE,
        {
            "external_id": "test:passage",
            "claim_external_id": "hksz:ttps-approved-2023",
            "source_external_id": "hksz:shenzhen-daily-article",
            "stance": "disputes",
            "page": "7",
        },
        ("external_id", "stance", "page"),
        {"stance": "supports"},
    ),
    Sample(
        "metrics",
        Scope.CLAIMS_WRITE,
        {
            "external_id": "test:metric",
            "key": "firms",
            "label": "Firms",
            "dimension": "count",
            "accumulation": "stock",
        },
        ("external_id", "key", "label", "dimension", "accumulation"),
        {"accumulation": "flow"},
    ),
    Sample(
        "units",
        Scope.CLAIMS_WRITE,
        {"external_id": "test:unit", "code": "HKD", "label": "Hong Kong dollar"},
        ("external_id", "code", "label"),
        {"label": "dollar"},
    ),
)


def write_rows(url: str, rows: Mapping[str, Sequence[dict[str, Any]]]) -> None:
    """Write the bodies, by resource, in an order in which references lead to earlier ones.

    Each is written in a transaction of its own, so that their moments differ.
    """
    database = Database(lambda: url)
    for name, writer in WRITERS.items():
        for body in copy.deepcopy(rows.get(name, ())):
            with writing(database) as session:
                (result,) = write(session, writer, [body], BulkMode.CREATE, atomic=False)
            assert not result.faults
    database.close()


def write_unseeded_rows(url: str) -> None:
    """Write the rows of resources that no seed fills; the database has the first seed."""
    write_rows(url, {sample.resource: sample.rows for sample in SAMPLES})


def tables_with(database_url: str, *needles: str) -> set[str]:
    """The tables of all schemas with a row whose text has one of the needles."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return {
            table
            for (table,) in tables
            for needle in needles
            if connection.execute(
                f"SELECT FROM {table} AS each WHERE position(%s in lower(each::text)) > 0 LIMIT 1",
                [needle],
            ).fetchall()
        }
