"""What the tests of exchange stand on: a database with every seed, for reading only."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hksz_db.database import Database
from hksz_db.exchange.exporting import export, read_export
from hksz_db.exchange.formats import FORMATS
from hksz_db.queries.pages import RESOURCES


@pytest.fixture(scope="session")
def seeded_url(make_database, all_seeds: str) -> Iterator[str]:
    """A database with every seed."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture(scope="session")
def seeded(seeded_url: str) -> Iterator[Database]:
    """The same, for its readers."""
    database = Database(lambda: seeded_url)
    yield database
    database.close()


Exported = Callable[..., bytes]


@pytest.fixture(scope="session")
def exported(seeded: Database) -> Exported:
    """``exported("claims", "csv", ("id", "…"))``: all of a resource, as a file holds it."""

    def make(resource: str, form: str, *filters: tuple[str, str]) -> bytes:
        wanted = read_export(resource, [("format", form), *filters])
        return b"".join(export(seeded, wanted))

    return make


@pytest.fixture(scope="session")
def documents(exported: Exported) -> Callable[[str], list[dict[str, Any]]]:
    """``documents("claims")``: all documents of a resource, as they are read by id."""
    return lambda resource: [json.loads(line) for line in exported(resource, "ndjson").splitlines()]


@pytest.fixture
def written() -> Callable[[str, str, list[Any]], bytes]:
    """``written("sources", "bibtex", [{…}])``: documents that are made up, in a format."""

    def write(resource: str, form: str, made: list[Any]) -> bytes:
        wanted = read_export(resource, [("format", form)])
        documents = (json.dumps(document).encode() for document in made)
        return b"".join(FORMATS[form].write(wanted.request, documents))

    return write


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take ``resource_and_form`` run for each resource in each format that it has."""
    if "resource_and_form" in metafunc.fixturenames:
        pairs = [
            (name, form.name)
            for name, readable in RESOURCES.items()
            for form in FORMATS.values()
            if form.fields(readable)
        ]
        metafunc.parametrize("resource_and_form", pairs, ids="-".join)
