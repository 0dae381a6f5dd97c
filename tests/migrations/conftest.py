"""Databases with and without the schema."""

from collections.abc import Iterator

import pytest

from tests.conftest import MakeDatabase


@pytest.fixture
def empty(make_database: MakeDatabase) -> Iterator[str]:
    """The URL of a database without tables."""
    with make_database("empty") as url:
        yield url


@pytest.fixture
def migrated(make_database: MakeDatabase) -> Iterator[str]:
    """The URL of a database with the newest schema."""
    with make_database() as url:
        yield url
