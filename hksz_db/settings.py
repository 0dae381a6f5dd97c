"""Settings, which are read from the environment and checked once, at start."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "HKSZ_"
DATABASE_URL, READ_DATABASE_URL = "DATABASE_URL", f"{PREFIX}READ_DATABASE_URL"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
# Kubernetes gives each container variables about each service of its namespace. Those about a
# service named hksz, or hksz-something, look like settings.
_OF_A_SERVICE = re.compile(
    "HKSZ_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)"
    "|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
# 100 reads by id a second, or two scans; and ten times as much.
_UNITS_OF_ADDRESS = 6000
_UNITS_OF_KEY = 60_000
_ADDRESS_OF_A_SERVICE = re.compile("(tcp|udp|sctp)://.+")


class InvalidSettings(ValueError):
    """A setting is invalid; the message is one sentence for an operator."""


def _path(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _integer(minimum: int, maximum: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        number = value.isascii() and value.isdigit() and len(value) < 12
        if not number or not minimum <= int(value) <= maximum:
            raise ValueError(f"must be a whole number from {minimum} to {maximum}")
        return int(value)

    return read


def _boolean(value: str) -> bool:
    if value not in {"true", "false"}:
        raise ValueError("must be true or false")
    return value == "true"


def _choice(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return value

    return read


def _origins(value: str) -> tuple[str, ...]:
    if value == "none":
        return ()
    origins = tuple(value.split())
    if value != "*" and not (origins and all(map(_ORIGIN.fullmatch, origins))):
        raise ValueError(
            "must be `*`, `none`, or origins such as `https://example.org` with spaces between them"
        )
    return origins


def _setting(read: Callable[[str], Any], default: Any, description: str, shown: str = "") -> Any:
    # ``shown`` replaces the default in the documentation if that depends on the machine.
    metadata = {"read": read, "description": description, "shown": shown}
    return field(default=default, metadata=metadata)


def _is_set_by_kubernetes(name: str, value: str) -> bool:
    is_address = name.endswith("_PORT") and _ADDRESS_OF_A_SERVICE.fullmatch(value)
    return bool(is_address or _OF_A_SERVICE.fullmatch(name))


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return DATABASE_URL if setting == "database_url" else PREFIX + setting.upper()


@dataclass(frozen=True)
class Settings:
    """The settings of an operator, with their descriptions for ``docs/reference/settings.md``."""

    database_url: str | None = _setting(
        str,
        None,
        "The PostgreSQL 18 server to use, as a libpq connection URI. It may name several hosts:"
        " `postgresql://user@host1:5432,host2:5433/name?target_session_attrs=read-write`.",
        "the embedded server",
    )
    read_database_url: str | None = _setting(
        str,
        None,
        "A replica of that server, or several, for reads without a key. While it is away or behind,"
        " the server itself answers.",
        "none",
    )
    pooler: str = _setting(
        _choice("none", "transaction"),
        "none",
        "Whether the URLs lead to a pooler such as PgBouncer that may give each transaction another"
        " session. Settings then last one transaction, and no statement is prepared.",
    )
    pool_size: int = _setting(
        _integer(1, 1000),
        8,
        "The number of connections of each of four kinds that a worker keeps open to the server. It"
        " opens no more than it has threads.",
    )
    read_pool_size: int = _setting(
        _integer(1, 1000),
        8,
        "The same for the replica.",
    )
    home: Path | None = _setting(
        _path,
        None,
        "The folder of the embedded database and of the first key.",
        "the user's data folder; `/var/lib/hksz` for root",
    )
    host: str = _setting(str, "127.0.0.1", "The address to listen on.")
    port: int = _setting(_integer(1, 65535), 8000, "The port to listen on.")
    workers: int = _setting(
        _integer(1, 256),
        os.cpu_count() or 1,
        "The number of worker processes.",
        "the number of processor cores",
    )
    threads: int = _setting(
        _integer(1, 64),
        2,
        "The number of reads by id and writes that a worker processes at the same time.",
    )
    costly_threads: int = _setting(
        _integer(1, 64),
        2,
        "The number of costly requests that a worker processes in addition: lists, queries,"
        " aggregates, comparisons, similar rows, exports, the feed, verification of texts.",
    )
    max_waiters: int = _setting(
        _integer(0, 200),
        100,
        "The number of requests per worker that may wait for changes (`GET /v1/changes?wait=…`).",
    )
    open_reads: bool = _setting(_boolean, True, "Whether reading is possible without a key.")
    pages: bool = _setting(
        _boolean,
        True,
        "Whether there are pages for people who read in a browser. Without them, everybody gets the"
        " index of the API at `/`.",
    )
    session_hours: int = _setting(
        _integer(1, 8760),
        12,
        "How long somebody who signs in to the pages stays signed in, in hours. A session also ends"
        " with its key.",
    )
    trust_proxy: bool = _setting(
        _boolean,
        False,
        "Whether all requests come through a proxy that sets `X-Forwarded-Proto` and adds the"
        " address of the client to `X-Forwarded-For`. Cookies are then marked `Secure` if the"
        " browser used HTTPS, and quotas are those of the last address in `X-Forwarded-For`.",
    )
    limit_address: int | None = _setting(
        _integer(0, 10**9),
        None,
        "The [quota](http-api.md#quotas) of each client address: how many units may be used in a"
        " minute. 0 sets no limit.",
        "`6000` with `DATABASE_URL`, otherwise `0`",
    )
    limit_key: int | None = _setting(
        _integer(0, 10**9),
        None,
        "The quota of each key that has none of its own.",
        "`60000` with `DATABASE_URL`, otherwise `0`",
    )
    cors_origins: tuple[str, ...] | None = _setting(
        _origins,
        None,
        "The origins of the web pages that may read from the API in a browser (CORS). They may not"
        " write.",
        "`*` with `DATABASE_URL`, otherwise `none`",
    )
    four_eyes: bool | None = _setting(
        _boolean,
        None,
        "Whether a claim or a piece of evidence must be accepted by a key other than the one that"
        " wrote it.",
        "true with `DATABASE_URL`, otherwise false",
    )
    max_body_bytes: int = _setting(
        _integer(1024, 2**30),
        2**20,
        "The maximum length of a request body, in bytes.",
    )
    max_bulk_bytes: int = _setting(
        _integer(1024, 2**30),
        2**24,
        "The maximum length of the body of a bulk request (`POST /v1/R/bulk`), in bytes.",
    )
    statement_timeout_ms: int = _setting(
        _integer(10, 3_600_000),
        5000,
        "The time limit of one SQL statement, in milliseconds. Exports have a limit of their own.",
    )
    slow_statement_ms: int = _setting(
        _integer(0, 3_600_000),
        1000,
        "A statement of a request that takes longer is logged, without its values, in milliseconds;"
        " 0 logs none.",
    )
    log_level: str = _setting(
        _choice("debug", "info", "warning", "error"),
        "info",
        "The least severe level that is logged.",
    )
    log_format: str = _setting(
        _choice("console", "json"),
        "console",
        "Log lines for people, or one JSON object per line.",
    )
    access_log: bool = _setting(_boolean, False, "Whether each request is logged.")

    @property
    def shared_origins(self) -> tuple[str, ...]:
        """The origins that may read; no site that its user visits may read a personal database."""
        if self.cors_origins is None:
            return () if self.database_url is None else ("*",)
        return self.cors_origins

    @property
    def needs_four_eyes(self) -> bool:
        """Whether another key has to accept; somebody who works alone has no other."""
        return self.database_url is not None if self.four_eyes is None else self.four_eyes

    @property
    def units_of_address(self) -> int:
        """The quota of an address for a minute (0: any); a personal database has none."""
        return self._units(self.limit_address, _UNITS_OF_ADDRESS)

    @property
    def units_of_key(self) -> int:
        """The quota of a key for a minute (0: any)."""
        return self._units(self.limit_key, _UNITS_OF_KEY)

    def _units(self, given: int | None, default: int) -> int:
        if given is None:
            return 0 if self.database_url is None else default
        return given

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as unset.

        Raises ``InvalidSettings`` for an invalid value, and for an unknown name that begins with
        ``HKSZ_``: a misspelt setting would otherwise be ignored. What Kubernetes adds is ignored.
        """
        environ = {n: value for n, value in environ.items() if not _is_set_by_kubernetes(n, value)}
        known = {variable(item.name): item for item in fields(cls)}
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise InvalidSettings(f"Unknown setting {unknown[0]}.")
        values = {}
        for name, item in known.items():
            text = environ.get(name, "")
            if text:
                try:
                    values[item.name] = item.metadata["read"](text)
                except ValueError as error:
                    raise InvalidSettings(f"{name} {error}, not {text!r}.") from None
        return cls(**values)
