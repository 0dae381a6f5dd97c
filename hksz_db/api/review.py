"""``/v1/review``: the queue of reviews."""

import json

import psycopg
from flask import Response

from hksz_db.api import answers
from hksz_db.api.calls import Call, Section
from hksz_db.http.languages import localized, preference
from hksz_db.http.requests import arguments, database, refused_cursor
from hksz_db.queries.keysets import encode_cursor
from hksz_db.queries.questions import QUEUE, Question
from hksz_db.queries.review import KEYSET, read_queue
from schemas.pages import page_schema
from schemas.review import ReviewEntrySchema


def _list() -> Response:
    """List the submitted claims and evidence; those that need most attention come first.

    Reading the queue needs no scope, because it shows nothing that other reads do not show. A page
    may be short or empty and still have a next one, because it searches a limited number of rows.
    """
    question = Question(**QUEUE.read(arguments()))
    after = None
    if question.cursor is not None:
        after = KEYSET.decode(question.cursor, REVIEW.name)
        if after is None:
            raise refused_cursor()
    try:
        page = read_queue(database(), question.per_page, after)
    except (psycopg.DataError, ValueError):
        if after is None:
            raise
        # Only a forged cursor can hold an invalid key.
        raise refused_cursor() from None
    cursor = None if page.keys is None else encode_cursor(page.keys, REVIEW.name)
    meta = {"next_cursor": cursor, "per_page": question.per_page}
    preferred = preference(question.lang)
    listed = localized(b"[%b]" % page.items, ReviewEntrySchema, None, preferred, None)
    body = b'{"data":%b,"meta":%b}' % (listed.body, json.dumps(meta).encode())
    response = answers.tagged(body, listed.languages)
    if cursor is not None:
        response.headers["Link"] = answers.next_link(cursor)
    return response


REVIEW = Section(
    "review",
    ReviewEntrySchema,
    [
        Call(
            "GET ",
            _list,
            page_schema("ReviewEntry", ReviewEntrySchema),
            headers=("ETag", "Link"),
            parameters=QUEUE,
        )
    ],
)
