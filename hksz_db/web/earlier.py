"""The passages of a source that were marked before, and those that somebody marks once more."""

import json
from uuid import UUID

from hksz_db.domain.locators import normalise
from hksz_db.domain.loose_form import LooseForm
from hksz_db.domain.vocabulary import ClaimStatus, EvidenceStatus
from hksz_db.http import documents
from hksz_db.queries.document_types import Evidence
from hksz_db.queries.filters import AllOf, Criterion
from hksz_db.queries.questions import Question
from hksz_db.queries.registry import RESOURCES
from hksz_db.web.typed import Form, number, text

_Place = tuple[int | str | None, int | str | None, str | None, str | None]
"""The position and the hash of a passage; without a position, its page."""

_MOST = 100
_FIELDS = (
    *("id", "claim", "stance", "status", "added_by"),
    *("start_char", "end_char", "exact_sha256", "page"),
)


def passages_of(source_id: str, *further: Criterion) -> list[Evidence]:
    """Passages of the source that meet the criteria, from its end; none without an id."""
    try:
        source = Criterion("source_id", "eq", UUID(source_id))
    except ValueError:
        return []
    order = (("start_char", True), ("id", True))
    question = Question(AllOf((source, *further)), sort=order, fields=_FIELDS, per_page=_MOST)
    found: list[Evidence] = json.loads(documents.page(RESOURCES["evidence"], question, None).data)
    return found


def marked_before(source_id: str, form: Form) -> list[Evidence]:
    """The stored passages that are the passage of the form.

    They are at its place, or were saved with the same words and overlap it; without a position,
    they are on its page and were saved with the same words.
    """
    start, end, *_ = place = _place(form)
    said = text(form, "statement")
    if not (isinstance(start, int) and isinstance(end, int)):
        found = passages_of(source_id, Criterion("start_char", "isnull", True))
        return [each for each in found if _place_of(each) == place and has_words(each, said)]

    def is_same(other: Evidence) -> bool:
        overlaps = (other["end_char"] or 0) > start
        return _place_of(other) == place or (overlaps and has_words(other, said))

    return [*filter(is_same, passages_of(source_id, Criterion("start_char", "lt", end)))]


def on_claim(source_id: str, form: Form, claim_id: UUID, stance: str) -> Evidence | None:
    """The passage of the form, if the claim has it with this stance."""
    on_it = (Criterion("claim_id", "eq", claim_id), Criterion("stance", "eq", stance))
    found = (each for each in passages_of(source_id, *on_it) if _place_of(each) == _place(form))
    return next(found, None)


def is_standing(passage: Evidence) -> bool:
    """Whether neither the passage nor its claim has been rejected or retracted."""
    return passage["status"] != EvidenceStatus.REJECTED and passage["claim"]["status"] not in (
        ClaimStatus.REJECTED,
        ClaimStatus.RETRACTED,
    )


def has_words(passage: Evidence, statement: str) -> bool:
    """Whether the claim on the passage is stated in these words, whatever their typography."""
    return _plain(passage["claim"]["statement"]) == _plain(statement)


def _place(form: Form) -> _Place:
    start, end = (number(text(form, f"{edge}_char")) for edge in ("start", "end"))
    page, digest = (text(form, name) or None for name in ("page", "exact_sha256"))
    return (None, None, None, page) if start == "" else (start, end, digest, None)


def _place_of(passage: Evidence) -> _Place:
    start, end = passage["start_char"], passage["end_char"]
    if start is None:
        return (None, None, None, passage["page"])
    return (start, end, passage["exact_sha256"], None)


def _plain(statement: str) -> str:
    return LooseForm(normalise(statement)).text.casefold().rstrip(".。")
