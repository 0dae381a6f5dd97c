"""Registers the pages. A module with pages must be imported here."""

from flask import Flask

from hksz_db.web import (
    adding,
    checking,
    claims,
    entities,
    feeds,
    history,
    lists,
    metrics,
    my_work,
    review,
    search,
    signing_in,
    sources,
)
from hksz_db.web.errors import register_error_pages
from hksz_db.web.site import register_site

__all__ = [
    "adding",
    "checking",
    "claims",
    "entities",
    "feeds",
    "history",
    "lists",
    "metrics",
    "my_work",
    "register_pages",
    "review",
    "search",
    "signing_in",
    "sources",
]


def register_pages(app: Flask, version: str) -> None:
    """Add the pages to the service; ``version`` is shown at the foot of each."""
    register_site(app, version)
    register_error_pages(app)
