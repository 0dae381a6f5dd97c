"""Fixtures: a read-only database with all seeds, and its exports."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from hksz_db.database import Database
from hksz_db.exchange import tables
from hksz_db.exchange.exporting import FORMATS, export, read_export
from hksz_db.queries.registry import RESOURCES
from tests.conftest import MakeDatabase

Documents = Callable[[str], list[dict[str, Any]]]
Write = Callable[[str, str, list[Any]], bytes]


@pytest.fixture(scope="session")
def seeded_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with all seeds."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture(scope="session")
def seeded(seeded_url: str) -> Iterator[Database]:
    """The same, as a ``Database``."""
    database = Database(lambda: seeded_url)
    yield database
    database.close()


Exported = Callable[..., bytes]


@pytest.fixture(scope="session")
def exported(seeded: Database) -> Exported:
    """``exported("claims", "csv", ("id", "…"))`` is the content of an exported file."""

    def make(resource: str, form: str, *filters: tuple[str, str]) -> bytes:
        wanted = read_export(resource, [("format", form), *filters])
        return b"".join(export(seeded, wanted))

    return make


@pytest.fixture(scope="session")
def documents(exported: Exported) -> Documents:
    """``documents("claims")`` are all documents of a resource, as reads by id return them."""

    def read(resource: str) -> list[dict[str, Any]]:
        found = [json.loads(line) for line in exported(resource, "ndjson").splitlines()]
        assert found
        return found

    return read


@pytest.fixture
def written() -> Write:
    """``written("sources", "bibtex", [{…}])`` is a file of made-up documents."""

    def write(resource: str, form: str, made: list[Any]) -> bytes:
        wanted = read_export(resource, [("format", form)])
        return b"".join(FORMATS[form].write(wanted.shape, rows_of(form, resource, made)))

    return write


def rows_of(form: str, resource: str, documents: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows that the statement of the format would return if these were the documents."""
    if FORMATS[form].statement is not tables.statement:
        return ((json.dumps(document).encode(),) for document in documents)
    columns = tables.columns(resource)
    return (tuple(cell(document, column.path) for column in columns) for document in documents)


def cell(part: Any, path: tuple[str, ...]) -> Any:
    """What is at the path below a part of a document, as a cell holds it."""
    match part:
        case None | str():
            return part
        case list():
            found = (cell(item, path) for item in part)
            return [value for value in found if value is not None]
        case dict() if path:
            return cell(part[path[0]], path[1:])
        case dict():
            return ",".join(f"{name}:{value}" for name, value in sorted(part.items()))
    return json.dumps(part)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests with ``resource_and_form`` for each resource in each of its formats."""
    if "resource_and_form" in metafunc.fixturenames:
        pairs = [
            (name, form.name)
            for name, readable in RESOURCES.items()
            for form in FORMATS.values()
            if form.fields(readable)
        ]
        metafunc.parametrize("resource_and_form", pairs, ids="-".join)
