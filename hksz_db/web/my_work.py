"""What the reader has submitted with their key, and what has become of it."""

import json

from werkzeug import Response

from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Claim, Evidence
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import Question
from hksz_db.queries.registry import RESOURCES
from hksz_db.web import access
from hksz_db.web.interface import names_preferred
from hksz_db.web.site import pages, shown

_CLAIMS, _EVIDENCE = RESOURCES["claims"], RESOURCES["evidence"]
_REVIEWED = ("id", "status", "review_note", "reviewed_by", "reviewed_at")
_OF_CLAIM = (*_REVIEWED, "statement", "language")
_OF_PASSAGE = (*_REVIEWED, "stance", "claim", "source")
_MOST = 100


@pages.get("/my-work")
@costs(Cost.COSTLY)
def my_work() -> Response:
    """The claims and passages of the key, the newest first."""
    signed_in = access.actor()
    if signed_in is None:
        return access.ask_to_sign_in()
    # The key is stored with each passage; a claim belongs to those who gave it passages.
    claims = _listed(_CLAIMS.name, "evidence__added_by", signed_in.label, _OF_CLAIM)
    passages = _listed(_EVIDENCE.name, "added_by", signed_in.label, _OF_PASSAGE)
    drafts = [each for each in claims if each["status"] == "draft"]
    others = [each for each in claims if each["status"] != "draft"]
    return shown("my_work.html", drafts=drafts, claims=others, passages=passages, most=_MOST)


def _listed(
    resource: str, name: str, label: str, fields: tuple[str, ...]
) -> list[Claim | Evidence]:
    question = Question(
        AllOf((Criterion(name, "eq", label),)), sort=(("id", True),), fields=fields, per_page=_MOST
    )
    page = documents.page(RESOURCES[resource], question, names_preferred(None))
    found: list[Claim | Evidence] = json.loads(page.data)
    return found
