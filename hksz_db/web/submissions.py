"""What the form for adding a passage sends: the bodies that it makes, tried and written."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count, filterfalse
from typing import Any, NamedTuple
from unicodedata import category, combining, normalize
from uuid import UUID

from flask import current_app
from marshmallow import Schema

from hksz_db.database import Session, fetch_in, undone
from hksz_db.domain.errors import Conflict, Contended, Fault, Invalid, Stale
from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR, digest
from hksz_db.domain.stated_figures import is_exactly
from hksz_db.domain.vocabulary import ComparisonVerdict, EvidenceStatus, Scope, Stance
from hksz_db.exchange.readers.edtf_dates import from_text, valid
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.http import documents
from hksz_db.http.requests import database
from hksz_db.queries.consequences import consequences
from hksz_db.queries.document_types import (
    Alike,
    Capture,
    Claim,
    Comparison,
    Consequences,
    Source,
    Suggestion,
    Titled,
)
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.pages import document_statement
from hksz_db.queries.questions import Question
from hksz_db.queries.registry import RESOURCES
from hksz_db.queries.suggestions import suggestions
from hksz_db.services import batches
from hksz_db.services.api_keys import Actor
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import ReviewRules
from hksz_db.services.rows import lock_rows
from hksz_db.web.earlier import has_words, is_standing, marked_before, on_claim
from hksz_db.web.foreign import language_of_words
from hksz_db.web.interface import names_preferred
from hksz_db.web.search import address_or_doi
from hksz_db.web.translating import gettext
from hksz_db.web.typed import Form, number, text
from schemas.claims import ClaimCreateSchema
from schemas.entities import EntityCreateSchema
from schemas.evidence import EvidenceCreateSchema
from schemas.metrics import MetricCreateSchema
from schemas.sources import SourceCreateSchema, SourcePatchSchema

NEW = "new"
"""The value of ``claim`` for a claim of its own; another value is the id of a claim."""

_OF_PASSAGE = ("reports",)
_OF_CLAIM = (*_OF_PASSAGE, "claimant", "subject")
_OF_SOURCE = (*_OF_PASSAGE, "author", "publisher")
NAMED = (*_OF_CLAIM, *_OF_SOURCE)
"""The fields of the forms that name entities; two of them are roles of contributors."""

OF_ENTITY = ("kind", "language")
"""What is said of a new entity; the field of ``author`` for its kind is ``author_kind``."""

OF_METRIC = ("dimension", "accumulation", "measure", "holds_for", "description")
"""What is said of a new metric, in fields such as ``metric_dimension``."""

PARTS = (
    *(f"{name}_{part}" for name in NAMED for part in OF_ENTITY),
    "metric_key",
    *(f"metric_{part}" for part in OF_METRIC),
)
"""The fields of the forms that say something of what is new."""

_OFFSETS = {name for name in (*LOCATOR, *LOOSE_LOCATOR) if name.endswith("_char")}
_OF_NEW_SOURCE = (
    *("title", "csl_type", "container_title", "publisher_place", "url", "doi"),
    *("issued_edtf", "issued_note", "language", "rights"),
)
_BETWEEN_TOPICS = re.compile("[,;\u3001\uff0c\uff1b]")
_DATES = {"issued_edtf", "time_edtf", "due_edtf", "period_edtf"}
_FIGURE = ("comparator", "amount", "lower_bound", "upper_bound", "unit_code", "period_edtf")
_CAPTURE = ("retrieved_at", "archive_url", "media_type", "normalization")
_MOST_AGAINST = 3
_MOST_KEY, _HASH = 80, 8
_SAME_NAME = 20
_MOST_TYPED = 1000
_MOST_FOUND = 8
_FOUND_FIELDS = ("id", "title", "language", "container_title", "issued", "contributors", "url")

Body = dict[str, object]


class Against(NamedTuple):
    """A claim that the figure contradicts, and what follows if the passage speaks against it."""

    comparison: Comparison
    consequences: Consequences


class Trial(NamedTuple):
    """What a submission would do: the claim as it would be, and the consequences for claims.

    ``claim`` is ``None`` if the passage is evidence on a claim that exists.
    """

    claim: Claim | None
    consequences: Consequences
    against: Sequence[Against]


class SimilarSources(Exception):
    """A new source resembles others, and nobody has said that it is none of them."""

    def __init__(self, similar: Sequence[Titled]) -> None:
        super().__init__()
        self.similar = similar


def rules_of(actor: Actor) -> ReviewRules:
    """What the actor may do in reviews."""
    return ReviewRules.of(actor, four_eyes=current_app.config["FOUR_EYES"])


class Submission:
    """A form that a key submits in a transaction.

    ``names`` are the fields that may name new entities. These are made first, each once, because
    other fields can name them, too.
    """

    def __init__(self, session: Session, actor: Actor, form: Form, names: Sequence[str]) -> None:
        self.session = session
        self.actor = actor
        self.form = form
        self.rules = rules_of(actor)
        self._faults: list[Fault] = []
        self._made: dict[str, str] = {}
        self._makers: dict[str, str] = {}
        for name in names:
            if form.get(f"new_{name}") and text(form, name):
                self._make(name)

    def check(self) -> None:
        """Raise ``Invalid`` if a field names nothing, or more than one row."""
        if self._faults:
            raise Invalid("Some names are not known.", self._faults)

    def found(self, name: str, resource: str = "entities") -> list[str]:
        """The ids of the rows that a field may name."""
        typed = text(self.form, name)
        if not typed:
            return []
        if resource == "entities" and (made := self._made.get(typed.casefold())):
            return [made]
        return _exactly(typed, resource)

    def id_of(self, name: str, resource: str = "entities") -> str | None:
        """The id of the row that a field names; ``check`` fails if there is not exactly one."""
        found = self.found(name, resource)
        if len(found) != 1:
            # What keeps it from being made is said already.
            if not any((each.pointer or "").startswith(f"#/{name}") for each in self._faults):
                can_be_made = self.actor.has(WRITERS[resource].scope)
                self.blame(name, _not_one(text(self.form, name), found, can_be_made=can_be_made))
            return None
        return found[0]

    def metric_id(self) -> str | None:
        """The id of what the figure counts, which is made if the form says so; or as ``id_of``."""
        typed = text(self.form, "metric")
        if not (typed and self.form.get("new_metric")):
            return self.id_of("metric", "metrics")
        if _exactly(typed, "metrics"):
            self._blame_known("metric")
            return None
        key = text(self.form, "metric_key") or key_of_metric(typed)
        if (holder := _metric_with(key)) is not None:
            self._blame_key(key, holder)
            return None
        body: Body = {
            "key": key,
            "label": typed,
            "nonnegative": not self.form.get("metric_signed"),
            **_given(self.form, **{part: f"metric_{part}" for part in OF_METRIC}),
        }
        return self._created("metrics", MetricCreateSchema(), body, "metric")

    def blame(self, name: str, detail: str) -> None:
        """Note that a field is wrong."""
        fault = Fault("not_found", detail, f"#/{name}")
        # A claim and its evidence may take the same field.
        if fault not in self._faults:
            self._faults.append(fault)

    def create(self, resource: str, schema: Schema, body: Body) -> UUID:
        """Insert a row. Raises what ``batches.create`` raises, or ``Forbidden``."""
        self.actor.demand(WRITERS[resource].scope)
        return batches.create(self.session, resource, load(schema, body), self.rules)

    def check_with(self, schema: Schema, body: Body) -> None:
        """Raise ``Invalid`` with the faults of ``check`` and those of the body together."""
        try:
            load(schema, body)
        except Invalid as error:
            # A name that is not known has been blamed already.
            self._faults += [each for each in error.faults if each.code != "null"]
        self.check()

    def _make(self, name: str) -> None:
        typed = text(self.form, name)
        maker = self._makers.setdefault(typed.casefold(), name)
        if maker != name:
            self._check_alike(name, maker)
        elif _exactly(typed, "entities"):
            self._blame_known(name)
        else:
            given = self._said_of(name)
            named = [{"name": typed, "kind": "preferred", "language": given.pop("language", "")}]
            id = self._created("entities", EntityCreateSchema(), {**given, "names": named}, name)
            self._made |= {typed.casefold(): id} if id else {}

    def _said_of(self, name: str) -> Body:
        return _given(self.form, **{part: f"{name}_{part}" for part in OF_ENTITY})

    def _check_alike(self, name: str, maker: str) -> None:
        """Note that two fields name one new entity, and do not say the same of it."""
        given, known = self._said_of(name), self._said_of(maker)
        for part in OF_ENTITY:
            if given.get(part) != known.get(part):
                detail = gettext(
                    "%(name)s is named in two fields, but becomes one entity: choose the same in"
                    " both.",
                    name=text(self.form, name),
                )
                self.blame(f"{name}_{part}", detail)

    def _blame_known(self, name: str) -> None:
        detail = gettext(
            "%(name)s is already listed: choose it, or give the new entry another name.",
            name=text(self.form, name),
        )
        self.blame(name, detail)

    def _blame_key(self, key: str, holder: str) -> None:
        free = next(each for number in count(2) if _metric_with(each := f"{key}-{number}") is None)
        detail = gettext(
            "The key %(key)s belongs to the measure “%(label)s”. Choose that one, or give yours"
            " another key, such as %(free)s.",
            key=key,
            label=holder,
            free=free,
        )
        self.blame("metric_key", detail)

    def _created(self, resource: str, schema: Schema, body: Body, name: str) -> str | None:
        """The id of a new row that a field names; its faults are those of the field's parts."""
        try:
            return str(self.create(resource, schema, body))
        except Invalid as error:
            for each in error.faults:
                part = f"{name}_{(each.pointer or '').rpartition('/')[2]}"
                field = part if part in PARTS else name
                self._faults.append(replace(each, pointer=f"#/{field}"))
        return None


def try_submission(session: Session, actor: Actor, form: Form, source: Source) -> Trial:
    """What ``submit`` would do. Nothing is written. Raises the errors of ``submit``."""
    with undone(session):
        claim_id = chosen_claim(form)
        this = Submission(session, actor, form, _OF_PASSAGE if claim_id else _OF_CLAIM)
        _keep_capture(this, source)
        if claim_id is not None:
            evidence_id = _attach(this, source, claim_id)
            return Trial(None, _consequences(session, "evidence", evidence_id), ())
        id = _create_claim(this, source)
        claim: Claim = written(session, "claims", id)
        found = _consequences(session, "claims", id)
        against = [_contradicted(this, source, each) for each in _contradictions(claim)]
        return Trial(claim, found, against)


def look_alikes(session: Session, actor: Actor, form: Form) -> list[Alike]:
    """Claims that resemble the statement or have its figure, whatever else is missing.

    Nothing is written.
    """
    said = text(form, "statement")
    body = _given(form, "statement", "time_edtf", "language", "modality")
    body["claimant_as_stated"] = "?"
    body.setdefault("language", language_of_words(said))
    # A figure that cannot be read yet hides no claim with the same words.
    for figures in (_known_figures(form), []):
        whole = {**body, "figures": figures}
        with undone(session), suppress(Invalid):
            id = batches.create(
                session, "claims", load(ClaimCreateSchema(), whole), rules_of(actor)
            )
            similar: list[Alike] = written(session, "claims", id)["similar"]
            return similar
    return []


def _known_figures(form: Form) -> list[Body]:
    """The figure, if what it counts and its subject are known."""
    metrics, subjects = (
        _exactly(text(form, name), resource) if text(form, name) else []
        for name, resource in (("metric", "metrics"), ("subject", "entities"))
    )
    if not text(form, "as_stated") or len(metrics) != 1 or len(subjects) != 1:
        return []
    return [_figure(form, metrics[0], subjects[0])]


def submit(session: Session, actor: Actor, form: Form, source: Source) -> UUID:
    """Write the passage, with its claim if that is new; the id of the claim.

    Raises ``Invalid``, ``Conflict`` or ``Forbidden``, or ``Contended`` if the source has been
    changed since it was read.
    """
    # Of two that save the same passage at once, the second has to see what the first has saved.
    lock_rows(session, "sources", (), [UUID(source["id"])])
    claim_id = chosen_claim(form)
    this = Submission(session, actor, form, _OF_PASSAGE if claim_id else _OF_CLAIM)
    _keep_capture(this, source)
    if claim_id is None:
        claim_id = _create_claim(this, source)
    else:
        _check_figure(form)
        _attach(this, source, claim_id)
    for other in form.getlist("against"):
        _dispute(this, source, _uuid(other))
    return claim_id


def unknown_claimant(form: Form) -> str:
    """The claimant whose name is kept as text, because nothing has it; empty if there is none."""
    typed = text(form, "claimant")
    is_known = not typed or typed.casefold() in _new_names(form) or _exactly(typed, "entities")
    return "" if is_known else typed


def named_twice(form: Form) -> list[str]:
    """The names of new entities that several fields of the claim give."""
    times = Counter(text(form, name).casefold() for name in _OF_CLAIM)
    return [name for folded, name in _new_names(form).items() if times[folded] > 1]


def _new_names(form: Form) -> dict[str, str]:
    """The names of the entities that are made for the claim, by their form without case."""
    names = [text(form, name) for name in _OF_CLAIM if form.get(f"new_{name}")]
    return {name.casefold(): name for name in names if name}


def key_of_metric(label: str) -> str:
    """The key of a new metric: its label, with a hash if it has other letters or signs."""
    plain = "".join(filterfalse(combining, normalize("NFKD", label))).casefold()
    words = "-".join(re.findall("[a-z0-9]+", plain))
    has_others = any(_is_left_out(each) for each in plain)
    if words and len(words) <= _MOST_KEY and not has_others:
        return words
    return f"{words[:_MOST_KEY].rstrip('-')}-{digest(label)[:_HASH]}".lstrip("-")


def _metric_with(key: str) -> str | None:
    """The label of the metric that has a key; ``None`` if the key is free."""
    question = Question(
        AllOf((Criterion("key", "eq", key),)), fields=("label",), sort=(("id", True),), per_page=1
    )
    found = json.loads(documents.page(RESOURCES["metrics"], question, None).data)
    return found[0]["label"] if found else None


def _is_left_out(character: str) -> bool:
    """Whether the character tells names apart, and a key cannot have it."""
    is_sign = character == "%" or category(character).startswith("S")
    return is_sign or (character.isalpha() and not character.isascii())


def create_source(session: Session, actor: Actor, form: Form) -> UUID:
    """Add a source. Raises ``SimilarSources`` unless the form says that it is none of them.

    The field ``is_none_of`` has the ids of the sources to which this answer was given.
    """
    this = Submission(session, actor, form, _OF_SOURCE)
    body: Body = _given(form, *_OF_NEW_SOURCE)
    if form.get("title_supplied"):
        body["title_supplied"] = True
    body["contributors"] = [
        {"entity_id": this.id_of(role), "role": role}
        for role in ("author", "publisher")
        if text(form, role)
    ]
    if text(form, "repeats"):
        original = _source_named(text(form, "repeats"))
        if original is None:
            detail = gettext(
                "No source listed has this address, DOI or title. Add that source first."
            )
            this.blame("repeats", detail)
        else:
            kind = text(form, "repeats_kind") or "copy_of"
            body["relations"] = [{"to_id": original["id"], "kind": kind}]
    this.check_with(SourceCreateSchema(), body)
    id = this.create("sources", SourceCreateSchema(), body)
    similar = [each["source"] for each in written(session, "sources", id)["similar"]]
    if not {each["id"] for each in similar} <= {*text(form, "is_none_of").split()}:
        raise SimilarSources(similar)
    return id


def written(session: Session, resource: str, id: UUID) -> Any:
    """The document of a row as the transaction leaves it."""
    readable = RESOURCES[resource]
    rows = fetch_in(session, document_statement(resource, readable.written), {"id": id})
    _version, body = documents.content(readable, id, rows)
    return json.loads(body)


def suggested(typed: str, kinds: Sequence[str], limit: int) -> list[Suggestion]:
    """What somebody who types a name may mean."""
    found: list[Suggestion] = (
        json.loads(suggestions(database(), typed, kinds, limit)) if typed else []
    )
    return found


def with_new_entities(actor: Actor, fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a new source, which make the entities that are not here if the actor may."""
    kept = dict(fields)
    for role in ("author", "publisher"):
        if not actor.has(Scope.ENTITIES_WRITE):
            kept.pop(f"{role}_kind", None)
            kept.pop(f"{role}_language", None)
        elif role in kept and not _exactly(kept[role], "entities"):
            kept[f"new_{role}"] = "1"
    return kept


def answering(plan: Claim) -> dict[str, str]:
    """What a claim about the outcome of another has in common with it, as fields of the form."""
    subjects = [each["entity"] for each in plan["entities"] if each["role"] == "subject"]
    fields = {"topics": ", ".join(plan["topics"])}
    for figure in plan["figures"][:1]:
        fields["metric"] = _name_of(figure["metric"]["id"], figure["metric"]["label"], "metrics")
        fields["unit_code"] = figure["unit_code"]
        subjects = [figure["subject"]]
    for subject in subjects[:1]:
        fields["subject"] = _name_of(subject["id"], subject["name"], "entities")
    return fields


def _name_of(id: str, name: str, resource: str) -> str:
    """The name of a row, or its id if others have the name, too."""
    return name if _exactly(name, resource) == [id] else id


def sources_like(typed: str) -> list[Source]:
    """The sources with the address or DOI that was typed, or whose titles have its words."""
    exact = address_or_doi(typed[:_MOST_TYPED])
    if exact is None:
        question = Question(AllOf((Criterion("title", "contains", typed[:_MOST_TYPED]),)))
    else:
        question = Question(AllOf((exact,)))
    question = Question(
        question.filters, sort=(("id", True),), fields=_FOUND_FIELDS, per_page=_MOST_FOUND
    )
    page = documents.page(RESOURCES["sources"], question, names_preferred(None))
    found: list[Source] = json.loads(page.data)
    return found


def _source_named(typed: str) -> Source | None:
    found = sources_like(typed)
    return found[0] if len(found) == 1 else None


def chosen_claim(form: Form) -> UUID | None:
    """The claim to which the passage is attached; ``None`` for a new one."""
    claim = text(form, "claim")
    return None if claim in {"", NEW} else _uuid(claim)


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise Invalid(f"{typed[:40]} is not an id.") from None


def _create_claim(this: Submission, source: Source) -> UUID:
    form = this.form
    _check_words(form, source)
    body: Body = _given(form, "statement", "language", "modality", "time_edtf", "due_edtf")
    body.setdefault("language", language_of_words(text(form, "statement"), source["language"]))
    body |= _claimant(this)
    topics = [each.strip() for each in _BETWEEN_TOPICS.split(text(form, "topics"))]
    if topics := [*filter(None, topics)]:
        body["topics"] = topics
    # A figure needs a subject, and names it if it is missing.
    subject = this.id_of("subject") if text(form, "subject") or text(form, "as_stated") else None
    if subject:
        body["entities"] = [{"entity_id": subject, "role": "subject"}]
    if text(form, "as_stated"):
        body["figures"] = [_figure(form, this.metric_id(), subject)]
    elif form.get("new_metric") and text(form, "metric"):
        this.blame(
            "as_stated", gettext("A new measure needs a figure. Enter it as the source states it.")
        )
    body["evidence"] = [_evidence(this, source)]
    this.check_with(ClaimCreateSchema(), body)
    return this.create("claims", ClaimCreateSchema(), body)


def _figure(form: Form, metric: str | None, subject: str | None) -> Body:
    return {
        "as_stated": text(form, "as_stated"),
        "exact": is_exact(form),
        **_given(form, *_FIGURE),
        "metric_id": metric,
        "subject_id": subject,
    }


def is_exact(form: Form) -> bool:
    """Whether the figure is exactly its number, as the form or the words before it say."""
    return bool(form.get("exact")) or is_exactly(text(form, "as_stated"), text(form, "statement"))


def _claimant(this: Submission) -> Body:
    """The claimant by id, or as stated if nobody here has exactly this name."""
    name = "claimant" if text(this.form, "claimant") else "reports"
    found = this.found(name)
    if len(found) > 1:
        this.blame(name, _not_one(text(this.form, name), found))
    typed = text(this.form, name)
    if not typed:
        return {}
    return {"claimant_id": found[0]} if len(found) == 1 else {"claimant_as_stated": typed}


def _check_figure(form: Form) -> None:
    """Raise ``Invalid`` if there is a figure, and nobody has been told that it is not saved."""
    if text(form, "as_stated") and not form.get("without_figure"):
        detail = gettext(
            "A passage that is attached to a claim adds no figure to it. Save again to attach the"
            " passage only, or choose a new claim."
        )
        raise Invalid("The figure would not be saved.", [Fault("unused", detail, "#/as_stated")])


def _check_words(form: Form, source: Source) -> None:
    """Raise ``Conflict`` if the passage was saved with these words, unless the form permits it."""
    said = text(form, "statement")
    known = any(
        has_words(each, said) and is_standing(each) for each in marked_before(source["id"], form)
    )
    if known and not form.get("is_another"):
        detail = gettext(
            "This passage has already been saved with these words. Go to its claim, write something"
            " else, or tick that it is another claim."
        )
        raise Conflict(
            gettext("It has already been saved."), [Fault("known", detail, "#/is_another")]
        )


def _stance(form: Form) -> str:
    return text(form, "stance") or "asserts"


def _evidence(this: Submission, source: Source, stance: str = "") -> Body:
    form = this.form
    body: Body = {
        "source_id": source["id"],
        "stance": stance or _stance(form),
        **_given(form, "page", "note"),
    }
    for name in (*LOCATOR, *LOOSE_LOCATOR):
        if value := text(form, name):
            body[name] = number(value) if name in _OFFSETS else value
    if _has_capture(form, source):
        body["capture_text_sha256"] = text(form, "text_sha256")
    if text(form, "reports"):
        body["attributed_to_id"] = this.id_of("reports")
    return body


def _add_evidence(this: Submission, source: Source, claim_id: UUID, stance: str = "") -> UUID:
    body = {**_evidence(this, source, stance), "claim_id": str(claim_id)}
    this.check()
    return this.create("evidence", EvidenceCreateSchema(), body)


def _attach(this: Submission, source: Source, claim_id: UUID) -> UUID:
    """Add the passage to a claim.

    Raises ``Conflict`` if it has the passage already, or one that cannot be told from it.
    """
    if on_claim(source["id"], this.form, claim_id, _stance(this.form)):
        if not text(this.form, "start_char"):
            raise _indistinct(this.form)
        detail = gettext("The claim already has this passage. Choose another claim or a new one.")
        raise Conflict(gettext("It has already been saved."), [Fault("known", detail)])
    return _add_evidence(this, source, claim_id)


def _indistinct(form: Form) -> Conflict:
    """Two passages of a page can be told apart by their positions only."""
    if text(form, "page"):
        detail = gettext(
            "The claim has a passage of this page, and positions alone tell passages of a page"
            " apart. If yours is another one, mark it in the text, or add to the page where it is,"
            " such as “%(page)s, second paragraph”.",
            page=text(form, "page"),
        )
    else:
        detail = gettext(
            "The claim has a passage of this source without a position or a page. If yours is"
            " another one, mark it in the text, or enter its page."
        )
    return Conflict(
        gettext("It cannot be told from a passage that is saved already."),
        [Fault("known", detail, "#/page")],
    )


def _disputing(this: Submission, source: Source, claim_id: UUID) -> tuple[UUID, str]:
    """The passage as evidence against a claim, with its status; added if it is not stored yet."""
    known = on_claim(source["id"], this.form, claim_id, Stance.DISPUTES)
    if known is not None:
        return UUID(known["id"]), known["status"]
    return _add_evidence(this, source, claim_id, Stance.DISPUTES), EvidenceStatus.SUBMITTED


def _dispute(this: Submission, source: Source, claim_id: UUID) -> None:
    """Record the passage as evidence against a claim. Raises ``Conflict`` if it was rejected."""
    _id, status = _disputing(this, source, claim_id)
    if status == EvidenceStatus.REJECTED:
        detail = gettext(
            "A reviewer has rejected this passage as evidence against the claim. Untick the box, or"
            " mark another passage."
        )
        raise Conflict(gettext("It has already been reviewed."), [Fault("rejected", detail)])


def _contradictions(claim: Claim) -> list[Comparison]:
    """The comparisons that contradict the claim, one for each other claim."""
    of_claims: dict[str, Comparison] = {}
    for each in claim["comparisons"]["data"]:
        if each["verdict"] == ComparisonVerdict.CONTRADICTS:
            other = (
                each["other"] if each["figure"]["claim"]["id"] == claim["id"] else each["figure"]
            )
            of_claims.setdefault(other["claim"]["id"], {**each, "other": other})
    return [*of_claims.values()][:_MOST_AGAINST]


def _contradicted(this: Submission, source: Source, comparison: Comparison) -> Against:
    claim_id = UUID(comparison["other"]["claim"]["id"])
    evidence_id, _status = _disputing(this, source, claim_id)
    return Against(comparison, _consequences(this.session, "evidence", evidence_id))


def _consequences(session: Session, resource: str, id: UUID) -> Consequences:
    found: Consequences = json.loads(consequences(session, resource, id))
    return found


def _has_capture(form: Form, source: Source) -> bool:
    digest = text(form, "text_sha256")
    return bool(digest) and digest in {each["text_sha256"] for each in source["captures"]}


def _keep_capture(this: Submission, source: Source) -> None:
    """Add the text that was read to the captures of the source, if the actor may.

    Raises ``Contended`` if they have changed since the source was read: read it again.
    """
    form = this.form
    digest = text(form, "text_sha256")
    if not digest or _has_capture(form, source) or not this.actor.has(Scope.SOURCES_WRITE):
        return
    capture: Capture = {
        "retrieved_at": datetime.now(UTC).isoformat(),
        "char_length": number(text(form, "char_length")),
        "text_sha256": digest,
    }
    known = ("char_length", "text_sha256", *_CAPTURE)
    stored: Sequence[Mapping[str, object]] = source["captures"]
    captures = [{name: each[name] for name in known} for each in stored] + [capture]
    fields = load(SourcePatchSchema(), {"captures": captures})
    id, versions = UUID(source["id"]), [source["version"]]
    try:
        batches.update(this.session, "sources", id, versions, fields, this.rules)
    except Stale as error:
        raise Contended(
            gettext("Somebody has just changed the source. Send the form again.")
        ) from error
    source["captures"].append(capture)


def _given(form: Form, *names: str, **renamed: str) -> Body:
    fields = {**dict(zip(names, names, strict=True)), **renamed}
    given: Body = {name: typed for name, field in fields.items() if (typed := text(form, field))}
    if (language := given.get("language")) is not None:
        # People type the name of a language rather than its tag.
        given["language"] = language_tag(str(language)) or language
    for name in given.keys() & _DATES:
        given[name] = as_edtf(str(given[name]))
    return given


def as_edtf(typed: str) -> str:
    """The date that was typed, in EDTF if it was printed as pages and sources print it."""
    return valid(typed) or from_text(typed) or typed


def _not_one(typed: str, found: Sequence[str], *, can_be_made: bool = False) -> str:
    if not typed:
        return gettext("A figure needs this field.")
    if found:
        return gettext(
            "Several entries are called %(name)s: give the id of the one you mean.", name=typed
        )
    if can_be_made:
        return gettext(
            "No entry is called %(name)s. Choose one of the suggestions, or tick that a new one is"
            " created.",
            name=typed,
        )
    return gettext("No entry is called %(name)s. Choose one of the suggestions.", name=typed)


def _exactly(typed: str, resource: str) -> list[str]:
    """The ids of the rows that have the name, the key or the id that was typed."""
    with suppress(ValueError):
        return [str(UUID(typed))]
    return [*_named(typed, suggested(typed, [resource], _SAME_NAME))]


def _named(typed: str, found: Sequence[Suggestion]) -> Iterator[str]:
    folded = typed.casefold()
    for each in found:
        names = {each["name"], each["value"], each["matched"]["name"]}
        if folded in {name.casefold() for name in names}:
            yield each["id"]
