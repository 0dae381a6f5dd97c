"""Cursors: where a page ended, tied to the question that it answers.

A cursor holds the sort keys of the last row and a checksum over them and the question. It is not a
secret and grants nothing: the checksum detects cursors that are damaged or of another question.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from typing import Any

_CHECKSUM_BYTES = 9


def encode(keys: bytes, question: Any) -> str:
    """The cursor for ``keys``, a JSON array of texts and nulls."""
    return base64.urlsafe_b64encode(_checksum(keys, question) + keys).decode().rstrip("=")


def decode(cursor: str, question: Any, nullable: Sequence[bool]) -> Sequence[str | None] | None:
    """The sort keys in a cursor; ``None`` unless it belongs to the question.

    ``nullable`` says for each key whether it may be null.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        keys = raw[_CHECKSUM_BYTES:]
        if raw[:_CHECKSUM_BYTES] == _checksum(keys, question) and encode(keys, question) == cursor:
            values = json.loads(keys)
            json.dumps(values, ensure_ascii=False).encode()  # refuses lone surrogates
            fits = isinstance(values, list) and len(values) == len(nullable)
            if fits and all(map(_fits, values, nullable)):
                return values  # type: ignore[no-any-return]
    except (UnicodeError, binascii.Error, ValueError):
        pass
    return None


def _fits(value: Any, nullable: bool) -> bool:
    return isinstance(value, str) or (nullable and value is None)


def _checksum(keys: bytes, question: Any) -> bytes:
    asked = json.dumps(question, default=str, sort_keys=True).encode()
    return hashlib.sha256(asked + b"\0" + keys).digest()[:_CHECKSUM_BYTES]
