"""Unicode Normalization Form C in linear time, also for hostile texts."""

import re
import sys
import unicodedata
from functools import cache

_STREAM_SAFE = 30  # UAX 15: no script uses more marks in a row


def nfc(text: str) -> str:
    """The text in Normalization Form C."""
    # Python needs n² steps for n marks that are out of order: half an hour for a megabyte of them.
    if any(map(_is_mark, set(text))):
        text = _long_runs_of_marks().sub(_canonically_ordered, text)
    return unicodedata.normalize("NFC", text)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) > 0


@cache
def _long_runs_of_marks() -> re.Pattern[str]:
    marks = "".join(filter(_is_mark, map(chr, range(sys.maxunicode + 1))))
    return re.compile(f"[{marks}]{{{_STREAM_SAFE + 1},}}")


def _canonically_ordered(run: re.Match[str]) -> str:
    # The Canonical Ordering Algorithm of the Unicode standard (D109) is a stable sort.
    marks = "".join(unicodedata.normalize("NFD", mark) for mark in run[0])
    return "".join(sorted(marks, key=unicodedata.combining))
