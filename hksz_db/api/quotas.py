"""Quotas: how much the holder of a key, or the clients of an address, may ask for in a minute.

Each worker process counts by itself, in memory. The library ``limits`` would start a thread every
ten milliseconds that looks through the entries of all clients, whose number it does not limit.
"""

import asyncio
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import parse_qsl
from uuid import UUID

import psycopg
import structlog

from hksz_db.database import Database
from hksz_db.domain.errors import QuotaExceeded, Unavailable
from hksz_db.http.costs import Cost, Weight, cost_of, weight_of
from hksz_db.http.requests import MAX_PARAMETERS, SESSION_COOKIE
from hksz_db.services.api_keys import Holder, holder_of
from hksz_db.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

FURTHER_HEADERS = "hksz.further_headers"
"""The key of a WSGI environment that holds headers for the answer."""

WINDOW_S = 60.0
"""The time for which a quota is given."""

_MOST_CLIENTS = 50_000
_MOST_SECRETS = 10_000
_MOST_LOGGED = 1000
_KNOWN_S = 60.0
_MOST_LOOKED_UP = 100
# A database that does not answer holds up no request for longer than this.
_LOOK_UP_S = 0.25
_IPV6_NETWORK_BYTES = 8
_COOKIE = re.compile(rf"(?:^|; ?){SESSION_COOKIE}=([\w-]+)", re.ASCII)
# The letters of a word in JSON can be escaped.
_COUNTS_EXACTLY = (b'"exact"', b"\\u006", b"\\u007")
# Moments are sums of many small times.
_ROUNDING_S = 1e-6
_Digest = bytes
_Value = TypeVar("_Value")
_log = structlog.get_logger(__name__)


class Quota(NamedTuple):
    """What a client may use in a minute: ``units``, of a ``kind`` of client."""

    kind: str
    units: int


_GUESSES = Quota("invalid_keys", 60)
"""How many different keys that are not valid an address may send in a minute."""


class Standing(NamedTuple):
    """How a client stands after a request.

    ``whole_in_s`` are the seconds until all of the quota is free again, and ``wait_s`` those until
    the request is allowed: 0 if it was.
    """

    quota: Quota
    whole_in_s: float
    wait_s: float = 0.0

    @property
    def left(self) -> int:
        """The units that are free now."""
        return int((WINDOW_S - self.whole_in_s + _ROUNDING_S) * self.quota.units / WINDOW_S)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """``RateLimit`` and ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers-10)."""
        kind, units = self.quota
        return [
            (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (kind.encode(), units, WINDOW_S)),
            (
                b"ratelimit",
                b'"%b";r=%d;t=%d' % (kind.encode(), self.left, math.ceil(self.whole_in_s)),
            ),
        ]


class Usage:
    """How much of its quota each client has used, which becomes free again steadily.

    For each client this keeps one moment: when all of its quota is free (the generic cell rate
    algorithm). Of more than ``most`` clients, those that asked least recently are forgotten.
    """

    def __init__(
        self, most: int = _MOST_CLIENTS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._clock = clock
        self._whole_at: OrderedDict[str | UUID, float] = OrderedDict()

    def wait_s(self, client: str | UUID, quota: Quota) -> float:
        """How long until a unit of a quota is free; 0 if one is."""
        whole_in_s = max(self._whole_at.get(client, 0.0) - self._clock(), 0.0)
        after_s = whole_in_s + WINDOW_S / quota.units
        return after_s - WINDOW_S if after_s > WINDOW_S + _ROUNDING_S else 0.0

    def use(self, client: str | UUID, quota: Quota, units: int) -> Standing:
        """Use some units of a quota, or all if it has fewer; nothing if too few are free."""
        now = self._clock()
        whole_in_s = max(self._whole_at.get(client, 0.0) - now, 0.0)
        after_s = whole_in_s + min(units, quota.units) * WINDOW_S / quota.units
        if after_s > WINDOW_S + _ROUNDING_S:
            return Standing(quota, whole_in_s, after_s - WINDOW_S)
        self._whole_at[client] = now + after_s
        self._whole_at.move_to_end(client)
        if len(self._whole_at) > self._most:
            self._whole_at.popitem(last=False)
        return Standing(quota, after_s)


def _exceeded(quota: Quota, units: int, wait_s: float) -> QuotaExceeded:
    seconds = math.ceil(wait_s)
    return QuotaExceeded(
        f"The quota of this {quota.kind} is used up: {quota.units} units a minute, of which this"
        f" request takes {units}. It is allowed again in {seconds} s.",
        quota.kind,
        seconds,
    )


class _Known(NamedTuple):
    holder: Holder
    until: float


class Keys:
    """The holders of keys and of sessions, as the database has told lately.

    Somebody who sends many keys that do not exist neither displaces the known ones nor keeps them
    waiting: those are looked up again in a thread of their own.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._known: OrderedDict[_Digest, _Known] = OrderedDict()
        self._invalid_until: OrderedDict[_Digest, float] = OrderedDict()
        # One thread each, so that keys occupy no more of the database.
        self._known_thread = ThreadPoolExecutor(1, "known key")
        self._new_thread = ThreadPoolExecutor(1, "new key")
        self._looked_up: dict[_Digest, asyncio.Future[Holder | None]] = {}

    def knows(self, secret: str) -> bool:
        """Whether the secret is known to be that of a holder, or was so lately."""
        return _digest(secret) in self._known

    def refuses(self, secret: str) -> bool:
        """Whether the secret was found not to be valid, lately."""
        return self._invalid_until.get(_digest(secret), -math.inf) > self._clock()

    async def holder(self, secret: str) -> Holder | None:
        """The holder of a key or session; what was known before if the database is late.

        ``None`` if it is not valid. Raises ``Unavailable`` if that is not known.
        """
        digest = _digest(secret)
        now = self._clock()
        known = self._known.get(digest)
        if known is not None and known.until > now:
            return known.holder
        if self.refuses(secret):
            return None
        try:
            async with asyncio.timeout(_LOOK_UP_S):
                # The look-up goes on for those who ask next.
                return await asyncio.shield(self._look_up(digest, secret, known))
        except (TimeoutError, Unavailable, psycopg.Error) as error:
            if known is None:
                raise Unavailable("The key was not looked up in time.") from error
            return known.holder

    def _look_up(
        self, digest: _Digest, secret: str, known: _Known | None
    ) -> "asyncio.Future[Holder | None]":
        found = self._looked_up.get(digest)
        if found is None:
            if known is None and len(self._looked_up) >= _MOST_LOOKED_UP:
                raise Unavailable("Too many keys are being looked up.")
            thread = self._new_thread if known is None else self._known_thread
            loop = asyncio.get_running_loop()
            found = loop.run_in_executor(thread, holder_of, self._database, secret)
            self._looked_up[digest] = found
            found.add_done_callback(partial(self._learn, digest))
        return found

    def _learn(self, digest: _Digest, found: "asyncio.Future[Holder | None]") -> None:
        del self._looked_up[digest]
        if found.cancelled() or found.exception() is not None:
            return
        until, holder = self._clock() + _KNOWN_S, found.result()
        if holder is None:
            self._known.pop(digest, None)
            _keep(self._invalid_until, digest, until)
        else:
            _keep(self._known, digest, _Known(holder, until))


def _digest(secret: str) -> _Digest:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _keep(kept: OrderedDict[_Digest, _Value], digest: _Digest, value: _Value) -> None:
    kept[digest] = value
    kept.move_to_end(digest)
    if len(kept) > _MOST_SECRETS:
        kept.popitem(last=False)


class _Client(NamedTuple):
    """Whose quota counts for a request, and what the log calls them."""

    id: str | UUID
    name: str
    quota: Quota


class Quotas:
    """The quotas of a service, which are those of the settings and of its keys."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._of_address = Quota("address", settings.units_of_address)
        self._of_key = Quota("key", settings.units_of_key)
        self._trusts_proxy = settings.trust_proxy
        self._clock = clock
        self._usage = Usage(clock=clock)
        self._guesses = Usage(clock=clock)
        self._keys = Keys(database, clock)
        self._has_warned = False
        self._logged_at: OrderedDict[str | UUID, float] = OrderedDict()

    async def count(
        self, view: Callable[..., object] | None, environ: "WSGIEnvironment", body: bytes
    ) -> None:
        """Count a request for its client, and put the headers of its quota into ``environ``.

        ``view`` is ``None`` if there is none. Raises ``QuotaExceeded``. Probes do not count. Called
        in the event loop.
        """
        if view is not None and cost_of(view) is Cost.PROBE:
            return
        client, name, quota = await self._client(environ)
        if not quota.units or not client:
            return
        units = Weight.READ if view is None else weight(view, environ, body)
        standing = self._usage.use(client, quota, units)
        environ[FURTHER_HEADERS] = standing.headers
        if standing.wait_s:
            self._log(client, name, quota)
            raise _exceeded(quota, units, standing.wait_s)

    def _log(self, client: str | UUID, name: str, quota: Quota) -> None:
        """Log who has used up a quota, once in a minute for each client."""
        now = self._clock()
        if now < self._logged_at.get(client, -math.inf) + WINDOW_S:
            return
        self._logged_at[client] = now
        self._logged_at.move_to_end(client)
        if len(self._logged_at) > _MOST_LOGGED:
            self._logged_at.popitem(last=False)
        _log.warning("quota_exceeded", quota=quota.kind, client=name, units=quota.units)

    async def _client(self, environ: "WSGIEnvironment") -> _Client:
        """Whose quota counts for a request.

        Raises ``QuotaExceeded`` if too many keys of its address were not valid.
        """
        secret = _secret(environ)
        address = self._address(environ)
        of_address = _Client(address, address, self._of_address)
        if secret is None:
            return of_address
        is_counted = bool(self._of_address.units and address)
        if is_counted and not self._keys.knows(secret):
            # Otherwise each guess would be looked up, here and to authenticate it.
            self._refuse_guesser(address)
        # Somebody who goes on with a key that has been revoked does not guess.
        is_guess = is_counted and not self._keys.refuses(secret)
        try:
            holder = await self._keys.holder(secret)
        except Unavailable:
            return of_address
        if holder is None:
            if is_guess:
                self._guesses.use(address, _GUESSES, 1)
            return of_address
        quota = Quota("key", holder.quota) if holder.quota else self._of_key
        return _Client(holder.id, holder.label, quota)

    def _refuse_guesser(self, address: str) -> None:
        wait_s = self._guesses.wait_s(address, _GUESSES)
        if wait_s:
            self._log(address, address, _GUESSES)
            seconds = math.ceil(wait_s)
            raise QuotaExceeded(
                f"Too many keys from this address were not valid: {_GUESSES.units} in a minute. The"
                f" next is looked at in {seconds} s.",
                _GUESSES.kind,
                seconds,
            )

    def _address(self, environ: "WSGIEnvironment") -> str:
        """The address that is counted; empty for this machine, where a proxy may run."""
        forwarded: str | None = environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            if self._trusts_proxy:
                # What the proxy has added itself comes last.
                address = counted_address(forwarded.rpartition(",")[2].strip())
                return environ["REMOTE_ADDR"] if address is None else address
            self._warn_of_proxy()
        return counted_address(environ["REMOTE_ADDR"]) or ""

    def _warn_of_proxy(self) -> None:
        if self._of_address.units and not self._has_warned:
            self._has_warned = True
            _log.warning(
                "proxy_not_trusted",
                advice="Requests have X-Forwarded-For. If they come through a proxy, set"
                " HKSZ_TRUST_PROXY=true: otherwise all clients share the quota of its address.",
            )


def weight(view: Callable[..., object], environ: "WSGIEnvironment", body: bytes) -> int:
    """How many units a request takes, by its view and by what it asks for."""
    usual = weight_of(view)
    if cost_of(view) is not Cost.COSTLY:
        return usual
    try:
        asked = parse_qsl(environ["QUERY_STRING"], max_num_fields=MAX_PARAMETERS)
    except ValueError:
        # Such a query string is refused.
        return usual
    if ("count", "exact") in asked or any(each in body for each in _COUNTS_EXACTLY):
        return Weight.SCAN
    return max(usual, Weight.SEARCH) if any(name == "q" for name, _ in asked) else usual


def _secret(environ: "WSGIEnvironment") -> str | None:
    """The key or the token of a session that a request has."""
    authorization: str | None = environ.get("HTTP_AUTHORIZATION")
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        return key.strip() if scheme.lower() == "bearer" else None
    cookies: str | None = environ.get("HTTP_COOKIE")
    found = cookies and _COOKIE.search(cookies)
    return found[1] if found else None


@lru_cache(4096)
def counted_address(text: str) -> str | None:
    """The address for which requests are counted: of IPv6, the network that one client has.

    Empty for this machine itself, and ``None`` if the text is no address. A port is left out.
    """
    host = text.rpartition(":")[0] if text.count(":") == 1 or "]:" in text else text
    address: IPv4Address | IPv6Address
    try:
        if ":" not in host:
            address = IPv4Address(host)
        else:
            address = IPv6Address(host.strip("[]").partition("%")[0])
            address = address.ipv4_mapped or address
    except ValueError:
        return None
    if address.is_loopback:
        return ""
    if isinstance(address, IPv4Address):
        return str(address)
    return address.packed[:_IPV6_NETWORK_BYTES].hex(":", 2)
