"""``/v1/changes``: the feed of changes in the order of their commits, with long polling."""

import json
import time
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import ValidationError

from hksz_db.api import answers, cursors, operations, options
from hksz_db.api.access import check_reader, database
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import Faults, arguments, listed, read
from hksz_db.api.questions import DEFAULT_PER_PAGE
from hksz_db.api.views import add_call
from hksz_db.api.waiting import waiting_room
from hksz_db.feed.pages import Feed, Page, horizon
from hksz_db.feed.positions import BEGINNING, ForeignCursor, Position
from hksz_db.queries.pages import RESOURCES
from schemas.changes import CHANGES_OPTIONS, MAX_WAIT_S, ChangeSchema

NOW = "now"
"""Accepted in place of a cursor: only later changes follow."""


def changes_blueprint() -> Blueprint:
    """The blueprint of the feed."""
    blueprint = Blueprint(
        "changes", __name__, url_prefix="/v1/changes", description=ChangeSchema.__doc__
    )

    def follow() -> Response:
        check_reader()
        query = _query()
        try:
            return _answer(query, _page(query))
        except ForeignCursor:
            raise cursors.refusal() from None

    add_call(blueprint, "GET ", "follow", operations.following(), follow, cost=Cost.COSTLY)
    return blueprint


@dataclass(frozen=True)
class _Query:
    feed: Feed
    cursor: str | None
    per_page: int
    wait: int


def _query() -> _Query:
    given, faults = arguments(), Faults()
    for name in given.keys() - CHANGES_OPTIONS.keys():
        known = listed(CHANGES_OPTIONS)
        faults.add(name, "unknown", f"Unknown parameter {name!r}; known: {known}.")
    resources = read("resource", given, partial(options.known_names, RESOURCES), faults, RESOURCES)
    query = _Query(
        feed=Feed(
            database(),
            tuple(name for name in RESOURCES if name in resources),
            read("document", given, _yes_or_no, faults, True),
        ),
        cursor=read("cursor", given, options.cursor, faults, None),
        per_page=read("per_page", given, options.per_page, faults, DEFAULT_PER_PAGE),
        wait=read("wait", given, _seconds, faults, 0),
    )
    faults.check()
    return query


def _yes_or_no(value: Any) -> bool:
    if value not in {"true", "false"}:
        raise ValidationError("Must be true or false.")
    return bool(value == "true")


def _seconds(value: Any) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value) <= MAX_WAIT_S):
        raise ValidationError(f"Must be a whole number of seconds, from 0 to {MAX_WAIT_S}.")
    return int(value)


def _page(query: _Query) -> Page:
    """The next page; if it is empty, the first with entries that appears while it waits."""
    page = query.feed.after(_position(query), query.per_page)
    deadline = time.monotonic() + query.wait
    while query.wait and not page.entries and page.caught_up:
        room = waiting_room()
        with room.place():
            more = room.listener.wait(page.position, deadline - time.monotonic())
        if not more:
            break
        page = query.feed.after(page.position, query.per_page)
    return page


def _position(query: _Query) -> Position:
    if query.cursor is None:
        return BEGINNING
    if query.cursor == NOW:
        return horizon(database()).position
    return query.feed.position(query.cursor)


def _answer(query: _Query, page: Page) -> Response:
    cursor = query.feed.cursor(page.position)
    meta = {"next_cursor": cursor, "caught_up": page.caught_up, "per_page": query.per_page}
    body = b'{"data":[%b],"meta":%b}' % (page.entries, json.dumps(meta).encode())
    response = answers.DirectResponse(body, content_type="application/json")
    following = urlencode({**request.args.to_dict(), "cursor": cursor})
    response.headers["Link"] = f'<{request.path}?{following}>; rel="next"'
    # The answer changes with the next commit.
    response.headers["Cache-Control"] = "no-store"
    return response
