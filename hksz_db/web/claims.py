"""The page of a claim."""

from collections.abc import Sequence
from urllib.parse import urlencode
from uuid import UUID

from flask import Response

from hksz_db.domain.vocabulary import ClaimEntityRole, EvidenceStatus, Scope
from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Claim, ClaimEntity, Version
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.access import actor
from hksz_db.web.citing import published
from hksz_db.web.measures import measured_of, not_compared_of, spoken_speaker
from hksz_db.web.origins import OriginMap, described, origin_map
from hksz_db.web.passages import Passage, passages_of
from hksz_db.web.reading import Asked, asked, document_link, export_link, history_of, today
from hksz_db.web.review import undoable_merges
from hksz_db.web.site import FormatLink, href, page_of, shown
from hksz_db.web.states import states_in_words
from hksz_db.web.translating import gettext
from hksz_db.web.verdicts import verdict_of

_CLAIMS = RESOURCES["claims"]
_MOST_PASSAGES = 40


@page_of("claims")
@costs(Cost.COSTLY)
def claim(id: UUID) -> Response:
    """A claim: what it says, who said it, and what it rests on."""
    question = asked()
    document: Claim = question.document(_CLAIMS, id)
    signed_in = actor()
    history, passages = history_of(_CLAIMS, id), passages_of(document)
    return shown(
        "claim.html",
        claim=document,
        moment=question.moment,
        own=[
            each
            for each in document["evidence"]
            if signed_in is not None and each["added_by"] == signed_in.label
        ],
        can_add=question.moment is None
        and (signed_in is None or signed_in.has(Scope.CLAIMS_WRITE)),
        states=states_in_words(document, document["evidence"]),
        verdict=verdict_of(document["corroboration"]),
        map=(drawn := _map(document)),
        map_in_words="" if drawn is None else described(drawn),
        passages=[each for each in passages if not _is_rejected(each)],
        rejected=[each for each in passages if _is_rejected(each)],
        measured=measured_of(document, question.preferred, question.as_of),
        not_compared=not_compared_of(document, question.as_of),
        most_passages=_MOST_PASSAGES,
        capacity=_capacity(document),
        roles=_roles(document),
        published=published,
        speaker=spoken_speaker,
        languages=question.languages("claims", _summarised(document)),
        history=history,
        # A merge into a claim changes its version.
        merges=[] if question.moment or document["version"] == 1 else undoable_merges(id),
        permanent=_permanent(id, document, history.versions),
        formats=_formats(id, document, question),
        today=today(),
    )


def _is_rejected(passage: Passage) -> bool:
    return passage.evidence["status"] == EvidenceStatus.REJECTED


def _summarised(document: Claim) -> list[str]:
    """The claims of which the page shows the statement, and the document a summary."""
    return [
        *(each["claim"]["id"] for each in document["contested_by"]["data"]),
        *(each["claim"]["id"] for each in document["similar"]),
        *(each["to"]["id"] for each in document["relations"]),
    ]


def _map(document: Claim) -> OriginMap | None:
    stances = {each["id"]: each["stance"] for each in document["evidence"]}
    sources = {each["id"]: each for each in document["sources"]}
    return origin_map(document["corroboration"]["origins"], stances, sources)


def _roles(document: Claim) -> list[tuple[str, list[ClaimEntity]]]:
    """The entities that the claim is about, by their role."""
    linked = document["entities"]
    of_role = (
        (role, [each for each in linked if each["role"] == role]) for role in ClaimEntityRole
    )
    return [(role, links) for role, links in of_role if links]


def _capacity(document: Claim) -> str:
    """The capacity in which a source of the claim credits the claimant."""
    claimant = document["claimant"]
    found = (
        each["credited_as"]
        for source in document["sources"]
        for each in source["contributors"]
        if claimant and each["entity"]["id"] == claimant["id"] and each["credited_as"]
    )
    return next(found, "")


def _permanent(id: UUID, document: Claim, versions: Sequence[Version]) -> str:
    """The URL of the page as it was when the version that is shown was made."""
    made = [each["at"] for each in versions if each["version"] == document["version"]]
    path = href("claims", id)
    return f"{path}?{urlencode({'as_of': made[0]})}" if made else path


def _formats(id: UUID, document: Claim, question: Asked) -> list[FormatLink]:
    links = [
        document_link("claims", id, question),
        export_link("JSON-LD", "claims", "jsonld", "application/ld+json", question, id=str(id)),
        export_link("CSV", "claims", "csv", "text/csv", question, id=str(id)),
    ]
    if document["figures"]:
        label = gettext("CSV of the figures")
        links.append(export_link(label, "figures", "csv", "text/csv", question, claim_id=str(id)))
    if sources := ",".join(each["id"] for each in document["sources"]):
        label, bibtex = gettext("BibTeX of the sources"), "application/x-bibtex"
        links.append(export_link(label, "sources", "bibtex", bibtex, question, id__in=sources))
    return links
