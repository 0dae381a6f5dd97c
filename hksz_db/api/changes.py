"""``/v1/changes``: the feed of changes in the order of their commits, with long polling."""

import json
import time
from dataclasses import dataclass
from inspect import getdoc

from flask import Response

from hksz_db.api import answers, cursors
from hksz_db.api.access import database
from hksz_db.api.calls import Call, Section
from hksz_db.api.parameters import arguments
from hksz_db.api.waiting import waiting_room
from hksz_db.feed.pages import BEGINNING, Feed, ForeignCursor, Page, Position, horizon
from hksz_db.queries.pages import RESOURCES
from hksz_db.queries.questions import model_of
from schemas.changes import ChangeSchema, change_page_schema, changes_parameters
from schemas.parameters import DEFAULT_PER_PAGE

CHANGE_PAGE_SCHEMA = change_page_schema(tuple((r.name, model_of(r)) for r in RESOURCES.values()))
_PARAMETERS = changes_parameters(RESOURCES)

NOW = "now"
"""Accepted in place of a cursor: only later changes follow."""


def _follow() -> Response:
    """Follow what changes, in the order in which it is committed.

    Apply the entries in order, from the beginning: replace your copy of the document with
    `document`, and delete it if that is null. You then have an exact mirror of all documents, each
    as a read by id gives it. No entry is left out, however late its transaction commits, and none
    is given twice.

    Before a page has caught up, it may hold fewer entries than asked for, or none: continue with
    `next_cursor`. With `wait` an answer is sent as soon as there is an entry, or without entries
    when the time is over.
    """
    query = _query()
    try:
        return _answer(query, _page(query))
    except ForeignCursor:
        raise cursors.refusal() from None


CHANGES = Section(
    "changes",
    getdoc(ChangeSchema) or "",
    [
        Call(
            "GET ",
            _follow,
            CHANGE_PAGE_SCHEMA,
            headers=("Cache-Control", "Link"),
            parameters=_PARAMETERS,
        )
    ],
)


@dataclass(frozen=True)
class _Query:
    feed: Feed
    cursor: str | None
    per_page: int
    wait: int


def _query() -> _Query:
    given = _PARAMETERS.read(arguments())
    resources = given.get("resource", RESOURCES)
    return _Query(
        feed=Feed(
            database(),
            tuple(name for name in RESOURCES if name in resources),
            given.get("document", True),
        ),
        cursor=given.get("cursor"),
        per_page=given.get("per_page", DEFAULT_PER_PAGE),
        wait=given.get("wait", 0),
    )


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
    response.headers["Link"] = answers.next_link(cursor)
    # The answer changes with the next commit.
    response.headers["Cache-Control"] = "no-store"
    return response
