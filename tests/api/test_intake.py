"""Senders that take their time: their bodies are read before the work on a request begins."""

import io
import threading

from hksz_db.api.intake import Intake


class SlowSender(io.RawIOBase):
    """A body that does not arrive until it is told to."""

    def __init__(self) -> None:
        self.arrived = threading.Event()

    def read(self, size: int = -1) -> bytes:
        assert self.arrived.wait(10)
        return b"{}"[:size]


def _answer(environ, start_response):
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def _start(*_):
    return None


def _ask(intake, **environ):
    return b"".join(intake(environ, _start))


def test_a_slow_sender_takes_no_place():
    intake = Intake(_answer, at_once=1, max_bytes=10, max_bulk_bytes=10)
    sender, answers = SlowSender(), []
    environ = {"wsgi.input": sender, "CONTENT_LENGTH": "2"}
    slow = threading.Thread(target=lambda: answers.append(_ask(intake, **environ)))
    slow.start()
    assert _ask(intake, **{"wsgi.input": io.BytesIO(b"quick"), "CONTENT_LENGTH": "5"}) == b"quick"
    assert answers == []
    sender.arrived.set()
    slow.join(10)
    assert answers == [b"{}"]


def test_no_more_is_read_than_shows_that_it_is_too_long():
    intake = Intake(_answer, at_once=1, max_bytes=4, max_bulk_bytes=8)
    body = io.BytesIO(b"0123456789")
    chunked = {"wsgi.input": body, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert _ask(intake, **chunked) == b"01234"
    declared = {"wsgi.input": io.BytesIO(b"0123456789"), "CONTENT_LENGTH": "10"}
    assert _ask(intake, **declared) == b""
    assert _ask(intake, **{"wsgi.input": io.BytesIO(b"0123")}) == b""


def test_many_items_may_be_longer():
    intake = Intake(_answer, at_once=1, max_bytes=4, max_bulk_bytes=8)
    many = {"PATH_INFO": "/v1/claims/bulk"}
    for path, read in ((many, b"01234567"), ({"PATH_INFO": "/v1/claims/bulk/"}, b"")):
        declared = {"wsgi.input": io.BytesIO(b"0123456789"), "CONTENT_LENGTH": "8"}
        assert _ask(intake, **declared, **path) == read
    chunked = {"wsgi.input": io.BytesIO(b"0123456789"), "HTTP_TRANSFER_ENCODING": "chunked"}
    assert _ask(intake, **chunked, **many) == b"012345678"
