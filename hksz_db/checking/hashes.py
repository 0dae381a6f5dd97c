"""The hashes of PostgreSQL, so that it can look up words that it is not told.

They are ``hashtextextended`` and ``hashint8extended``: the function lookup3 of Bob Jenkins, as in
``src/common/hashfn.c`` of PostgreSQL.
"""

from functools import lru_cache

_ALL = 0xFFFFFFFF
_START = 0x9E3779B9 + 3923095
_HIGHEST = 1 << 63


def hash_text(text: str, seed: int) -> int:
    """The result of ``hashtextextended``, for a text in a database in UTF-8."""
    key = text.encode()
    length = len(key)
    a, b, c = _started(length, seed)
    at = 0
    while length - at >= 12:
        a = (a + int.from_bytes(key[at : at + 4], "little")) & _ALL
        b = (b + int.from_bytes(key[at + 4 : at + 8], "little")) & _ALL
        c = (c + int.from_bytes(key[at + 8 : at + 12], "little")) & _ALL
        a, b, c = _mixed(a, b, c)
        at += 12
    a = (a + int.from_bytes(key[at : at + 4], "little")) & _ALL
    b = (b + int.from_bytes(key[at + 4 : at + 8], "little")) & _ALL
    # The lowest byte is kept for the length.
    c = (c + (int.from_bytes(key[at + 8 : at + 12], "little") << 8)) & _ALL
    return _finished(a, b, c)


def hash_number(number: int, seed: int) -> int:
    """The result of ``hashint8extended``."""
    low, high = number & _ALL, (number >> 32) & _ALL
    a, b, c = _started(4, seed)
    return _finished((a + (low ^ (high if number >= 0 else high ^ _ALL))) & _ALL, b, c)


@lru_cache(maxsize=2048)
def _started(length: int, seed: int) -> tuple[int, int, int]:
    a = b = c = (_START + length) & _ALL
    if not seed:
        return a, b, c
    return _mixed((a + ((seed >> 32) & _ALL)) & _ALL, (b + (seed & _ALL)) & _ALL, c)


def _rotated(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & _ALL


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for bits in ((4, 6, 8), (16, 19, 4)):
        a = ((a - c) & _ALL) ^ _rotated(c, bits[0])
        c = (c + b) & _ALL
        b = ((b - a) & _ALL) ^ _rotated(a, bits[1])
        a = (a + c) & _ALL
        c = ((c - b) & _ALL) ^ _rotated(b, bits[2])
        b = (b + a) & _ALL
    return a, b, c


def _finished(a: int, b: int, c: int) -> int:
    c = ((c ^ b) - _rotated(b, 14)) & _ALL
    a = ((a ^ c) - _rotated(c, 11)) & _ALL
    b = ((b ^ a) - _rotated(a, 25)) & _ALL
    c = ((c ^ b) - _rotated(b, 16)) & _ALL
    a = ((a ^ c) - _rotated(c, 4)) & _ALL
    b = ((b ^ a) - _rotated(a, 14)) & _ALL
    c = ((c ^ b) - _rotated(b, 24)) & _ALL
    found = (b << 32) | c
    return found - 2 * _HIGHEST if found >= _HIGHEST else found
