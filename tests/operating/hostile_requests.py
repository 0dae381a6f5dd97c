"""Hostile requests over HTTP, made from a seed: each is the bytes of one connection."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

_METHODS = ("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS")
_ODD_METHODS = ("TRACE", "CONNECT", "BREW", "get", "PROPFIND", "G" * 300, "-", "GÉT")
_TEXTS: Sequence[str] = (
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "'",
        '"',
        "\\",
        "%",
        "_",
        "*",
        "null",
        "true",
        "[]",
        "{}",
        "-0",
        "1e999",
    ),
    *(
        "NaN",
        "Infinity",
        "0x10",
        "1_000",
        "٣",
        "9" * 400,
        "-1",
        "0",
        "1.5",
        "1e-400",
        "+5",
        "\uff10\uff11",
    ),
    *(
        "\ud800",
        "\U0010ffff",
        "\u202e",
        "e\u0301" * 50,
        "İ",
        "ß",
        "深圳" * 200,
        "\r\nX: y",
        "\t",
        "\x7f",
    ),
    *(
        "' OR 1=1 --",
        "'; DROP TABLE claims; --",
        "$1",
        "%s",
        "{0}",
        "{{7*7}}",
        "${jndi:x}",
        "<script>",
    ),
    *(
        "../../etc/passwd",
        "..%2f..",
        "%00",
        "%",
        "%zz",
        "%ff%fe",
        "file:///etc/passwd",
        "//evil.example",
    ),
    *(
        "a" * 9000,
        "(" * 500,
        '"a b' * 50,
        "a OR " * 300,
        "-" * 200,
        "a,b," * 500,
        "9999-12-31",
        "0000",
    ),
    *(
        "2024-02-30",
        "2024-13",
        "-0001",
        "2024?",
        "2024/..",
        "2024~/2025?",
        "Y170000002",
        "156X-12-25",
    ),
    *("00000000-0000-0000-0000-000000000000", "01900000-0001-7000-8000-000000000001", "not-a-uuid"),
    *(
        "2024-01-01T00:00:00Z",
        "2099-01-01T00:00:00+99:99",
        "0001-01-01T00:00:00Z",
        "now",
        "id",
        "-id",
    ),
    *(
        "asc",
        "name,name",
        "in:1,2",
        "a.b.c.d.e",
        "__class__",
        "claims",
        "ndjson",
        "parquet",
        "jsonld",
    ),
)
_NUMBERS: Sequence[object] = (
    *(0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**40, 1e308, -0.0, 5e-324, 0.1, 10**400),
)
_HEADERS = (
    *("Accept", "Accept-Language", "Accept-Encoding", "Accept-Charset", "Content-Type", "Cookie"),
    *("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"),
    *("Authorization", "Idempotency-Key", "Prefer", "Origin", "Referer", "Sec-Fetch-Site", "Host"),
    *(
        "X-Request-ID",
        "traceparent",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-HTTP-Method-Override",
    ),
    *("Content-Encoding", "Transfer-Encoding", "Expect", "Upgrade", "TE", "Trailer"),
    *("Forwarded", "Date", "User-Agent", "X" * 200, "Content-Length", "HTTP2-Settings", "Via"),
)
_HEADER_VALUES = (
    *(
        "",
        "*",
        "*/*",
        '"1"',
        'W/"1"',
        '"',
        "bytes=0-",
        "bytes=9-1",
        "Bearer",
        "Bearer x",
        "Basic Og==",
    ),
    *(
        "text/html",
        "application/json",
        "application/merge-patch+json",
        "application/json; charset=utf-7",
    ),
    *(
        "text/csv",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plain",
        "x/y;q=2",
    ),
    *("gzip", "gzip;q=0", "br, *;q=0", "en;q=2", "zh-Hant-HK,*;q=0.1", "x-" * 300, "100-continue"),
    *(
        "chunked",
        "identity",
        "close",
        "keep-alive, Upgrade",
        "h2c",
        "websocket",
        "null",
        "a=b; c=d; =; ;",
    ),
    *(
        "hksz_session=" + "a" * 43,
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "yesterday",
        "a" * 4000,
        "é",
        "%0a",
    ),
    *(
        "00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        "return=minimal",
        "http://evil.example",
        "\x01",
        "-1",
    ),
)
# Sent by chance, they say something else about the connection or the body than is true.
_FRAMING = {"Content-Length", "Transfer-Encoding", "Expect", "Upgrade", "HTTP2-Settings"}
_QUERY = b"POST /v1/claims/query HTTP/1.1\r\nHost: x\r\n"
_RAW: Sequence[bytes] = (
    b"",
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET /healthz\r\n\r\n",
    b"GET http://evil.example/v1/claims HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /v1/claims HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n",
    b"GET /v1/claims HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET /v1/claims HTTP/1.1\r\n Host: x\r\n\r\n",
    b"GET /v1/claims HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 300 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 500_000 + b"\r\n\r\n",
    b"GET /\xff\xfe?\x80=\x81 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    _QUERY
    + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    _QUERY + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    _QUERY + b"Content-Length: -1\r\n\r\n{}",
    _QUERY + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    _QUERY + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    _QUERY + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    _QUERY + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\xff" * 60,
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
)


@dataclass(frozen=True)
class Target:
    """What is there to attack: paths with placeholders, and for each its methods and parameters.

    ``bodies`` are examples by path, ``ids`` those of existing rows by resource, and ``key`` has all
    scopes.
    """

    methods: Mapping[str, Sequence[str]]
    parameters: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Any]
    ids: Mapping[str, Sequence[str]]
    key: str

    @property
    def all_ids(self) -> Sequence[str]:
        """The ids of all resources."""
        return [id_ for ids in self.ids.values() for id_ in ids]


@dataclass(frozen=True)
class Hostile:
    """What a connection sends, with a label for messages.

    An answer is due, and the end of the connection, if it is ``whole``. After one that is ``cut``,
    the client leaves.
    """

    label: str
    sent: bytes
    whole: bool = False
    cut: bool = False


class Attacker:
    """Makes requests; the same seed makes the same ones."""

    def __init__(self, target: Target, seed: int) -> None:
        self._target = target
        self._chance = random.Random(seed)

    def request(self) -> Hostile:
        """The next request."""
        kinds: Sequence[Callable[[], Hostile]] = (self._odd, self._raw, self._noise, self._cut)
        (make,) = self._chance.choices(kinds, weights=(92, 4, 2, 2))
        return make()

    def _raw(self) -> Hostile:
        sent = self._pick(_RAW)
        return Hostile(f"raw {sent[:60]!r}", sent)

    def _noise(self) -> Hostile:
        """Random bytes, or a request of which some bytes are random."""
        if self._chance.random() < 0.3:
            return Hostile("noise", self._chance.randbytes(self._chance.randrange(1, 2000)))
        request = self._odd()
        changed = bytearray(request.sent)
        for _ in range(self._chance.randrange(1, 8)):
            changed[self._chance.randrange(len(changed))] = self._chance.randrange(256)
        return Hostile(f"changed {request.label}", bytes(changed))

    def _cut(self) -> Hostile:
        """The beginning of a request, after which the client leaves."""
        request = self._odd()
        sent = request.sent[: self._chance.randrange(1, len(request.sent))]
        return Hostile(f"cut {request.label}", sent, cut=True)

    def _odd(self) -> Hostile:
        """A request that keeps the rules of HTTP, with odd contents."""
        rule = self._pick([*self._target.methods])
        method = self._method(rule)
        address = self._path(rule) + self._query(rule)
        headers = self._headers()
        body = self._body(rule) if self._chance.random() < 0.6 or method == "POST" else b""
        if body:
            headers.setdefault("Content-Type", self._content_type(method))
        length = {"Content-Length": str(len(body))} if body else {}
        head = f"{method} {address} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in {**length, **headers}.items()
        )
        sent = f"{head}\r\n".encode("utf-8", "surrogatepass") + body
        label = f"{method[:20]} {address[:300]} {headers} {body[:200]!r}"
        return Hostile(label, sent, whole=not _FRAMING & headers.keys() and method in _METHODS)

    def _pick(self, choices: Sequence[Any]) -> Any:
        return self._chance.choice(choices)

    def _method(self, rule: str) -> str:
        """Mostly one that the path has."""
        known = self._target.methods[rule]
        (choices,) = self._chance.choices((known, _METHODS, _ODD_METHODS), weights=(75, 20, 5))
        return str(self._pick(choices))

    def _text(self) -> str:
        return str(self._pick(_TEXTS))

    def _path(self, rule: str) -> str:
        """The path of a rule with an id, a number or something else at each placeholder."""
        pieces: list[str] = []
        for piece in rule.split("/"):
            if not piece.startswith("{"):
                pieces.append(piece)
            elif self._chance.random() < 0.1:
                pieces.append(quote(self._text()[:500], errors="surrogatepass"))
            elif "id" in piece:
                pieces.append(self._pick(self._target.ids.get(pieces[-1], self._target.all_ids)))
            else:
                pieces.append("claims" if piece in {"{resource}", "{where}"} else "1")
        path = "/".join(pieces)
        return self._pick((path, path, path, path, path, f"/{path}", f"{path}/", path.upper()))

    def _query(self, rule: str) -> str:
        """Up to four parameters, mostly known ones, with odd values."""
        known = self._target.parameters.get(rule) or ("q",)
        pairs = []
        for _ in range(self._chance.choice((0, 0, 1, 1, 2, 4))):
            name = self._pick(known) if self._chance.random() < 0.85 else self._text()[:200]
            existing = self._chance.random() < 0.1
            value = self._pick(self._target.all_ids) if existing else self._text()
            # Waiting is what a client may ask for, and takes its time.
            pairs.append((name, "0" if name == "wait" else value))
        if not pairs:
            return ""
        if self._chance.random() < 0.05:
            joined = "&".join(f"{name}={value}" for name, value in pairs)
            return "?" + quote(joined, safe="%&=?/;+", errors="surrogatepass")
        return "?" + urlencode(pairs, errors="surrogatepass")

    def _headers(self) -> dict[str, str]:
        headers = {"Host": "x"}
        if self._chance.random() < 0.5:
            headers["Authorization"] = f"Bearer {self._target.key}"
        for _ in range(self._pick((0, 0, 0, 1, 2))):
            headers[self._pick(_HEADERS)] = self._pick(_HEADER_VALUES)
        headers["Connection"] = "close"
        if self._chance.random() < 0.2:
            headers["If-Match"] = "*"
        if self._chance.random() < 0.1:
            headers["Idempotency-Key"] = str(UUID(int=self._chance.getrandbits(128), version=4))
        return headers

    def _content_type(self, method: str) -> str:
        usual = "application/merge-patch+json" if method == "PATCH" else "application/json"
        return self._pick((usual, usual, usual, self._pick(_HEADER_VALUES)))

    def _body(self, rule: str) -> bytes:
        make = self._pick(
            (self._changed_example, self._changed_example, self._odd_json, self._form)
        )
        return bytes(make(rule))

    def _changed_example(self, rule: str) -> bytes:
        """An example of the call, with some of its values replaced."""
        example = json.loads(json.dumps(self._target.bodies.get(rule, {})))
        for _ in range(self._pick((0, 1, 1, 2, 5))):
            example = self._with_change(example)
        return json.dumps(example, ensure_ascii=self._chance.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )

    def _with_change(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self._chance.random() < 0.9:
            name = self._pick([*value])
            return {**value, name: self._with_change(value[name])}
        if isinstance(value, list) and value and self._chance.random() < 0.7:
            place = self._chance.randrange(len(value))
            return [*value[:place], self._with_change(value[place]), *value[place + 1 :]]
        return self._value()

    def _value(self) -> Any:
        kind = self._chance.randrange(8)
        if kind < 4:
            return self._text()
        if kind == 4:
            return self._pick(_NUMBERS)
        if kind == 5:
            return self._pick((None, True, False, [], {}))
        if kind == 6:
            return [self._text()] * self._pick((1, 3, 300))
        return {self._text()[:50]: self._text()}

    def _odd_json(self, rule: str) -> bytes:
        del rule
        return self._pick(
            (
                b"",
                b"{",
                b"[" * 20_000,
                b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
                b'{"a":1,"a":2}',
                b"\xff\xfe{}",
                b"\xef\xbb\xbf{}",
                b"NaN",
                b"1" * 5_000,
                b'"' + b"\\ud800" + b'"',
                b'{"statement":"\\u0000"}',
                b"null",
                b"[]",
                b"1e400",
                b'{"items":' + b"[" + b"{}," * 999 + b"{}]}",
                b" " * 100_000 + b"{}",
                self._chance.randbytes(300),
            )
        )

    def _form(self, rule: str) -> bytes:
        del rule
        names = ("key", "statement", "title", "file", "text", "version", self._text()[:100])
        pairs = [(self._pick(names), self._text()) for _ in range(4)]
        return urlencode(pairs, errors="surrogatepass").encode()
