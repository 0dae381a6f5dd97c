"""Settings: read from the environment once, checked at start, frozen."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

PREFIX = "HKSZ_"


class InvalidSettings(ValueError):
    """A setting that means nothing; the message is one sentence for an operator."""


def _text(value: str) -> str:
    return value


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


def _setting(name: str, read: Callable[[str], Any], default: Any) -> Any:
    return field(default=default, metadata={"name": name, "read": read})


@dataclass(frozen=True)
class Settings:
    """What an operator can set; the README has a table of it."""

    database_url: str | None = _setting("DATABASE_URL", _text, None)
    home: Path | None = _setting("HKSZ_HOME", _path, None)
    host: str = _setting("HKSZ_HOST", _text, "127.0.0.1")
    port: int = _setting("HKSZ_PORT", _integer(1, 65535), 8000)
    workers: int = _setting("HKSZ_WORKERS", _integer(1, 256), os.cpu_count() or 1)
    threads: int = _setting("HKSZ_THREADS", _integer(1, 64), 2)
    costly_threads: int = _setting("HKSZ_COSTLY_THREADS", _integer(1, 64), 2)
    max_waiters: int = _setting("HKSZ_MAX_WAITERS", _integer(0, 200), 100)
    open_reads: bool = _setting("HKSZ_OPEN_READS", _boolean, True)
    max_body_bytes: int = _setting("HKSZ_MAX_BODY_BYTES", _integer(1024, 2**30), 2**20)
    max_bulk_bytes: int = _setting("HKSZ_MAX_BULK_BYTES", _integer(1024, 2**30), 2**24)
    statement_timeout_ms: int = _setting("HKSZ_STATEMENT_TIMEOUT_MS", _integer(10, 3_600_000), 5000)
    log_level: str = _setting(
        "HKSZ_LOG_LEVEL", _choice("debug", "info", "warning", "error"), "info"
    )
    log_format: str = _setting("HKSZ_LOG_FORMAT", _choice("console", "json"), "console")
    access_log: bool = _setting("HKSZ_ACCESS_LOG", _boolean, False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as unset.

        Raises ``InvalidSettings`` on a value that means nothing, and on a name that begins with
        ``HKSZ_`` and is none of ours: a misspelt setting would otherwise be ignored.
        """
        known = {item.metadata["name"]: item for item in fields(cls)}
        unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
        if unknown:
            raise InvalidSettings(f"There is no setting {unknown[0]}.")
        values = {}
        for name, item in known.items():
            text = environ.get(name, "")
            if text:
                try:
                    values[item.name] = item.metadata["read"](text)
                except ValueError as error:
                    raise InvalidSettings(f"{name} {error}, not {text!r}.") from None
        return cls(**values)
