"""Cross-origin resource sharing (CORS): pages of other sites may read from the API, not write."""

from collections.abc import Sequence

from flask import Flask
from flask_cors import CORS

_READ = ("GET", "HEAD", "OPTIONS")
# These send a body, and write nothing.
_ASKED_BY_POST = r"^/v1/([a-z]+/query|sources/[^/]+/verify)$"
_SHOWN = (
    "Content-Disposition",
    "Content-Language",
    "ETag",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)
_PREFLIGHT_S = 86_400


def share_with_origins(app: Flask, origins: Sequence[str]) -> None:
    """Let pages of these origins (``*``: of all) read from the API."""
    if not origins:
        return
    CORS(
        app,
        resources={
            _ASKED_BY_POST: {"methods": ("POST", *_READ)},
            r"^/(v1/.*|openapi\.json)$": {"methods": _READ},
        },
        origins=list(origins),
        expose_headers=_SHOWN,
        max_age=_PREFLIGHT_S,
        send_wildcard=True,
    )
