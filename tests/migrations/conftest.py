"""Databases with and without the schema."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def empty(make_database) -> Iterator[str]:
    """The URL of a database without tables."""
    with make_database("empty") as url:
        yield url


@pytest.fixture
def migrated(make_database) -> Iterator[str]:
    """The URL of a database with the newest schema."""
    with make_database() as url:
        yield url
