"""``/v1/changes``: what was changed, in the order in which it was, and what comes next."""

import json
import time
from dataclasses import dataclass

from flask import Response
from flask_smorest import Blueprint

from hksz_db.api import answers, cursors, operations
from hksz_db.api.access import check_reader, database
from hksz_db.api.costs import Cost
from hksz_db.api.parameters import arguments
from hksz_db.api.views import add_call
from hksz_db.api.waiting import waiting_room
from hksz_db.feed.pages import BEGINNING, Feed, ForeignCursor, Page, Position, horizon
from hksz_db.queries.pages import RESOURCES
from schemas.changes import CHANGES, ChangeSchema
from schemas.parameters import DEFAULT_PER_PAGE

NOW = "now"
"""In place of a cursor: from this moment on."""


def changes_blueprint() -> Blueprint:
    """The blueprint of the feed."""
    blueprint = Blueprint(
        "changes", __name__, url_prefix="/v1/changes", description=ChangeSchema.__doc__
    )

    def follow() -> Response:
        check_reader()
        asked = _asked()
        try:
            return _answer(asked, _settled_page(asked))
        except ForeignCursor:
            raise cursors.refusal() from None

    add_call(blueprint, "GET ", "follow", operations.following(), follow, cost=Cost.COSTLY)
    return blueprint


@dataclass(frozen=True)
class _Asked:
    feed: Feed
    cursor: str | None
    per_page: int
    wait: int


def _asked() -> _Asked:
    given = CHANGES.read(arguments())
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
