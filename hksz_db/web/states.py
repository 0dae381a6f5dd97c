"""The states of a claim and of its passages: said where they differ, and changed together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from hksz_db.domain.vocabulary import ClaimStatus, EvidenceStatus
from hksz_db.queries.document_types import Evidence
from hksz_db.services import batches
from hksz_db.services.loading import load
from hksz_db.web.forms import Write
from hksz_db.web.terms import is_sent_back
from hksz_db.web.translating import gettext, ngettext
from hksz_db.web.translating import marked as _
from hksz_db.web.wording import joined
from schemas.evidence import EvidencePatchSchema

_SENT_BACK = "sent_back"
_CLAIM: Mapping[str, str] = {
    _SENT_BACK: _("The claim was sent back."),
    ClaimStatus.DRAFT: _("The claim is a draft."),
    ClaimStatus.SUBMITTED: _("The claim is waiting for review."),
    ClaimStatus.ACCEPTED: _("The claim is accepted."),
    ClaimStatus.REJECTED: _("The claim is rejected."),
    ClaimStatus.RETRACTED: _("The claim is retracted."),
}
# A passage cannot be retracted: one that was accepted stays so.
_ALIKE: Mapping[str, str] = {ClaimStatus.RETRACTED: EvidenceStatus.ACCEPTED}


def states_in_words(claim: Mapping[str, object], passages: Iterable[Evidence]) -> str:
    """The state of a claim and of its passages in other states; empty if there are none."""
    own = _state(claim)
    states = Counter(_state(each) for each in passages)
    states.pop(_ALIKE.get(own, own), None)
    if not states:
        return ""
    return joined([gettext(_CLAIM[own]), counts_in_words(states)])


def counts_in_words(states: Mapping[str, int]) -> str:
    """How many passages are in each state; empty if there are none."""
    return joined([_passages(state, states[state]) for state in sorted(states)])


def _state(row: Mapping[str, object]) -> str:
    return _SENT_BACK if is_sent_back(row) else str(row["status"])


def _passages(state: str, number: int) -> str:
    match state:
        case "sent_back":
            return ngettext(
                "%(num)s passage was sent back.", "%(num)s passages were sent back.", number
            )
        case EvidenceStatus.DRAFT:
            return ngettext("%(num)s passage is a draft.", "%(num)s passages are drafts.", number)
        case EvidenceStatus.SUBMITTED:
            return ngettext(
                "%(num)s passage is waiting for review.",
                "%(num)s passages are waiting for review.",
                number,
            )
        case EvidenceStatus.ACCEPTED:
            return ngettext(
                "%(num)s passage is accepted.", "%(num)s passages are accepted.", number
            )
    return ngettext("%(num)s passage is rejected.", "%(num)s passages are rejected.", number)


def move_passages(write: Write, passages: Sequence[UUID], **fields: str) -> None:
    """Change passages of a claim that the transaction has changed, each by itself."""
    for id in sorted(passages):
        changed = load(EvidencePatchSchema(), fields)
        batches.update(write.session, "evidence", id, None, changed, write.rules)
