"""Many concurrent clients of a running service do not delay each other."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from flask import Flask

from app import create_app
from hksz_db.api.gateway import Gateway
from hksz_db.database import Database
from hksz_db.http.costs import Cost, cost_of
from hksz_db.settings import Settings

pytestmark = pytest.mark.slow
UNKNOWN_ID = "0199c3a0-0000-7000-8000-000000000000"

COSTLY_THREADS = Settings().costly_threads
# Less than the five seconds that a statement may take, and the ten that a body may take.
PROMPT_S = 3
FROM_MEMORY = {
    *("/", "/openapi.json", "/docs/", "/docs/<path:path>"),
    *("/static/<digest>/<name>", "/favicon.ico", "/robots.txt"),
}
OPERATING = {"/healthz": Cost.PROBE, "/readyz": Cost.PROBE, "/metrics": Cost.METRICS}
COSTLY_CALLS = {
    *("list", "query", "aggregate", "export", "read_similar", "list_comparisons", "list_evidence"),
    *("follow", "verify", "read_contested_by", "read_facets", "suggest", "search", "claim"),
    *("entity", "source", "locators", "metric", "feed", "entities", "sources", "metrics"),
    *("review", "decide", "merge_duplicate", "undo_merge", "my_work", "submit_again"),
    *(
        "check",
        "report",
        "add",
        "add_source",
        "add_passage",
        "add_file",
        "add_hints",
        "add_suggest",
    ),
}


def ask(
    address: str, path: str, method: str = "GET", body: Any = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Return status, headers and body of an answer."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=60)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@contextmanager
def promptly() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < PROMPT_S


@contextmanager
def slow_lists(address: str, database_url: str) -> Iterator[list[Future[Any]]]:
    """Lists that wait for a locked table in all worker slots that they may take."""
    with psycopg.connect(database_url) as blocker, ThreadPoolExecutor(COSTLY_THREADS) as pool:
        blocker.execute("LOCK TABLE units IN ACCESS EXCLUSIVE MODE")
        lists = [pool.submit(ask, address, "/v1/units") for _ in range(COSTLY_THREADS)]
        blocked = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        with psycopg.connect(database_url, autocommit=True) as watcher:
            for _ in range(1000):
                if watcher.execute(blocked).fetchone() == (COSTLY_THREADS,):
                    break
                time.sleep(0.005)
            else:
                raise AssertionError("the lists do not wait")
        yield lists
        blocker.rollback()


def test_slow_lists_do_not_delay_other_requests(address: str, database_url: str, key: str) -> None:
    _, _, page = ask(address, "/v1/claims?per_page=1&select=id")
    (claim,) = json.loads(page)["data"]
    source = {"csl_type": "report", "title": "Written beside slow lists"}
    with slow_lists(address, database_url) as lists:
        with promptly():
            assert ask(address, f"/v1/claims/{claim['id']}")[0] == 200
            assert ask(address, f"/v1/claims/{claim['id']}/history")[0] == 200
            assert ask(address, "/healthz")[0] == 200
            assert ask(address, "/readyz")[0] == 200
            assert ask(address, "/metrics")[0] == 200
            authorization = {"Authorization": f"Bearer {key}"}
            assert ask(address, "/v1/sources", "POST", source, **authorization)[0] == 201
        assert not any(answer.done() for answer in lists)
    assert [answer.result()[0] for answer in lists] == [200] * COSTLY_THREADS


def test_a_list_that_gets_no_slot_is_refused(address: str, database_url: str) -> None:
    with slow_lists(address, database_url) as lists:
        began = time.monotonic()
        status, headers, body = ask(address, "/v1/metrics")
        assert 1.5 < time.monotonic() - began < 4.5
        assert not any(answer.done() for answer in lists)
    assert status == 503
    assert int(headers["Retry-After"]) > 0
    assert headers["Content-Type"] == "application/problem+json"
    assert json.loads(body)["detail"] == "Too many costly requests at once; try again later."
    assert ask(address, "/v1/metrics")[0] == 200
    assert [answer.result()[0] for answer in lists] == [200] * COSTLY_THREADS


def _all_of(connection: socket.socket) -> bytes:
    """Everything that arrives until the connection is closed."""
    arrived = b""
    while piece := connection.recv(4096):
        arrived += piece
    return arrived


def test_slow_senders_delay_no_request_and_time_out(address: str) -> None:
    host, port = urlsplit(address).netloc.split(":")
    with ExitStack() as stack:
        senders = [
            stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
            for _ in range(300)
        ]
        for sender in senders:
            sender.sendall(
                b"POST /v1/claims/query HTTP/1.1\r\nHost: x\r\n"
                b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
            )
        with promptly():
            assert ask(address, "/healthz")[0] == 200
            assert ask(address, "/v1/claims/query", "POST", {})[0] == 200
        answers = [_all_of(sender) for sender in senders]
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in head
        assert json.loads(body)["status"] == 408


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app(Settings(log_level="error"), Database(lambda: ""))


def test_every_call_declares_its_cost(app: Flask) -> None:
    views = [(rule, app.view_functions[rule.endpoint]) for rule in app.url_map.iter_rules()]
    assert [rule.rule for rule, view in views if not hasattr(view, "hksz_cost")] == []
    for rule, view in views:
        name = rule.endpoint.partition(".")[2]
        if rule.rule in FROM_MEMORY:
            expected = Cost.MEMORY
        elif rule.rule in OPERATING:
            expected = OPERATING[rule.rule]
        else:
            expected = Cost.COSTLY if name in COSTLY_CALLS else Cost.BOUNDED
        assert cost_of(view) is expected, rule


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/v1/claims/{UNKNOWN_ID}", Cost.BOUNDED),
        (f"/v1/claims/{UNKNOWN_ID}/similar", Cost.COSTLY),
        ("/v1/claims", Cost.COSTLY),
        ("/v1/claims/", Cost.MEMORY),
        ("/v1/claims/list", Cost.MEMORY),
        (f"/docs/{'x' * 1000}", Cost.MEMORY),
    ],
)
def test_the_cost_of_a_request_is_that_of_its_call(app: Flask, path, expected) -> None:
    served = Gateway(app, Settings())
    for _ in range(2):
        assert served.cost(path, "GET") is expected


def test_an_undeclared_cost_is_high() -> None:
    assert cost_of(lambda: None) is Cost.COSTLY
