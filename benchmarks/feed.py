"""Pages of the feed of changes, with one large transaction in it."""

from collections.abc import Mapping
from urllib.parse import urlencode

import psycopg

from benchmarks.questions import Ask
from benchmarks.servers import Server
from hksz_db.database import Database
from hksz_db.feed.pages import Feed, Position

PATH = "/v1/changes"
_ACTOR = "benchmark"
_DEEP = 5_000
_PER_PAGE = 100
# Every tenth piece of evidence; this also changes the documents of the claims.
_LARGE = """
    UPDATE evidence SET page = page || '*'
    WHERE ('x' || right(id::text, 7))::bit(28)::int % 10 = 0
"""
_NUMBER = "SELECT id FROM transactions WHERE actor = %s"
_MIDDLE = """
    SELECT to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        transaction_id::text, resource_id::text
    FROM changes JOIN transactions ON transactions.id = transaction_id
    WHERE transaction_id = %s AND resource = 'evidence'
    ORDER BY resource_id OFFSET (
        SELECT count(*) / 2 FROM changes WHERE transaction_id = %s AND resource = 'evidence'
    ) LIMIT 1
"""


def prepare(url: str) -> None:
    """Update a tenth of all evidence in one transaction, unless that has been done."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute(_NUMBER, [_ACTOR]).fetchone():
            return
        with connection.transaction():
            connection.execute("SELECT set_config('hksz.actor', %s, true)", [_ACTOR])
            connection.execute(_LARGE)
        connection.execute("VACUUM (ANALYZE)")


def pages(url: str, server: Server, rename: tuple[str, str]) -> Mapping[str, str]:
    """The paths of pages in different places of the feed.

    ``rename`` is the moment and the id of the transaction that renamed the most frequent entity.
    """
    database = Database(lambda: url)
    everything, claims = Feed(database), Feed(database, ("claims",))
    with psycopg.connect(url) as connection:
        number = connection.execute(_NUMBER, [_ACTOR]).fetchone()
        assert number
        middle = connection.execute(_MIDDLE, [number[0], number[0]]).fetchone()
    assert middle
    at, transaction, id = middle
    written = everything.cursor(Position(at, transaction, "1", "evidence", id))
    shown = claims.cursor(Position(at, transaction, "1", "claims"))
    renamed = everything.cursor(Position(rename[0], str(int(rename[1]) - 1)))
    database.close()
    deep = _path("claims", _walked(server, "claims"))
    return {
        "the first page": PATH,
        "the first page of claims": f"{PATH}?resource=claims",
        f"claims, after {_DEEP:,} entries": deep,
        "the same without documents": f"{deep}&document=false",
        f"evidence, after {_DEEP:,} entries": _path("evidence", _walked(server, "evidence")),
        "the middle of a large transaction": _path("", written),
        "documents that show the rows it wrote": f"{_path('claims', shown)}&expand=true",
        "the rename of a frequent entity": _path("", renamed),
        "the documents that show its name": f"{_path('', renamed)}&expand=true",
        "units from the beginning": f"{PATH}?resource=units",
        "the end": _path("", "now"),
    }


def _path(resource: str, cursor: str) -> str:
    asked = {"resource": resource} if resource else {}
    return f"{PATH}?{urlencode({**asked, 'cursor': cursor})}"


def _walked(server: Server, resource: str) -> str:
    """The cursor after ``_DEEP`` entries."""
    query = {"resource": resource, "document": "false", "per_page": _PER_PAGE}
    for _ in range(_DEEP // _PER_PAGE):
        answer = server.answer(Ask("GET", f"{PATH}?{urlencode(query)}"))
        assert len(answer["data"]) == _PER_PAGE
        query["cursor"] = answer["meta"]["next_cursor"]
    return str(query["cursor"])
