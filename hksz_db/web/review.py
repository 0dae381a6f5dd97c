"""The queue of reviews, and what a reviewer decides about each entry."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask import Response, abort, current_app, redirect, request, url_for
from werkzeug import Response as BaseResponse

from hksz_db.database import Session
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.languages import Preference
from hksz_db.domain.vocabulary import ComparisonVerdict, Scope
from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.http.languages import localized
from hksz_db.http.requests import database
from hksz_db.queries.document_types import Claim, Evidence, ReviewEntry
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.merges import MergedClaim, merge_of, merged_into
from hksz_db.queries.questions import Question, Reading, read_list
from hksz_db.queries.registry import RESOURCES
from hksz_db.queries.review import read_queue
from hksz_db.services import batches, merging
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import ReviewRules, writers_since_accepted
from hksz_db.services.warnings import of_stored
from hksz_db.services.writing import writing
from hksz_db.web import access
from hksz_db.web.forms import Form, Write, chosen_id, new_form, require, sent_form, submit
from hksz_db.web.history import Change, changes_between
from hksz_db.web.interface import names_preferred
from hksz_db.web.measures import Measured, measured_of, spoken_speaker
from hksz_db.web.reading import history_of
from hksz_db.web.site import answers_form_of, form_of, pages, shown
from hksz_db.web.states import move_passages, states_in_words
from hksz_db.web.submissions import rules_of, written
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from schemas.review import ReviewEntrySchema

_CLAIMS, _EVIDENCE = RESOURCES["claims"], RESOURCES["evidence"]
_MERGING = (WRITERS[_CLAIMS.name].scope, Scope.REVIEW)
_MOST = 100
_MOST_DUE = 50
# What follows from other fields, and that the row has been submitted.
_FOLLOWING = {"status", "corroboration", "contested_by", "comparisons", "similar", "sources"}
TABS = {
    "claims": _("Claims"),
    "passages": _("Passages"),
    "duplicates": _("Likely duplicates"),
    "due": _("Due"),
}
DECISIONS = {
    "accept": _("Accepted."),
    "change": _("Changed."),
    "send_back": _("Sent back to its author."),
    "reject": _("Rejected."),
    "unsure": _("Left for another reviewer."),
    "merge": _("Merged."),
}
"""What can be decided, and what the next page says about it."""


class Item(NamedTuple):
    """An entry of the queue as a row of the list."""

    id: str
    entry: ReviewEntry
    claim: Claim
    speaker: str
    url: str


class Tab(NamedTuple):
    """A part of the queue, with its number of entries."""

    name: str
    label: str
    number: str
    url: str


class Undoable(NamedTuple):
    """A merge that is not undone, and the form to undo it; ``None`` if the reader may not."""

    merge: MergedClaim
    form: Form | None


class Reviewed(NamedTuple):
    """The last review of a row that has been submitted again, and what has changed since.

    ``version`` is the one that the review left; ``None`` if it is too long ago.
    """

    note: str | None
    by: str | None
    at: str
    version: int | None
    changes: Sequence[Change]


class Selected(NamedTuple):
    """The row that is reviewed, with what a reviewer has to know of it.

    ``authors`` are the keys that have written it since it was last accepted. ``is_own`` is whether
    that forbids the reader to accept it. ``states`` is said if it is in another state than its
    claim or its passages. ``waiting`` are the passages of a claim that the reader can decide with
    it, and ``own`` is the number of those that are theirs. ``is_too_large`` is whether a figure of
    the claim, or one that it is compared with, is a part that exceeds its whole.
    ``reviewed`` is the last review, if there was one.
    """

    resource: str
    row: Claim | Evidence
    claim: Claim
    entry: ReviewEntry | None
    measured: Sequence[Measured]
    doubts: Sequence[Fault]
    authors: Collection[str]
    is_own: bool
    states: str
    waiting: Sequence[UUID]
    own: int
    is_too_large: bool
    reviewed: Reviewed | None


@pages.get("/review")
@costs(Cost.COSTLY)
def review() -> BaseResponse:
    """The queue, and the entry that is chosen or the first one."""
    if (refused := access.demand(Scope.REVIEW)) is not None:
        return refused
    return _shown(_tab(request.args.get("tab")), request.args.get("item"), None)


@pages.get("/review/<any(claims, evidence, merge):where>/<uuid:id>")
@costs(Cost.BOUNDED)
def entry(where: str, id: UUID) -> BaseResponse:
    """Lead to an entry of the queue, also from the address of a decision that failed."""
    tabs = {"claims": "claims", "evidence": "passages", "merge": "duplicates"}
    return redirect(url_for("pages.review", tab=tabs[where], item=id), 303)


@pages.post("/review/<any(claims, evidence):resource>/<uuid:id>")
@costs(Cost.COSTLY)
def decide(resource: str, id: UUID) -> BaseResponse:
    """Carry out what a reviewer has decided, and show the next entry."""
    form = sent_form(changes_row=True)
    tab = _tab(form.value("tab"))
    if form.value("decision") == "unsure":
        return redirect(_next(form, "unsure"), 303)

    def work(write: Write) -> str:
        decision = require(form, "decision", gettext("Choose a decision."))
        schema = WRITERS[resource].patch_schema()
        fields = _fields_of(resource, decision, form)
        changed = load(schema, fields)
        batches.update(write.session, resource, id, write.versions, changed, write.rules)
        if resource == _CLAIMS.name:
            _decide_alike(write, id, fields)
        return _next(form, decision)

    return submit(form, work, _again(tab, str(id)), WRITERS[resource].scope, Scope.REVIEW)


@pages.post("/review/merge/<uuid:id>")
@costs(Cost.COSTLY)
def merge_duplicate(id: UUID) -> Response:
    """Merge a claim into the one that it is likely the same as; accept it first if need be."""
    form = sent_form(changes_row=True)

    def work(write: Write) -> str:
        require(form, "confirmed", gettext("Confirm that both say the same thing."))
        versions = write.versions
        if form.value("accept"):
            fields = {"status": "accepted"}
            batches.update(write.session, _CLAIMS.name, id, versions, fields, write.rules)
            _decide_alike(write, id, fields)
            versions = None
        into = {"into_id": chosen_id(form, "into_id")}
        merging.merge(write.session, _CLAIMS.name, id, versions, into)
        return _next(form, "merge", merged=id)

    again = _again("duplicates", str(id))
    return submit(form, work, again, *_MERGING)


@form_of("pages.review", "/review/merge/<uuid:id>/undo")
@costs(Cost.COSTLY)
def undo_merge(id: UUID) -> Response:
    """Undo the merge of a claim, and show the claim."""
    form = sent_form(changes_row=True)

    def work(write: Write) -> str:
        merging.undo(write.session, _CLAIMS.name, id, write.versions)
        return url_for("pages.claim", id=id)

    def again(failed: Form) -> Response:
        answers_form_of(url_for("pages.claim", id=id))
        merge = Undoable(standing, failed) if (standing := merge_of(database(), id)) else None
        return shown("undo_merge.html", failed.status, id=id, form=failed, merge=merge)

    return submit(form, work, again, *_MERGING)


def undoable_merges(id: UUID) -> list[Undoable]:
    """The merges into a claim, with a form to undo each if the reader may."""
    return [_undoable(each) for each in merged_into(database(), id)]


def _undoable(merge: MergedClaim) -> Undoable:
    signed_in = access.actor()
    may_undo = signed_in is not None and all(map(signed_in.has, _MERGING))
    return Undoable(merge, new_form(merge["version"]) if may_undo else None)


def _decide_alike(write: Write, id: UUID, fields: Mapping[str, str]) -> None:
    """Decide on the passages of a claim that wait as on the claim, if the form says so."""
    if not (write.form.value("alike") and "status" in fields):
        return
    # Nobody has changed them since: that would have changed the version of the claim.
    claim: Claim = written(write.session, _CLAIMS.name, id)
    waiting, _own = _waiting(write.session, claim, write.rules)
    alike = {each: fields[each] for each in ("status", "review_note") if each in fields}
    move_passages(write, waiting, **alike)


def _again(tab: str, item: str) -> Callable[[Form], Response]:
    def again(form: Form) -> Response:
        answers_form_of(url_for("pages.review", tab=tab, item=item))
        return _shown(tab, item, form)

    return again


def _fields_of(resource: str, decision: str, form: Form) -> dict[str, str]:
    """The change of the row that a decision makes. Raises ``Invalid`` if its note is missing."""
    note = form.value("review_note").strip()
    noted = {"review_note": note} if note else {}
    changed = "statement" if resource == _CLAIMS.name else "stance"
    match decision:
        case "accept":
            return {"status": "accepted", **noted}
        case "change" if current_app.config["FOUR_EYES"]:
            # A key that has changed a row cannot accept it: that is left to another one.
            return {changed: form.value(changed)}
        case "change":
            return {changed: form.value(changed), "status": "accepted", **_note(form)}
        case "send_back":
            return {"status": "draft", **_note(form)}
        case "reject":
            return {"status": "rejected", **_note(form)}
    raise Invalid(
        "A field is missing.",
        [Fault("invalid", gettext("Choose a decision."), "#/decision")],
    )


def _note(form: Form) -> dict[str, str]:
    message = gettext("Write a note to the author: why is it not accepted as it is?")
    return {"review_note": require(form, "review_note", message)}


def _next(form: Form, decision: str, merged: UUID | None = None) -> str:
    following = form.value("following") or None
    tab = _tab(form.value("tab"))
    done = decision if decision in DECISIONS else None
    return url_for("pages.review", tab=tab, item=following, done=done, merged=merged)


def _tab(name: str | None) -> str:
    return name if name in TABS else "claims"


def _shown(tab: str, wanted: str | None, form: Form | None) -> Response:
    preferred = names_preferred(None)
    page = read_queue(database(), _MOST, None)
    body = localized(b"[%b]" % page.items, ReviewEntrySchema, None, preferred, None).body
    entries: list[ReviewEntry] = json.loads(body)
    of_tab = _by_tab(entries)
    due = _due(preferred)
    more = "+" if page.keys is not None else ""
    tabs = [
        Tab(
            name,
            gettext(label),
            f"{len(of_tab[name])}{more}" if name in of_tab else str(due.number),
            url_for("pages.review", tab=name),
        )
        for name, label in TABS.items()
    ]
    items = _items(tab, of_tab.get(tab, ()), preferred)
    chosen = wanted
    if form is None and wanted not in {each.id for each in items}:
        # It has been reviewed meanwhile.
        chosen = items[0].id if items else None
    selected = _selected(chosen, tab, items, preferred) if chosen and tab != "due" else None
    changes: list[Change] = []
    if selected is not None and form is not None and form.outdated is not None and form.version:
        id = UUID(selected.row["id"])
        changes = changes_between(selected.resource, id, form.outdated, form.version)
    if form is None and selected is not None:
        form = new_form(
            selected.row["version"],
            statement=selected.claim["statement"],
            stance=str(selected.row.get("stance", "")),
            alike="yes",
        )
    return shown(
        "review.html",
        form.status if form else 200,
        tab=tab,
        tabs=tabs,
        items=items,
        due=due.claims,
        selected=selected,
        form=form,
        changes=changes,
        following=_following(items, chosen),
        done=DECISIONS.get(request.args.get("done", "")),
        lacking=_lacking(),
        merged=_merged(request.args.get("merged")),
        four_eyes=current_app.config["FOUR_EYES"],
        speaker=spoken_speaker,
    )


def _lacking() -> Scope | None:
    """The scope without which the reader's key can read the queue, but decide nothing."""
    signed_in, needed = access.actor(), WRITERS[_CLAIMS.name].scope
    return None if signed_in is None or signed_in.has(needed) else needed


def _merged(id: str | None) -> Undoable | None:
    """The merge of the claim with this id, which the reader has just merged."""
    try:
        merge = merge_of(database(), UUID(id)) if id else None
    except ValueError:
        abort(404)
    return None if merge is None else _undoable(merge)


def _by_tab(entries: Sequence[ReviewEntry]) -> dict[str, list[ReviewEntry]]:
    claims = [each for each in entries if each["kind"] == "claim"]
    return {
        "claims": claims,
        "passages": [each for each in entries if each["kind"] == "evidence"],
        "duplicates": [each for each in claims if each["effect"]["duplicates"]],
    }


class _Due(NamedTuple):
    claims: Sequence[Claim]
    number: int


def _due(preferred: Preference | None) -> _Due:
    """Plans whose last day has passed, the most overdue first."""
    today = datetime.now(UTC).date().isoformat()
    given = (("modality", "planned"), ("status", "accepted"), ("due__lt", today), ("sort", "due"))
    question = read_list(_CLAIMS.name, [*given, ("per_page", str(_MOST_DUE)), ("count", "exact")])
    page = documents.page(_CLAIMS, question, preferred)
    return _Due(json.loads(page.data), page.meta["count"]["value"])


def _items(tab: str, entries: Sequence[ReviewEntry], preferred: Preference | None) -> list[Item]:
    ids = {UUID(each["claim"]["id"]) for each in entries}
    if not ids:
        return []
    fields = ("id", "language", "claimant", "claimant_as_stated", "modality")
    question = Question(
        AllOf((Criterion("id", "in", sorted(ids)),)),
        sort=(("id", False),),
        fields=fields,
        per_page=_MOST,
    )
    read: list[Claim] = json.loads(documents.page(_CLAIMS, question, preferred).data)
    claims = {each["id"]: each for each in read}
    items = []
    for entry in entries:
        # The claim may have been deleted since the queue was read.
        if (claim := claims.get(entry["claim"]["id"])) is not None:
            id = (entry["evidence"] or entry["claim"])["id"]
            url = url_for("pages.review", tab=tab, item=id)
            items.append(Item(id, entry, claim, spoken_speaker(claim), url))
    return items


def _following(items: Sequence[Item], chosen: str | None) -> str:
    ids = [each.id for each in items]
    place = ids.index(chosen) + 1 if chosen in ids else len(ids)
    return ids[place] if place < len(ids) else next((each for each in ids if each != chosen), "")


def _selected(
    chosen: str, tab: str, items: Sequence[Item], preferred: Preference | None
) -> Selected:
    try:
        id = UUID(chosen)
    except ValueError:
        abort(404)
    row: Claim | Evidence
    claim: Claim
    if tab == "passages":
        passage: Evidence = _read(_EVIDENCE.name, id, preferred)
        resource, row = _EVIDENCE.name, passage
        claim = _read(_CLAIMS.name, UUID(passage["claim"]["id"]), preferred)
    else:
        resource = _CLAIMS.name
        row = claim = _read(resource, id, preferred)
    signed_in = access.actor()
    assert signed_in is not None or request.method == "POST"
    rules = None if signed_in is None else rules_of(signed_in)
    with writing(database()) as session:
        authors = writers_since_accepted(session, resource, [id]).get(id, ())
        doubts = of_stored(session, resource, [id]).get(id, [])
        waiting, own = _waiting(session, claim, rules) if row is claim else ([], 0)
    is_own = rules is not None and rules.is_barred(authors)
    passages = claim["evidence"] if row is claim else [passage]
    states = states_in_words(claim, passages)
    entry = next((each.entry for each in items if each.id == chosen), None)
    measured = measured_of(claim, preferred, None) if resource == _CLAIMS.name else ()
    return Selected(
        resource=resource,
        row=row,
        claim=claim,
        entry=entry,
        measured=measured,
        doubts=doubts,
        authors=authors,
        is_own=is_own,
        states=states,
        waiting=waiting,
        own=own,
        is_too_large=any(
            comparison["verdict"] == ComparisonVerdict.PART_EXCEEDS_WHOLE
            for each in measured
            for comparison in each.comparisons
        ),
        reviewed=_reviewed(resource, row) if tab != "duplicates" else None,
    )


def _reviewed(resource: str, row: Claim | Evidence) -> Reviewed | None:
    """The last review of a row that waits for another one."""
    if row["status"] != "submitted" or (at := row["reviewed_at"]) is None:
        return None
    id = UUID(row["id"])
    versions = history_of(RESOURCES[resource], id).versions
    left = next((each["version"] for each in versions if "reviewed_at" in each["changed"]), None)
    changes = changes_between(resource, id, left, row["version"], _FOLLOWING) if left else []
    return Reviewed(row["review_note"], row["reviewed_by"], at, left, changes)


def _waiting(session: Session, claim: Claim, rules: ReviewRules | None) -> tuple[list[UUID], int]:
    """The passages of a claim that wait for a review, and how many more are the reviewer's own."""
    ids = [UUID(each["id"]) for each in claim["evidence"] if each["status"] == "submitted"]
    authors = writers_since_accepted(session, _EVIDENCE.name, ids) if rules else {}
    allowed = [id for id in ids if not (rules and rules.is_barred(authors.get(id, ())))]
    return allowed, len(ids) - len(allowed)


def _read(resource: str, id: UUID, preferred: Preference | None) -> Any:
    readable = RESOURCES[resource]
    found = documents.document(readable, id, Reading(tuple(readable.document)), preferred)
    return json.loads(found.body)
