"""A search as an Atom feed (RFC 4287), with the parameters of the search page."""

import json
import re
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import urlencode

from flask import Response, request, url_for

from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Claim
from hksz_db.queries.questions import read_list
from hksz_db.queries.registry import RESOURCES
from hksz_db.web import facets
from hksz_db.web.interface import names_preferred
from hksz_db.web.measures import speaker
from hksz_db.web.search import at_address
from hksz_db.web.site import given, here, pages, sent
from hksz_db.web.templating import rendered
from hksz_db.web.verdicts import verdict_of

_CLAIMS = RESOURCES["claims"]
_FIELDS = (
    "id",
    "statement",
    "language",
    "claimant",
    "claimant_as_stated",
    "topics",
    "corroboration",
    "created_at",
    "updated_at",
)
_NEWEST_FIRST = (("id", True),)
_WITHOUT_ENTRIES = "1970-01-01T00:00:00Z"
# XML has no such characters, and texts in the database have no others that XML lacks.
_NOT_IN_XML = re.compile("[\ufffe\uffff]")


class Entry(NamedTuple):
    """A claim in a feed."""

    claim: Claim
    url: str
    speaker: str
    summary: str


@pages.get("/claims.atom")
@costs(Cost.COSTLY)
def feed() -> Response:
    """The claims that meet a question as a feed, the newest first unless ``sort`` says another."""
    pairs = given(facets.PARAMETER)
    question = replace(read_list(_CLAIMS.name, pairs), fields=_FIELDS)
    question, _ = at_address(question)
    if not any(name == "sort" for name, _text in pairs):
        question = replace(question, sort=_NEWEST_FIRST)
    page = documents.page(_CLAIMS, question, names_preferred(question.lang))
    claims: list[Claim] = json.loads(page.data)
    cursor = page.meta["next_cursor"]
    root = request.host_url.rstrip("/")
    asked = [pair for pair in pairs if pair[0] != "cursor"]
    text = rendered(
        "feed.xml",
        searched=dict(pairs).get("q", ""),
        id=_url(f"{root}{request.path}", asked),
        updated=max((each["updated_at"] for each in claims), default=_WITHOUT_ENTRIES),
        own=f"{root}{here()}",
        page=_url(url_for("pages.search", _external=True), asked),
        next_page=None if cursor is None else f"{root}{here(cursor=cursor)}",
        entries=[_entry(each) for each in claims],
    )
    return sent(_NOT_IN_XML.sub("", text), media_type="application/atom+xml")


def _entry(claim: Claim) -> Entry:
    verdict = verdict_of(claim["corroboration"])
    return Entry(
        claim,
        url_for("pages.claim", id=claim["id"], _external=True),
        speaker(claim),
        f"{verdict.headline}. {' '.join(verdict.sentences)}",
    )


def _url(path: str, pairs: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(pairs)}" if pairs else path
