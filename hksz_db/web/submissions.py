"""What the form for adding a passage sends: the bodies that it makes, tried and written."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from flask import current_app
from werkzeug.datastructures import MultiDict

from hksz_db.database import Session, fetch_in, undone
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.domain.vocabulary import Scope
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
from hksz_db.services.review import ReviewRules
from hksz_db.web.interface import names_preferred
from hksz_db.web.search import address_or_doi
from schemas.claims import ClaimCreateSchema
from schemas.evidence import EvidenceCreateSchema
from schemas.sources import SourceCreateSchema, SourcePatchSchema

NEW = "new"
"""The value of ``claim`` for a claim of its own; another value is the id of a claim."""

_OFFSETS = {name for name in (*LOCATOR, *LOOSE_LOCATOR) if name.endswith("_char")}
_FIGURE = ("comparator", "amount", "lower_bound", "upper_bound", "unit_code")
_CAPTURE = ("retrieved_at", "archive_url", "media_type", "normalization")
_CONTRADICTING = ("contradicts", "part_exceeds_whole")
_MOST_AGAINST = 3
_SAME_NAME = 20
_MOST_TYPED = 1000
_MOST_FOUND = 8
_FOUND_FIELDS = ("id", "title", "language", "container_title", "issued", "contributors", "url")

Form = MultiDict[str, str]
Body = dict[str, object]


class Against(NamedTuple):
    """A claim that the figure contradicts, and its verdict if the passage speaks against it."""

    comparison: Comparison
    verdict: object


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


def text(form: Form, name: str) -> str:
    """The text of a field, without spaces at its ends."""
    return form.get(name, "").strip()


def rules_of(actor: Actor) -> ReviewRules:
    """What the actor may do in reviews."""
    return ReviewRules.of(actor, four_eyes=current_app.config["FOUR_EYES"])


def try_submission(session: Session, actor: Actor, form: Form, source: Source) -> Trial:
    """What ``submit`` would do. Nothing is written. Raises the errors of ``submit``."""
    with undone(session):
        _keep_capture(session, actor, form, source)
        claim_id = _chosen(form)
        if claim_id is not None:
            evidence_id = _add_evidence(session, actor, form, source, claim_id)
            return Trial(None, _consequences(session, "evidence", evidence_id), ())
        id = _create_claim(session, actor, form, source)
        claim: Claim = written(session, "claims", id)
        found = _consequences(session, "claims", id)
        against = [
            _contradicted(session, actor, form, source, comparison)
            for comparison in _contradictions(claim)
        ]
        return Trial(claim, found, against)


def look_alikes(session: Session, actor: Actor, form: Form) -> list[Alike]:
    """Claims that resemble the statement, whatever else is missing. Nothing is written."""
    said = text(form, "statement")
    body = {"statement": said, "claimant_as_stated": "?", **_given(form, "time_edtf", "language")}
    with undone(session), suppress(Invalid):
        id = batches.create(session, "claims", load(ClaimCreateSchema(), body), rules_of(actor))
        similar: list[Alike] = written(session, "claims", id)["similar"]
        return similar
    return []


def submit(session: Session, actor: Actor, form: Form, source: Source) -> UUID:
    """Write the passage, with its claim if that is new; the id of the claim.

    Raises ``Invalid``, ``Conflict`` or ``Forbidden``.
    """
    _keep_capture(session, actor, form, source)
    claim_id = _chosen(form)
    if claim_id is None:
        claim_id = _create_claim(session, actor, form, source)
    else:
        _add_evidence(session, actor, form, source, claim_id)
    for other in form.getlist("against"):
        _add_evidence(session, actor, form, source, _uuid(other), "disputes")
    return claim_id


def create_source(session: Session, actor: Actor, form: Form) -> UUID:
    """Add a source. Raises ``SimilarSources`` unless the form says that it is none of them."""
    actor.demand(Scope.SOURCES_WRITE)
    names = ("title", "csl_type", "container_title", "url", "doi", "issued_edtf")
    body: Body = _given(form, *names, language="source_language")
    faults: list[Fault] = []
    if entity := _id_of(form, "author", "entities", faults):
        role = text(form, "author_role") or "author"
        body["contributors"] = [{"entity_id": entity, "role": role}]
    if text(form, "repeats"):
        original = _source_named(text(form, "repeats"))
        if original is None:
            detail = "No source here has this address, DOI or title. Add it first."
            faults.append(Fault("not_found", detail, "#/repeats"))
        else:
            kind = text(form, "repeats_kind") or "copy_of"
            body["relations"] = [{"to_id": original["id"], "kind": kind}]
    if faults:
        raise Invalid("Some names are not known here.", faults)
    id = batches.create(session, "sources", load(SourceCreateSchema(), body), rules_of(actor))
    similar = written(session, "sources", id)["similar"]
    if similar and not form.get("is_new"):
        raise SimilarSources([each["source"] for each in similar])
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


def _chosen(form: Form) -> UUID | None:
    claim = text(form, "claim")
    return None if claim in {"", NEW} else _uuid(claim)


def _uuid(typed: str) -> UUID:
    try:
        return UUID(typed)
    except ValueError:
        raise Invalid(f"{typed[:40]} is not an id.") from None


def _create_claim(session: Session, actor: Actor, form: Form, source: Source) -> UUID:
    actor.demand(Scope.CLAIMS_WRITE)
    faults: list[Fault] = []
    body: Body = _given(form, "statement", "language", "modality", "time_edtf", "due_edtf")
    body |= _claimant(form, faults)
    figure = _figure(form, faults)
    evidence = _evidence(form, source, faults)
    if faults:
        raise Invalid("Some names are not known here.", faults)
    body["evidence"] = [evidence]
    if figure:
        body["figures"] = [figure]
    return batches.create(session, "claims", load(ClaimCreateSchema(), body), rules_of(actor))


def _claimant(form: Form, faults: list[Fault]) -> Body:
    """The claimant by id, or as stated if nobody here has exactly this name."""
    typed = text(form, "claimant") or text(form, "reports")
    if not typed:
        return {}
    found = _exactly(typed, "entities")
    if len(found) > 1:
        faults.append(Fault("not_found", _not_one(typed, found), "#/claimant"))
    return {"claimant_id": found[0]} if len(found) == 1 else {"claimant_as_stated": typed}


def _figure(form: Form, faults: list[Fault]) -> Body:
    if not text(form, "as_stated"):
        return {}
    return {
        "as_stated": text(form, "as_stated"),
        "exact": bool(form.get("exact")),
        **_given(form, *_FIGURE, "period_edtf"),
        "metric_id": _id_of(form, "metric", "metrics", faults),
        "subject_id": _id_of(form, "subject", "entities", faults),
    }


def _evidence(form: Form, source: Source, faults: list[Fault], stance: str = "") -> Body:
    body: Body = {
        "source_id": source["id"],
        "stance": stance or text(form, "stance") or "asserts",
        **_given(form, "page"),
    }
    for name in (*LOCATOR, *LOOSE_LOCATOR):
        if value := text(form, name):
            body[name] = _number(value) if name in _OFFSETS else value
    if _has_capture(form, source):
        body["capture_text_sha256"] = text(form, "text_sha256")
    if text(form, "reports"):
        body["attributed_to_id"] = _id_of(form, "reports", "entities", faults)
    return body


def _add_evidence(
    session: Session, actor: Actor, form: Form, source: Source, claim_id: UUID, stance: str = ""
) -> UUID:
    actor.demand(Scope.CLAIMS_WRITE)
    faults: list[Fault] = []
    body = {**_evidence(form, source, faults, stance), "claim_id": str(claim_id)}
    if faults:
        raise Invalid("Some names are not known here.", faults)
    fields = load(EvidenceCreateSchema(), body)
    return batches.create(session, "evidence", fields, rules_of(actor))


def _contradictions(claim: Claim) -> list[Comparison]:
    """The comparisons that contradict the claim, one for each other claim."""
    of_claims: dict[str, Comparison] = {}
    for each in claim["comparisons"]["data"]:
        if each["verdict"] in _CONTRADICTING:
            other = (
                each["other"] if each["figure"]["claim"]["id"] == claim["id"] else each["figure"]
            )
            of_claims.setdefault(other["claim"]["id"], {**each, "other": other})
    return [*of_claims.values()][:_MOST_AGAINST]


def _contradicted(
    session: Session, actor: Actor, form: Form, source: Source, comparison: Comparison
) -> Against:
    claim_id = UUID(comparison["other"]["claim"]["id"])
    evidence_id = _add_evidence(session, actor, form, source, claim_id, "disputes")
    return Against(comparison, _consequences(session, "evidence", evidence_id)["verdict"])


def _consequences(session: Session, resource: str, id: UUID) -> Consequences:
    found: Consequences = json.loads(consequences(session, resource, id))
    return found


def _has_capture(form: Form, source: Source) -> bool:
    digest = text(form, "text_sha256")
    return bool(digest) and digest in {each["text_sha256"] for each in source["captures"]}


def _keep_capture(session: Session, actor: Actor, form: Form, source: Source) -> None:
    """Add the text that was read to the captures of the source, if the actor may."""
    digest = text(form, "text_sha256")
    if not digest or _has_capture(form, source) or not actor.has(Scope.SOURCES_WRITE):
        return
    capture: Capture = {
        "retrieved_at": datetime.now(UTC).isoformat(),
        "char_length": _number(text(form, "char_length")),
        "text_sha256": digest,
    }
    known = ("char_length", "text_sha256", *_CAPTURE)
    stored: Sequence[Mapping[str, object]] = source["captures"]
    captures = [{name: each[name] for name in known} for each in stored] + [capture]
    fields = load(SourcePatchSchema(), {"captures": captures})
    batches.update(session, "sources", UUID(source["id"]), None, fields, rules_of(actor))
    source["captures"].append(capture)


def _number(typed: str) -> int | str:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else typed


def _given(form: Form, *names: str, **renamed: str) -> Body:
    fields = {**dict(zip(names, names, strict=True)), **renamed}
    return {name: typed for name, field in fields.items() if (typed := text(form, field))}


def _id_of(form: Form, name: str, resource: str, faults: list[Fault]) -> str | None:
    """The id of what a field names; adds a fault if nothing or more has this name."""
    typed = text(form, name)
    found = _exactly(typed, resource) if typed else []
    if len(found) == 1:
        return found[0]
    if typed or resource == "metrics" or name == "subject":
        detail = _not_one(typed, found)
        faults.append(Fault("not_found", detail, f"#/{name}"))
    return None


def _not_one(typed: str, found: Sequence[str]) -> str:
    if not typed:
        return "A figure needs this."
    if found:
        return f"Several are called {typed}: give the id of the one that is meant."
    return f"Nothing here is called {typed}. Choose a name from the suggestions."


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
