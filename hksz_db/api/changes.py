"""``/v1/changes``: the feed of changes in the order of their commits, with long polling."""

import json
import time
from contextlib import nullcontext

from flask import Response, current_app, request

from hksz_db.api import answers
from hksz_db.api.calls import Call, Section, read_schemas
from hksz_db.api.gateway import RELEASE_WORKER_SLOT
from hksz_db.api.requests import Places
from hksz_db.domain.errors import Cause, Fault, Malformed
from hksz_db.feed.listener import ChangeListener
from hksz_db.feed.pages import Feed, ForeignCursor, Page, Position, UnknownTransaction
from hksz_db.http.requests import arguments, primary, refused_cursor
from hksz_db.queries.registry import RESOURCES
from schemas.changes import ChangeSchema, change_page_schema, changes_parameters
from schemas.parameters import DEFAULT_PER_PAGE

_CHANGE_PAGE_SCHEMA = change_page_schema({r.name: read_schemas(r)[0] for r in RESOURCES.values()})
_PARAMETERS = changes_parameters(RESOURCES)


def _follow() -> Response:
    """Follow what changes, in the order in which it is committed.

    With `expand=true`, apply the entries in order, from the beginning: replace your copy of the
    document with `document`, and delete it if that is null. You then have an exact mirror of all
    documents, each as a read by id gives it. No entry is left out, however late its transaction
    commits, and none is given twice.

    Without it, a document has an entry only if the document itself or a part of it was changed. One
    that shows something else that was changed, such as the name of an entity, has none: thousands
    may show it. The entry of what was changed then says in `shown_in` where it may be shown.

    Before a page has caught up, it may hold fewer entries than asked for, or none: continue with
    `next_cursor`. After 410, the database has lost commits that you may have read: begin again
    without a cursor. With `wait` an answer is sent as soon as there is an entry, or without entries
    when the time is over.
    """
    given = _PARAMETERS.read(arguments())
    per_page = given.get("per_page", DEFAULT_PER_PAGE)
    resources = given.get("resource", RESOURCES)
    names = tuple(name for name in RESOURCES if name in resources)
    transaction = given.get("transaction")
    feed = Feed(
        primary(current_app),
        names,
        given.get("document", True),
        given.get("expand", False),
        transaction,
    )
    # Nothing is added to a transaction.
    wait_s = given.get("wait", 0) if transaction is None else 0
    try:
        page = _page(feed, _position(feed, given.get("cursor")), per_page, wait_s)
    except ForeignCursor:
        raise refused_cursor() from None
    except UnknownTransaction:
        detail = f"There is no transaction {transaction}."
        fault = Fault("not_found", detail, parameter="transaction")
        raise Malformed("The transaction is not known.", [fault]) from None
    cursor = feed.cursor(page.position)
    meta = {"next_cursor": cursor, "caught_up": page.caught_up, "per_page": per_page}
    body = b'{"data":[%b],"meta":%b}' % (page.entries, json.dumps(meta).encode())
    response = answers.json_response(body)
    response.headers["Link"] = answers.next_link(cursor)
    # The answer changes with the next commit.
    response.headers["Cache-Control"] = "no-store"
    return response


def _position(feed: Feed, cursor: str | None) -> Position:
    if cursor is None:
        return feed.beginning()
    return feed.end() if cursor == "now" else feed.position(cursor)


def _page(feed: Feed, start: Position, per_page: int, wait_s: int) -> Page:
    """The next page; if it is empty, the first with entries that appears while it waits."""
    page = feed.after(start, per_page)
    deadline = time.monotonic() + wait_s
    listener: ChangeListener = current_app.extensions["hksz_change_listener"]
    places: Places = current_app.extensions["hksz_waiting_places"]
    released = request.environ.get(RELEASE_WORKER_SLOT, nullcontext)
    while wait_s and not page.entries and page.caught_up:
        with (
            places.one(
                "Too many clients are waiting for changes; retry later or omit wait.",
                Cause.WAITING_PLACES,
            ),
            released(),
        ):
            more = listener.wait(page.position, deadline - time.monotonic())
        if not more:
            break
        page = feed.after(page.position, per_page)
    return page


CHANGES = Section(
    "changes",
    ChangeSchema,
    [
        Call(
            "GET ",
            _follow,
            _CHANGE_PAGE_SCHEMA,
            headers=("Cache-Control", "Link"),
            parameters=_PARAMETERS,
            errors=(410,),
        )
    ],
)
