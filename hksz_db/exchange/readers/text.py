"""Read files as text, within bounds: line by line, or as a whole."""

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hksz_db.domain import strict_json
from hksz_db.domain.errors import Malformed
from hksz_db.exchange.readers.entries import Unreadable

MAX_WHOLE_BYTES = 32 * 2**20
"""The largest file that is read as a whole."""

MAX_LINE_CHARS = 4 * 2**20
"""The longest line of a file that is read line by line."""

_UNDECODED = re.compile("[\udc80-\udcff]")
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Line:
    """A line, or the reason why it cannot be read."""

    number: int
    text: str
    fault: str | None = None


def _codec(name: str) -> str:
    try:
        codec = codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        raise Unreadable(f"Unknown text encoding {name!r}.") from None
    # A byte order mark is not part of the text.
    return "utf-8-sig" if codec.name == "utf-8" else codec.name


def whole(path: Path, encoding: str) -> str:
    """The text of a file of at most ``MAX_WHOLE_BYTES``. Raises ``Unreadable``."""
    with _open(path, encoding) as file:
        return decoded(file.read(MAX_WHOLE_BYTES + 1), encoding)


def decoded(data: bytes, encoding: str) -> str:
    """The text of a file of at most ``MAX_WHOLE_BYTES``, without its mark. Raises ``Unreadable``.

    Give one byte more to have a file refused that is longer.
    """
    if len(data) > MAX_WHOLE_BYTES:
        limit = MAX_WHOLE_BYTES // 2**20
        raise Unreadable(
            f"The file has more than {limit} MiB, and this format is read as a whole; split it."
        )
    try:
        return data.decode(_codec(encoding))
    except UnicodeError as error:
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data.count(b"\n", 0, start) + 1
        raise Unreadable(f"Line {line} is not {encoding} (byte {start}).") from None


def json_file(path: Path) -> Any:
    """The JSON of a file in UTF-8, with fractions as ``Decimal``. Raises ``Unreadable``."""
    try:
        return strict_json.parse(whole(path, "utf-8"), "It")
    except (Unreadable, Malformed) as error:
        raise Unreadable(f"{path}: {error}") from None


def lines(path: Path, encoding: str, newline: str = "\n") -> Iterator[Line]:
    """The lines of a file, one in memory at a time.

    Lines that are too long or not in the encoding have a fault. ``newline`` is that of ``open``.
    Raises ``Unreadable``.
    """
    with _open(path, encoding) as file:
        text = io.TextIOWrapper(file, _codec(encoding), errors="surrogateescape", newline=newline)
        number = 0
        while True:
            try:
                line = text.readline(MAX_LINE_CHARS + 1)
            except UnicodeError:
                raise Unreadable(f"Line {number + 1} is not {encoding}.") from None
            if not line:
                return
            number += 1
            if len(line) > MAX_LINE_CHARS:
                while line and not line.endswith(("\n", "\r")):
                    line = text.readline(MAX_LINE_CHARS)
                yield Line(number, "", f"The line has more than {MAX_LINE_CHARS} characters.")
            elif undecoded := _UNDECODED.search(line):
                yield Line(number, "", f"Character {undecoded.start() + 1} is not {encoding}.")
            else:
                yield Line(number, line)


@contextmanager
def _open(path: Path, encoding: str) -> Iterator[io.BufferedReader]:
    try:
        with path.open("rb") as file:
            start = file.peek(4)[:4]
            for mark, name in _BYTE_ORDER_MARKS.items():
                if start.startswith(mark) and _codec(encoding) == "utf-8-sig":
                    raise Unreadable(f"The file is in {name.upper()}; give --encoding {name}.")
            yield file
    except OSError as error:
        raise Unreadable(f"{error.strerror}.") from None
