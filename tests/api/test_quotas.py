"""Quotas: what clients may ask for in a minute, and how they are told."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import structlog
from flask import Flask
from structlog.testing import capture_logs

from app import create_app
from hksz_db.api.gateway import Gateway, environ_of
from hksz_db.api.quotas import FURTHER_HEADERS, Keys, Quota, Quotas, Usage, counted_address, weight
from hksz_db.database import Database
from hksz_db.domain.errors import Unavailable
from hksz_db.domain.vocabulary import Scope
from hksz_db.http.costs import Weight
from hksz_db.services import api_keys, sessions
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.api.test_gateway import Client, run, scope

ID = "0199c3a0-0000-7000-8000-000000000000"
READ, LIST = f"/v1/units/{ID}", "/v1/units"
SETTINGS = Settings(log_level="error", trust_proxy=True, limit_address=4, limit_key=10)
TEN = Quota("key", 10)
Header = tuple[bytes, bytes]


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_units_become_free_steadily() -> None:
    clock = Clock()
    usage = Usage(clock=clock)
    used = [usage.use("a", TEN, 5), usage.use("a", TEN, 4), usage.use("a", TEN, 2)]
    assert [(each.left, round(each.wait_s)) for each in used] == [(5, 0), (1, 0), (1, 6)]
    clock.now += 5.9
    assert usage.use("a", TEN, 2).wait_s
    clock.now += 0.2
    assert not usage.use("a", TEN, 2).wait_s
    clock.now += 61
    assert usage.use("a", TEN, 1).left == 9


def test_exactly_as_many_units_as_the_quota_has_are_allowed() -> None:
    clock = Clock()
    clock.now = 1e6 / 3
    usage = Usage(clock=clock)
    quota = Quota("address", 6000)
    assert not any(usage.use("a", quota, 1).wait_s for _ in range(6000))
    assert usage.use("a", quota, 1).wait_s == pytest.approx(0.01, abs=1e-5)


def test_a_request_that_takes_more_than_the_quota_needs_all_of_it() -> None:
    usage = Usage(clock=Clock())
    assert usage.use("a", TEN, 50).left == 0
    assert usage.use("a", TEN, 50).wait_s == pytest.approx(60)


def test_clients_do_not_use_up_the_quotas_of_each_other() -> None:
    usage = Usage(clock=Clock())
    usage.use("a", TEN, 10)
    assert usage.use("b", TEN, 1).left == 9


def test_the_clients_that_asked_least_recently_are_forgotten() -> None:
    usage = Usage(most=2, clock=Clock())
    for client in ("a", "b", "a", "c"):
        usage.use(client, TEN, 3)
    assert usage.use("a", TEN, 1).left == 3
    assert usage.use("b", TEN, 1).left == 9


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:5000", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:0db8:0001:0002"),
        ("[2001:db8:1:2::9]:443", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("unknown", None),
        ("", None),
    ],
)
def test_the_address_that_is_counted(text: str, address: str | None) -> None:
    assert counted_address(text) == address


@pytest.fixture(scope="module")
def bare() -> Flask:
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@pytest.mark.parametrize(
    ("endpoint", "query", "body", "units"),
    [
        ("claims.read", "", b"", Weight.READ),
        ("claims.read", "count=exact", b"", Weight.READ),
        ("claims.list", "", b"", Weight.LIST),
        ("claims.list", "%71=talent", b"", Weight.SEARCH),
        ("claims.list", "q=talent&count=%65xact", b"", Weight.SCAN),
        ("claims.query", "", b"{}", Weight.SEARCH),
        ("claims.query", "", b'{"count":"exact"}', Weight.SCAN),
        ("claims.query", "", rb'{"c\u006funt":"\u0065x\u0061ct"}', Weight.SCAN),
        ("claims.list", "&".join("a" * 101), b"", Weight.LIST),
        ("claims.aggregate", "", b"", Weight.SCAN),
        ("claims.export", "", b"", Weight.SCAN),
        ("claims.create", "", b"", Weight.SEARCH),
        ("claims.bulk", "", b"", Weight.SCAN),
        ("claims.read_facets", "", b"", Weight.SEARCH),
        ("comparisons.list", "", b"", Weight.SCAN),
        ("figures.list_comparisons", "", b"", Weight.SCAN),
        ("changes.follow", "", b"", Weight.LIST),
        ("check.check", "", b"", Weight.SCAN),
        ("pages.report", "", b"", Weight.SCAN),
        ("pages.search", "", b"", Weight.SEARCH),
        ("pages.claim", "", b"", Weight.LIST),
    ],
)
def test_the_weight_of_a_request(
    bare: Flask, endpoint: str, query: str, body: bytes, units: Weight
) -> None:
    assert weight(bare.view_functions[endpoint], {"QUERY_STRING": query}, body) == units


class Service:
    """The service behind its gateway, as a proxy on this machine asks it."""

    def __init__(self, gateway: Gateway, database: Database, settings: Settings = SETTINGS) -> None:
        self.clock = Clock()
        self.quotas = Quotas(settings, database, self.clock)
        self.gateway = gateway
        gateway._quotas = self.quotas
        gateway._app.extensions["hksz_database"] = database

    async def ask(
        self, path: str, *headers: Header, address: bytes = b"192.0.2.1"
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of the answer."""
        client = Client(self.gateway)
        status, body = await client.get(path, (b"x-forwarded-for", address), *headers)
        return status, dict(client.sent[0]["headers"]), body


@pytest.fixture(scope="module")
def gateway() -> Gateway:
    return Gateway(create_app(Settings(log_level="error"), Database(lambda: "")), SETTINGS)


@pytest.fixture
def service(gateway: Gateway, database: Database, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr("hksz_db.api.gateway.REFUSED_AFTER_S", 0)
    return Service(gateway, database)


MakeKey = Callable[..., str]


@pytest.fixture
def make_key(database: Database) -> MakeKey:
    def make(label: str = "desk", quota: int | None = None) -> str:
        with writing(database) as session:
            return api_keys.create(session, label, [Scope.REVIEW], quota=quota)

    return make


def bearer(key: str) -> Header:
    return b"authorization", f"Bearer {key}".encode()


def test_an_answer_says_what_is_left(service: Service) -> None:
    async def ask() -> None:
        _, headers, _ = await service.ask(READ)
        assert headers[b"ratelimit-policy"] == b'"address";q=4;w=60'
        assert headers[b"ratelimit"] == b'"address";r=3;t=15'
        status, headers, _ = await service.ask(LIST)
        assert (status, headers[b"ratelimit"]) == (200, b'"address";r=1;t=45')

    run(ask())


def test_a_used_up_quota_is_a_problem_document(service: Service) -> None:
    async def ask() -> None:
        for _ in range(4):
            await service.ask(READ)
        status, headers, body = await service.ask(LIST)
        assert (status, headers[b"content-type"]) == (429, b"application/problem+json")
        assert headers[b"retry-after"] == b"30"
        assert headers[b"ratelimit"] == b'"address";r=0;t=60'
        problem = json.loads(body)
        assert problem["title"] == "Too Many Requests"
        assert problem["detail"] == (
            "The quota of this address is used up: 4 units a minute, of which this request takes 2."
            " It is allowed again in 30 s."
        )
        service.clock.now += 30
        assert (await service.ask(LIST))[0] == 200

    run(ask())


def test_who_has_used_up_a_quota_is_logged_once_a_minute(
    service: Service, make_key: MakeKey
) -> None:
    key = bearer(make_key())

    async def ask() -> None:
        for _ in range(8):
            await service.ask(LIST)
            await service.ask(LIST, key)
        service.clock.now += 61
        for _ in range(3):
            await service.ask(LIST)

    structlog.reset_defaults()
    with capture_logs() as logs:
        run(ask())
    assert [(each["quota"], each["client"]) for each in logs] == [
        ("address", "192.0.2.1"),
        ("key", "desk"),
        ("address", "192.0.2.1"),
    ]


def test_a_client_that_does_not_wait_is_answered_late(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask() -> None:
        await service.ask(LIST)
        await service.ask(LIST)
        monkeypatch.setattr("hksz_db.api.gateway.REFUSED_AFTER_S", 0.2)
        began = time.monotonic()
        assert (await service.ask(LIST))[0] == 429
        assert time.monotonic() - began >= 0.2

    run(ask())


def test_an_unchanged_answer_counts_and_has_the_headers(service: Service) -> None:
    async def ask() -> None:
        _, headers, _ = await service.ask(LIST)
        status, headers, body = await service.ask(LIST, (b"if-none-match", headers[b"etag"]))
        assert (status, body) == (304, b"")
        assert headers[b"ratelimit"] == b'"address";r=0;t=60'

    run(ask())


@pytest.mark.parametrize("path", ["/openapi.json", "/docs/", "/nothing", "/v1/units/nothing"])
def test_files_and_errors_count(service: Service, path: str) -> None:
    async def ask() -> None:
        found = [(await service.ask(path))[0] for _ in range(5)]
        assert found[-1] == 429
        assert 429 not in found[:-1]

    run(ask())


def test_only_probes_do_not_count(service: Service) -> None:
    async def ask() -> None:
        await service.ask(LIST)
        await service.ask(LIST)
        for path in ("/healthz", "/readyz"):
            status, headers, _ = await service.ask(path)
            assert (status, b"ratelimit" in headers) == (200, False)
        for path in (LIST, "/metrics"):
            assert (await service.ask(path))[0] == 429

    run(ask())


def test_the_last_address_is_the_one_that_the_proxy_added(service: Service) -> None:
    async def ask() -> None:
        for number in range(4):
            forged = b"198.51.100.%d, 2001:db8::%d" % (number, number)
            await service.ask(READ, address=forged)
        assert (await service.ask(READ, address=b"2001:db8::ffff"))[0] == 429
        assert (await service.ask(LIST))[0] == 200

    run(ask())


def test_a_proxy_that_is_not_trusted_does_not_name_clients(bare: Flask, database: Database) -> None:
    quotas = Quotas(Settings(limit_address=2), database, Clock())

    async def left(remote: str) -> bytes:
        environ = environ_of(scope(LIST, b"", (b"x-forwarded-for", b"198.51.100.7")))
        environ["REMOTE_ADDR"] = remote
        await quotas.count(bare.view_functions["units.read"], environ, b"")
        return dict(environ.get(FURTHER_HEADERS, ())).get(b"ratelimit", b"")

    async def ask() -> None:
        assert await left("192.0.2.9") == b'"address";r=1;t=30'
        assert await left("192.0.2.9") == b'"address";r=0;t=60'
        # A proxy on this machine would count as one client.
        assert await left("127.0.0.1") == b""

    run(ask())


def test_without_limits_nothing_is_counted(gateway: Gateway, database: Database) -> None:
    async def ask() -> None:
        service = Service(gateway, database, Settings(log_level="error", trust_proxy=True))
        for _ in range(3):
            status, headers, _ = await service.ask(LIST)
            assert (status, b"ratelimit" in headers) == (200, False)

    run(ask())


def test_a_key_has_a_quota_of_its_own(service: Service, make_key: MakeKey) -> None:
    usual, own = make_key(), make_key("mirror", 600)

    async def ask() -> None:
        await service.ask(LIST)
        await service.ask(LIST)
        assert (await service.ask(LIST))[0] == 429
        status, headers, _ = await service.ask(LIST, bearer(usual))
        assert (status, headers[b"ratelimit"]) == (200, b'"key";r=8;t=12')
        _, headers, _ = await service.ask(LIST, bearer(own))
        assert headers[b"ratelimit-policy"] == b'"key";q=600;w=60'
        # A key that is not valid counts for the address.
        assert (await service.ask(LIST, bearer("hksz_unknown")))[0] == 429

    run(ask())


def test_a_replaced_key_and_a_session_count_for_their_holder(
    service: Service, database: Database, make_key: MakeKey
) -> None:
    old = make_key()
    with writing(database) as session:
        new = api_keys.rotate(session, "desk", timedelta(hours=1))
        assert new
        token, _ = sessions.sign_in(session, new, timedelta(hours=1))

    async def ask() -> None:
        found = [
            (await service.ask(LIST, header))[1][b"ratelimit"]
            for header in (bearer(old), bearer(new), (b"cookie", f"hksz_session={token}".encode()))
        ]
        assert found == [b'"key";r=8;t=12', b'"key";r=6;t=24', b'"key";r=4;t=36']

    run(ask())


def test_another_quota_of_a_key_holds_within_a_minute(
    service: Service, database: Database, make_key: MakeKey
) -> None:
    key = make_key()

    async def policy() -> bytes:
        return (await service.ask(READ, bearer(key)))[1][b"ratelimit-policy"]

    async def ask() -> None:
        assert await policy() == b'"key";q=10;w=60'
        with writing(database) as session:
            assert api_keys.set_quota(session, "desk", 30)
        assert await policy() == b'"key";q=10;w=60'
        service.clock.now += 61
        assert await policy() == b'"key";q=30;w=60'

    run(ask())


def test_a_database_that_does_not_answer_leaves_a_key_known(
    service: Service, database: Database, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_key()

    def fail(*_: Any) -> None:
        raise Unavailable("The database does not answer.")

    async def ask() -> None:
        await service.ask(READ, bearer(key))
        monkeypatch.setattr(database, "read", fail)
        service.clock.now += 61
        _, headers, _ = await service.ask(READ, bearer(key))
        assert headers[b"ratelimit"].startswith(b'"key"')
        _, headers, _ = await service.ask(READ, bearer("hksz_unknown"))
        assert headers[b"ratelimit"].startswith(b'"address"')

    run(ask())


def test_a_database_that_hangs_holds_up_a_request_briefly(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = asyncio.Event()

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        monkeypatch.setattr("hksz_db.api.quotas._LOOK_UP_S", 0.05)

        def hang(*_: Any) -> list[Any]:
            asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
            return []

        monkeypatch.setattr(database, "read", hang)
        keys = Keys(database, service.clock)
        for key in ("a", "b"):
            with pytest.raises(Unavailable):
                await keys.holder(key)
        released.set()
        monkeypatch.setattr("hksz_db.api.quotas._LOOK_UP_S", 5)
        # The look-ups have gone on.
        assert [await keys.holder(key) for key in ("a", "b")] == [None, None]

    run(ask())


def test_somebody_who_guesses_keys_is_refused(
    service: Service, database: Database, make_key: MakeKey
) -> None:
    known, new = bearer(make_key()), bearer(make_key("new"))
    generous = Service(service.gateway, database, replace(SETTINGS, limit_address=6000))

    async def ask() -> None:
        await generous.ask(READ, known)
        for number in range(60):
            await generous.ask(READ, bearer(f"hksz_{number}"))
        status, headers, body = await generous.ask(READ, bearer("hksz_60"))
        assert (status, headers[b"retry-after"]) == (429, b"1")
        assert "keys from this address were not valid" in json.loads(body)["detail"]
        assert (await generous.ask(READ, known))[0] == 404
        assert (await generous.ask(READ, new))[0] == 429
        generous.clock.now += 2
        assert (await generous.ask(READ, new))[0] == 404

    run(ask())


def test_somebody_who_goes_on_with_a_revoked_key_does_not_guess(
    service: Service, database: Database, make_key: MakeKey
) -> None:
    new = bearer(make_key("new"))
    generous = Service(service.gateway, database, replace(SETTINGS, limit_address=6000))

    async def ask() -> None:
        for _ in range(62):
            assert (await generous.ask(READ, bearer("hksz_revoked")))[0] != 429
        assert (await generous.ask(READ, new))[0] == 404

    run(ask())


def test_keys_that_do_not_exist_displace_no_known_one(
    database: Database, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hksz_db.api.quotas._MOST_SECRETS", 2)
    key = make_key()

    async def ask() -> None:
        keys = Keys(database, Clock())
        assert await keys.holder(key)
        assert [await keys.holder(f"hksz_{number}") for number in range(3)] == [None] * 3
        assert keys.knows(key)
        assert not keys.knows("hksz_2")

    run(ask())


def test_people_get_a_page_that_asks_the_database_nothing(
    service: Service, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise AssertionError

    async def ask() -> None:
        html = (b"accept", b"text/html")
        for _ in range(2):
            await service.ask("/claims")
        monkeypatch.setattr(database, "transaction", fail)
        status, headers, body = await service.ask(
            "/claims", html, (b"cookie", b"hksz_session=unknown"), (b"accept-language", b"zh-Hant")
        )
        assert (status, headers[b"content-type"]) == (429, b"text/html; charset=utf-8")
        assert headers[b"retry-after"] == b"60"
        assert "請求太多" in body.decode()
        assert "60 秒後再試" in body.decode()

    run(ask())
