"""What readers have added with their key, what became of it, and drafts to submit again."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from flask import Response, request, url_for
from werkzeug import Response as BaseResponse

from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.queries.added_sources import MOST, sources_added_by
from hksz_db.queries.document_types import Claim, Evidence
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.merges import merged_with_passages_of
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import batches
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.web import access
from hksz_db.web.correcting import TEXT, correct_claim, fields_of, labels_of, name_of
from hksz_db.web.forms import Form, Write, new_form, sent_form, submit
from hksz_db.web.history import Change, changes_between
from hksz_db.web.interface import names_preferred
from hksz_db.web.site import answers_form_of, form_of, pages, shown
from hksz_db.web.states import counts_in_words, move_passages, states_in_words

_CLAIMS, _EVIDENCE = RESOURCES["claims"], RESOURCES["evidence"]
_REVIEWED = ("id", "version", "status", "review_note", "reviewed_by", "reviewed_at")
_OF_CLAIM = (*_REVIEWED, "statement", "language", "time", "figures", "evidence")
_OF_PASSAGE = (*_REVIEWED, "stance", "note", "claim", "source")


class _Draft(NamedTuple):
    """A claim or a passage that its author can correct and submit again, and the form for that."""

    row: Claim | Evidence
    form: Form


@pages.get("/my-work")
@costs(Cost.COSTLY)
def my_work() -> BaseResponse:
    """The sources, claims and passages of the key, the newest first."""
    return access.ask_to_sign_in() if access.actor() is None else _shown()


@form_of("pages.my_work", "/my-work/<any(claims, evidence):resource>/<uuid:id>")
@costs(Cost.COSTLY)
def submit_again(resource: str, id: UUID) -> BaseResponse:
    """Submit a draft, with what its author has corrected."""
    form = sent_form(changes_row=True)

    def work(write: Write) -> str:
        if resource == _CLAIMS.name:
            claim = correct_claim(write, id)
            if form.value("alike"):
                drafts = [UUID(each["id"]) for each in _drafts_of(claim, write.actor.label)]
                move_passages(write, drafts, status="submitted")
        else:
            changed = {"note": form.value(TEXT).strip() or None, "status": "submitted"}
            fields = load(WRITERS[resource].patch_schema(), changed)
            batches.update(write.session, resource, id, write.versions, fields, write.rules)
        return url_for("pages.my_work", done="submitted")

    def again(failed: Form) -> Response:
        answers_form_of(url_for("pages.my_work"))
        return _shown(resource, id, failed)

    return submit(form, work, again, WRITERS[resource].scope)


def _shown(resource: str = "", id: UUID | None = None, sent: Form | None = None) -> Response:
    """The page; ``sent`` is the form of the draft that could not be submitted."""
    claims: list[Claim | Evidence] = []
    passages: list[Claim | Evidence] = []
    if (signed_in := access.actor()) is not None:
        # The key is stored with each passage; a claim belongs to those who gave it passages.
        claims = _listed(_CLAIMS.name, "evidence__added_by", signed_in.label, _OF_CLAIM)
        passages = _listed(_EVIDENCE.name, "added_by", signed_in.label, _OF_PASSAGE)
    elif id:
        # What was typed is kept, with a field for the key.
        (claims if resource == _CLAIMS.name else passages).append(_one(resource, id))
    changes: list[Change] = []
    if id and sent and sent.outdated is not None and sent.version is not None:
        changes = changes_between(resource, id, sent.outdated, sent.version)
    return shown(
        "my_work.html",
        sent.status if sent else 200,
        drafts=_drafts(claims, fields_of, id, sent),
        draft_passages=_drafts(passages, lambda each: {TEXT: each["note"] or ""}, id, sent),
        sources=sources_added_by(database(), signed_in.label) if signed_in else [],
        merges=merged_with_passages_of(database(), signed_in.label) if signed_in else [],
        claims=[each for each in claims if each["status"] != "draft"],
        passages=[each for each in passages if each["status"] != "draft"],
        sent=sent,
        is_done=request.args.get("done") == "submitted",
        changes=changes,
        labels=labels_of(claims),
        name_of=name_of,
        states=states_in_words,
        counts=counts_in_words,
        known={each["id"]: each for each in claims},
        most=MOST,
    )


def _drafts_of(claim: Claim, label: str) -> list[Evidence]:
    """The passages of a claim that are drafts of a key."""
    return [
        each
        for each in claim["evidence"]
        if each["status"] == "draft" and each["added_by"] == label
    ]


def _drafts(
    rows: Sequence[Claim | Evidence],
    begin: Callable[[Any], Mapping[str, str]],
    id: UUID | None,
    sent: Form | None,
) -> list[_Draft]:
    """The drafts among the rows; their forms begin with what ``begin`` says."""
    drafts = []
    for row in rows:
        if row["status"] == "draft":
            fresh = new_form(row["version"], **begin(row), alike="yes")
            drafts.append(_Draft(row, sent if sent and row["id"] == str(id) else fresh))
    return drafts


def _one(resource: str, id: UUID) -> Claim | Evidence:
    fields = _OF_CLAIM if resource == _CLAIMS.name else _OF_PASSAGE
    found = documents.document(RESOURCES[resource], id, Reading(fields), names_preferred(None))
    row: Claim | Evidence = json.loads(found.body)
    return row


def _listed(
    resource: str, name: str, label: str, fields: tuple[str, ...]
) -> list[Claim | Evidence]:
    question = Question(
        AllOf((Criterion(name, "eq", label),)), sort=(("id", True),), fields=fields, per_page=MOST
    )
    page = documents.page(RESOURCES[resource], question, names_preferred(None))
    found: list[Claim | Evidence] = json.loads(page.data)
    return found
