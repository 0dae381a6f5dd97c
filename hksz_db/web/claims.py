"""The page of a claim."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, request, url_for

from hksz_db.domain.vocabulary import ClaimEntityRole
from hksz_db.http import documents
from hksz_db.http.costs import Cost, costs
from hksz_db.queries.document_types import Claim, ClaimEntity, Version
from hksz_db.queries.questions import PART, Question, Reading
from hksz_db.queries.registry import RESOURCES
from hksz_db.web import moments
from hksz_db.web.interface import names_preferred
from hksz_db.web.measures import measured_of, not_compared_of, speaker
from hksz_db.web.origins import OriginMap, described, origin_map
from hksz_db.web.passages import passages_of, published
from hksz_db.web.site import FormatLink, given, page_of, shown
from hksz_db.web.translating import gettext
from hksz_db.web.verdicts import verdict_of

_CLAIMS = RESOURCES["claims"]
_FIELDS = tuple(_CLAIMS.document)
_VERSIONS = 20
_MOST_PASSAGES = 40


@page_of("claims")
@costs(Cost.COSTLY)
def claim(id: UUID) -> Response:
    """A claim: what it says, who said it, and what it rests on."""
    # A browser that asked for a document may have chosen its fields; the page has all of them.
    values = PART.read(given(moments.PARAMETER, "select", "include"))
    preferred = names_preferred(values.get("lang"))
    moment = moments.read_moment(request.args.get(moments.PARAMETER))
    as_of = None if moment is None else moment.at
    found = documents.document(_CLAIMS, id, Reading(_FIELDS, as_of), preferred)
    document: Claim = json.loads(found.body)
    history = documents.versions(_CLAIMS, id, Question(per_page=_VERSIONS))
    versions: list[Version] = json.loads(history.data)
    return shown(
        "claim.html",
        claim=document,
        moment=moment,
        verdict=verdict_of(document["corroboration"]),
        map=(drawn := _map(document)),
        map_in_words="" if drawn is None else described(drawn),
        passages=passages_of(document),
        measured=measured_of(document, preferred, as_of),
        not_compared=not_compared_of(document, as_of),
        most_passages=_MOST_PASSAGES,
        capacity=_capacity(document),
        roles=_roles(document),
        published=published,
        speaker=speaker,
        versions=versions,
        has_more_versions=history.meta["next_cursor"] is not None,
        permanent=_permanent(id, document, versions),
        formats=_formats(document, as_of),
        today=datetime.now(UTC).date().isoformat(),
    )


def _map(document: Claim) -> OriginMap | None:
    stances = {each["id"]: each["stance"] for each in document["evidence"]}
    metas = {each["id"]: published(each) for each in document["sources"]}
    return origin_map(document["corroboration"]["origins"], stances, metas)


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
    path = url_for("pages.claim", id=id)
    return f"{path}?{urlencode({'as_of': made[0]})}" if made else path


def _formats(document: Claim, as_of: datetime | None) -> list[FormatLink]:
    moment = {} if as_of is None else {"as_of": as_of.isoformat()}
    sources = ",".join(each["id"] for each in document["sources"])

    def export(resource: str, form: str, **filters: str) -> str:
        return f"/v1/{resource}/export?{urlencode({'format': form, **filters, **moment})}"

    own = f"/v1/claims/{document['id']}"
    links = [
        FormatLink("JSON", f"{own}?{urlencode(moment)}" if moment else own, "application/json"),
        FormatLink("JSON-LD", export("claims", "jsonld", id=document["id"]), "application/ld+json"),
        FormatLink("CSV", export("claims", "csv", id=document["id"]), "text/csv"),
    ]
    if document["figures"]:
        label = gettext("CSV of the figures")
        links.append(
            FormatLink(label, export("figures", "csv", claim_id=document["id"]), "text/csv")
        )
    if sources:
        url = export("sources", "bibtex", id__in=sources)
        links.append(FormatLink(gettext("BibTeX of the sources"), url, "application/x-bibtex"))
    return links
