"""Conditional requests (RFC 9110, section 13).

An entity tag is ``"VERSION-DIGEST"``. VERSION is that of the row. ``If-Match`` compares nothing
else, because a client that writes must have seen the current row. DIGEST is that of the document
with everything embedded in it, so that ``If-None-Match`` notices every change of a response.

Werkzeug can parse entity tags, too, but it skips malformed ones; here they are answered with 400.

``If-Match`` also takes weak tags (``W/"3-0f1e2d"``), although section 13.1.1 asks for the strong
comparison, which never matches one. A proxy that compresses an answer makes its tag weak, since the
bytes differ, and the client has no other tag. Strong comparison protects writes that depend on the
bytes of a representation. A write here depends on VERSION alone, which counts the changes of the
row; a proxy can change the encoding of an answer, but not the row.
"""

import hashlib
import re

from flask import request

from hksz_db.domain.errors import Malformed
from hksz_db.http.statuses import ApiError

_TAG = re.compile(r'\s*(?:W/)?"([!#-~]*)"\s*')
_TAGS = re.compile(f"{_TAG.pattern}(?:,{_TAG.pattern})*,?")


def content_tag(body: bytes) -> str:
    """The digest of a response: its entity tag, or the second part of it, without quotes."""
    return hashlib.sha256(body).hexdigest()[:16]


def document_tag(version: int, body: bytes) -> str:
    """The entity tag of a row's document, without quotes."""
    return f"{version}-{content_tag(body)}"


def is_known(tag: str) -> bool:
    """Whether the client already has the response with this tag (weak comparison)."""
    header = request.headers.get("If-None-Match")
    if header is None or request.method not in {"GET", "HEAD"}:
        return False
    return header.strip() == "*" or tag in _tags(header)


def matched_versions() -> list[int] | None:
    """The versions that ``If-Match`` allows; ``None`` allows any version.

    Raises ``ApiError`` 428 if the header is missing.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise ApiError(428, "Send If-Match with the ETag of the version that you have read.")
    if header.strip() == "*":
        return None
    versions = []
    for opaque in _tags(header):
        version = opaque.partition("-")[0]
        if version.isascii() and version.isdigit() and len(version) < 10:
            versions.append(int(version))
    return versions


def _tags(header: str) -> list[str]:
    """The tags without quotes, weak ones included."""
    if not _TAGS.fullmatch(header):
        raise Malformed('Entity tags must be in double quotes, as in "3-0f1e2d".')
    return _TAG.findall(header)
