"""Unicode in its composed form, however hostile the text."""

import re
import sys
import unicodedata
from functools import cache

_STREAM_SAFE = 30  # UAX 15: so many marks in a row are in use at most


def nfc(text: str) -> str:
    """The text in Normalization Form C, in a time that grows with its length."""
    return unicodedata.normalize("NFC", _with_marks_in_order(text))


def _with_marks_in_order(text: str) -> str:
    # What Python does with n marks that are out of order takes n² steps: a text of a megabyte
    # that is made of nothing else would take half an hour.
    if not any(map(_is_mark, set(text))):
        return text
    return _long_runs_of_marks().sub(_canonically_ordered, text)


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
