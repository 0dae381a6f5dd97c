"""``/v1/changes``: what was changed, in the order in which it was, and what comes next."""

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
from schemas.changes import CHANGES_PARAMETERS, ChangePageSchema, ChangeSchema
from schemas.parameters import DEFAULT_PER_PAGE

NOW = "now"
"""In place of a cursor: from this moment on."""


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
    asked = _asked()
    try:
        return _answer(asked, _settled_page(asked))
    except ForeignCursor:
        raise cursors.refusal() from None


CHANGES = Section(
    "changes",
    getdoc(ChangeSchema) or "",
    [
        Call(
            "GET ",
            _follow,
            ChangePageSchema,
            headers=("Cache-Control", "Link"),
            parameters=CHANGES_PARAMETERS,
        )
    ],
)


@dataclass(frozen=True)
class _Asked:
    feed: Feed
    cursor: str | None
    per_page: int
    wait: int


def _asked() -> _Asked:
    given = CHANGES_PARAMETERS.read(arguments())
    resources = given.get("resource", RESOURCES)
    return _Asked(
        feed=Feed(
            database(),
            tuple(name for name in RESOURCES if name in resources),
            given.get("document", True),
        ),
        cursor=given.get("cursor"),
        per_page=given.get("per_page", DEFAULT_PER_PAGE),
        wait=given.get("wait", 0),
    )


def _settled_page(asked: _Asked) -> Page:
    """The page; when there is nothing on it, the first that something is on, if one comes."""
    page = asked.feed.after(_position(asked), asked.per_page)
    deadline = time.monotonic() + asked.wait
    while asked.wait and not page.entries and page.caught_up:
        with waiting_room().place():
            more = waiting_room().bell.wait(page.position, deadline - time.monotonic())
        if not more:
            break
        page = asked.feed.after(page.position, asked.per_page)
    return page


def _position(asked: _Asked) -> Position:
    if asked.cursor is None:
        return BEGINNING
    if asked.cursor == NOW:
        return horizon(database()).position
    return asked.feed.position(asked.cursor)


def _answer(asked: _Asked, page: Page) -> Response:
    cursor = asked.feed.cursor(page.position)
    meta = {"next_cursor": cursor, "caught_up": page.caught_up, "per_page": asked.per_page}
    body = b'{"data":[%b],"meta":%b}' % (page.entries, json.dumps(meta).encode())
    response = answers.DirectResponse(body, content_type="application/json")
    response.headers["Link"] = answers.next_link(cursor)
    # The same question has another answer as soon as something happens.
    response.headers["Cache-Control"] = "no-store"
    return response
