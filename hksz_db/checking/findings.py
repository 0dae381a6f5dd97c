"""The finding about a sentence, and the sentence that says why."""

from collections.abc import Sequence

from hksz_db.domain.vocabulary import Finding

_OF_VERDICT = {
    "contradicts": Finding.CONTRADICTS,
    "part_exceeds_whole": Finding.CONTRADICTS,
    "tension": Finding.IN_TENSION,
    "agrees": Finding.AGREES,
}


def finding_of(verdicts: Sequence[str]) -> Finding:
    """The finding that follows from comparisons with figures of one time."""
    return most_serious([_OF_VERDICT.get(verdict, Finding.NOT_KNOWN) for verdict in verdicts])


def most_serious(findings: Sequence[Finding]) -> Finding:
    """The finding about a sentence with these figures and claims."""
    return next((finding for finding in Finding if finding in findings), Finding.NOT_KNOWN)
