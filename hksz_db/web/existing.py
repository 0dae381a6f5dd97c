"""Claims that exist already, as somebody names them: by an id, an address, or words."""

import json
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from hksz_db.domain.errors import Gone, Merged, NotFound
from hksz_db.http import documents
from hksz_db.queries.document_types import Claim
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.interface import names_preferred

_CLAIMS = RESOURCES["claims"]
_FIELDS = ("id", "statement", "language", "claimant", "claimant_as_stated", "status")
_MOST, _MOST_LISTED, _MOST_TYPED = 4, 20, 500
_ADDRESS = re.compile(
    r"(?:.*/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[/?#].*)?", re.IGNORECASE
)


class NamedClaims(NamedTuple):
    """The claims that may be meant; ``is_exact`` if the only one is named, not found by words."""

    claims: Sequence[Claim]
    is_exact: bool


def claims_named(typed: str, id: str = "") -> NamedClaims:
    """The claim with the id or the address that was typed, or those with its words.

    ``id`` is that of a claim, which is named by its statement alone.
    """
    known = claims_with([id])
    if [in_one_line(each["statement"]) for each in known] == [typed]:
        return NamedClaims(known, is_exact=True)
    typed = typed[:_MOST_TYPED]
    if not typed:
        return NamedClaims((), is_exact=False)
    if (address := _ADDRESS.fullmatch(typed)) is not None:
        with suppress(NotFound, Gone):
            return NamedClaims([document_of(_CLAIMS, UUID(address[1]), _FIELDS)], is_exact=True)
        return NamedClaims((), is_exact=False)
    if found := _found(Criterion("external_id", "eq", typed)):
        return NamedClaims(found, is_exact=True)
    question = Question(search=typed, fields=_FIELDS, per_page=_MOST)
    return NamedClaims(_page(question), is_exact=False)


def in_one_line(statement: str) -> str:
    """The statement as a field of one line has it."""
    return " ".join(statement.split())


def claims_with(ids: Iterable[str]) -> list[Claim]:
    """The claims with these ids, in this order; without those that are gone or no ids."""
    known = list[UUID]()
    for id in dict.fromkeys(ids):
        with suppress(ValueError):
            known.append(UUID(id))
    known = known[:_MOST_LISTED]
    of_ids = {each["id"]: each for each in _found(Criterion("id", "in", known))} if known else {}
    return [of_ids[str(id)] for id in known if str(id) in of_ids]


def document_of(resource: Readable, id: UUID, fields: tuple[str, ...]) -> Any:
    """The document of a row, or of that into which it was merged.

    Raises ``NotFound`` or ``Gone``.
    """
    try:
        found = documents.document(resource, id, Reading(fields), names_preferred(None))
    except Merged as error:
        return document_of(resource, error.into_id, fields)
    return json.loads(found.body)


def _found(criterion: Criterion) -> list[Claim]:
    order = (("id", True),)
    return _page(Question(AllOf((criterion,)), sort=order, fields=_FIELDS, per_page=_MOST_LISTED))


def _page(question: Question) -> list[Claim]:
    found: list[Claim] = json.loads(documents.page(_CLAIMS, question, names_preferred(None)).data)
    return found
