"""Files that pages refer to. The URL of each contains its hash, so that it may be kept for ever."""

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from flask import Blueprint, Response, abort, current_app, url_for

from hksz_db.http.costs import Cost, costs

_FOLDER = Path(__file__).parent / "static"
# What only people need in a script: comments, indentation, and spaces beside punctuation. A line
# with neither a backtick nor a slash has no template, pattern or comment: its quotes surround
# strings. Other marks keep their spaces: without them `+ +` and `< !--` would mean something else.
_FOR_PEOPLE = re.compile(rb"^\s*//.*\n|^\s+", re.MULTILINE)
_PLAIN_LINE = re.compile(rb"^[^`/\n]+$(?:(?<=[{;,(])\n)?", re.MULTILINE)
_STRING_OR_MARK = re.compile(
    rb"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|[ ]?(=>|[=?:,;{}()|&^*])[ \n]?"""
)

blueprint = Blueprint("assets", __name__)


class _Asset(NamedTuple):
    content: bytes
    media_type: str
    digest: str


@cache
def _assets() -> dict[str, _Asset]:
    return {path.name: _asset(path) for path in sorted(_FOLDER.iterdir())}


def _asset(path: Path) -> _Asset:
    content = path.read_bytes()
    if path.suffix == ".js":
        content = stripped(content)
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return _Asset(content, media_type, hashlib.sha256(content).hexdigest()[:12])


def stripped(script: bytes) -> bytes:
    """A script without what only people need; none of its templates or comments spans lines."""
    lines = _FOR_PEOPLE.sub(b"", script)
    return _PLAIN_LINE.sub(lambda line: _STRING_OR_MARK.sub(rb"\1\2", line[0]), lines)


def asset_url(name: str) -> str:
    """The URL of a file in ``static/``."""
    return url_for("assets.asset", digest=_assets()[name].digest, name=name)


@blueprint.get("/static/<digest>/<name>")
@costs(Cost.MEMORY)
def asset(digest: str, name: str) -> Response:
    """A file in ``static/``. An outdated hash is answered with 404."""
    found = _assets().get(name)
    if found is None or found.digest != digest:
        abort(404)
    return _file(found, "public, max-age=31536000, immutable")


@blueprint.get("/favicon.ico")
@costs(Cost.MEMORY)
def favicon() -> Response:
    """The icon, for browsers that ask for it by this name."""
    return _file(_assets()["icon.svg"], "public, max-age=86400")


@blueprint.get("/robots.txt")
@costs(Cost.MEMORY)
def robots() -> Response:
    """What crawlers should leave alone: the API, and lists, which filters make endless."""
    lists = ("/claims?", "/entities?", "/sources?", "/metrics/?", "/claims.atom")
    refused = ("/v1/", *lists) if current_app.config["OPEN_READS"] else ("/",)
    rules = "".join(f"Disallow: {path}\n" for path in refused)
    return Response(f"User-agent: *\n{rules}", content_type="text/plain; charset=utf-8")


def _file(found: _Asset, caching: str) -> Response:
    response = Response(found.content, mimetype=found.media_type)
    response.headers["Cache-Control"] = caching
    return response
