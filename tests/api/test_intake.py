"""Request bodies: how much is read, how long it may take, and how much memory they use."""

import asyncio

import pytest

from hksz_db.api.intake import BYTES_PER_S, Intake
from hksz_db.domain.errors import Overloaded
from hksz_db.http.statuses import ApiError

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}
BULK = {"PATH_INFO": "/v1/claims/bulk"}


class Sender:
    """A client that sends pieces, each after a pause, and then disconnects or sends nothing."""

    def __init__(self, *pieces: bytes, pause_s: float = 0, leaves: bool = False) -> None:
        self.pieces = list(pieces)
        self.pause_s = pause_s
        self.leaves = leaves

    async def receive(self):
        await asyncio.sleep(self.pause_s)
        if self.pieces:
            return {"type": "http.request", "body": self.pieces.pop(0), "more_body": True}
        if self.leaves:
            return {"type": "http.disconnect"}
        return await asyncio.Event().wait()


def read(intake: Intake, sender: Sender, **environ: str) -> bytes:
    return asyncio.run(intake.read(environ, sender.receive))


def declared(length: int) -> dict[str, str]:
    return {"CONTENT_LENGTH": str(length)}


def test_reading_stops_when_a_body_is_too_long() -> None:
    intake = Intake(max_bytes=4, max_bulk_bytes=8)
    sender = Sender(b"01", b"23", b"45", b"67")
    assert read(intake, sender, **CHUNKED) == b"012345"
    assert sender.pieces == [b"67"]
    sender = Sender(b"0123456789")
    assert read(intake, sender, **declared(10)) == b""
    assert read(intake, sender) == b""
    assert sender.pieces == [b"0123456789"]


def test_a_bulk_body_may_be_longer() -> None:
    intake = Intake(max_bytes=4, max_bulk_bytes=8)
    for path, body in ((BULK, b"01234567"), ({"PATH_INFO": "/v1/claims/bulk/"}, b"")):
        assert read(intake, Sender(b"01234567"), **declared(8), **path) == body
    assert read(intake, Sender(b"01234567", b"8"), **CHUNKED, **BULK) == b"012345678"


def test_a_partial_body_of_a_disconnected_client_is_passed_on() -> None:
    intake = Intake(max_bytes=10, max_bulk_bytes=10)
    assert read(intake, Sender(b"01", leaves=True), **declared(5)) == b"01"


def test_a_stalled_body_times_out() -> None:
    intake = Intake(max_bytes=10, max_bulk_bytes=10, time_s=0.1)
    with pytest.raises(ApiError) as refused:
        read(intake, Sender(b"0"), **declared(5))
    assert refused.value.status == 408


def test_slow_pieces_do_not_extend_the_timeout() -> None:
    intake = Intake(max_bytes=1000, max_bulk_bytes=1000, time_s=0.3)
    sender = Sender(*[b"0"] * 1000, pause_s=0.05)
    with pytest.raises(ApiError):
        read(intake, sender, **declared(1000))
    assert len(sender.pieces) > 900


def test_a_longer_body_gets_more_time() -> None:
    pieces = [b"x" * BYTES_PER_S] * 6
    length = sum(map(len, pieces))
    intake = Intake(max_bytes=length, max_bulk_bytes=length, time_s=1)
    # Twice as long as a short body may take.
    assert len(read(intake, Sender(*pieces, pause_s=0.35), **declared(length))) == length


def test_the_total_size_of_bodies_is_bounded() -> None:
    intake = Intake(max_bytes=10, max_bulk_bytes=10)
    held = [read(intake, Sender(b"x" * 10), **declared(10)) for _ in range(8)]
    with pytest.raises(Overloaded):
        read(intake, Sender(b"x"), **declared(1))
    intake.discard(held.pop())
    assert read(intake, Sender(b"x"), **declared(1)) == b"x"


def test_a_body_that_timed_out_frees_its_memory() -> None:
    intake = Intake(max_bytes=10, max_bulk_bytes=10, time_s=0.02)
    for _ in range(10):
        with pytest.raises(ApiError):
            read(intake, Sender(b"x" * 9), **declared(10))
    assert read(intake, Sender(b"x" * 10), **declared(10)) == b"x" * 10
