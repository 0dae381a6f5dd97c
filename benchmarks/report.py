"""What was measured, for people and for machines."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.load import Rate
from benchmarks.paging import Depth
from benchmarks.questions import Question

SERVICE, USUAL, CEILING = "this service", "the usual way", "PostgreSQL alone"
VARIANTS = (SERVICE, USUAL, CEILING)
Rates = dict[str, list[Rate]]


@dataclass(frozen=True)
class Result:
    """The rates of one question by variant, a round an entry."""

    question: Question
    rates: Rates

    @property
    def failed(self) -> int:
        """How many requests failed, of all variants."""
        return sum(rate.failed for rates in self.rates.values() for rate in rates)

    def rate(self, variant: str) -> float:
        """The median of the rounds, in requests a second."""
        return median(rate.per_second for rate in self.rates[variant])

    def ratio(self, variant: str) -> float | None:
        """How many times as fast as the variant this service is; ``None`` when requests failed.

        The median of the rounds' ratios: what slows a round down slows all that is in it.
        """
        if self.failed:
            return None
        pairs = zip(self.rates[SERVICE], self.rates[variant], strict=True)
        return median(mine.per_second / other.per_second for mine, other in pairs)


@dataclass(frozen=True)
class Facts:
    """What the numbers hang on."""

    cores: int
    postgresql: str
    claims: int
    rounds: int
    seconds: int


def facts(postgresql: str, claims: int, rounds: int, seconds: int) -> Facts:
    """The facts of a run on this machine."""
    return Facts(os.cpu_count() or 1, postgresql, claims, rounds, seconds)


def text(facts: Facts, results: Sequence[Result], depth: Depth | None) -> str:
    """The one table, with the machine above it and the aims below."""
    heading = (
        f"{facts.cores} cores, PostgreSQL {facts.postgresql} (fsync on), {facts.claims:,} claims; "
        f"median of {facts.rounds} rounds of {facts.seconds} s; requests a second"
    )
    columns = ("request", *VARIANTS, "/ usual", "/ alone")
    rows = [columns, *(_row(result) for result in results)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    lines = ["  ".join(_cells(row, widths)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([heading, "", *lines, "", *_verdicts(results), *_paging(depth), ""])


def _row(result: Result) -> tuple[str, ...]:
    return (
        f"{result.question.letter}  {result.question.title}",
        *(f"{result.rate(variant):,.0f}" for variant in VARIANTS),
        _shown(result.ratio(USUAL), 1),
        _shown(result.ratio(CEILING), 2),
    )


def _shown(ratio: float | None, digits: int) -> str:
    return "-" if ratio is None else f"{ratio:.{digits}f}"


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]


def _verdicts(results: Sequence[Result]) -> Iterable[str]:
    for result in results:
        if result.failed:
            yield f"{result.question.letter}: {result.failed} requests failed, so no ratio."
            continue
        for variant, aim, unit in (
            (USUAL, result.question.usual_aim, "times the usual way"),
            (CEILING, result.question.ceiling_aim, "of PostgreSQL alone"),
        ):
            ratio = result.ratio(variant)
            verdict = "met" if ratio is not None and ratio >= aim else "missed"
            yield f"{result.question.letter}: {verdict:6}  at least {aim:g} {unit}"


def _paging(depth: Depth | None) -> Iterable[str]:
    if depth:
        yield f"\npage {depth.page:,} of a list takes {depth.ratio:.2f} times as long as page 1"


def write(path: Path, facts: Facts, results: Sequence[Result], depth: Depth | None) -> None:
    """Write everything as JSON."""
    document = {
        "facts": asdict(facts),
        "requests": {result.question.letter: _document(result) for result in results},
        "paging": asdict(depth) if depth else None,
    }
    path.write_text(json.dumps(document, indent=2) + "\n")


def _document(result: Result) -> dict[str, object]:
    return {
        "title": result.question.title,
        "failed": result.failed,
        "per_second": {name: [r.per_second for r in rates] for name, rates in result.rates.items()},
        "ratio_to_usual": result.ratio(USUAL),
        "usual_aim": result.question.usual_aim,
        "ratio_to_ceiling": result.ratio(CEILING),
        "ceiling_aim": result.question.ceiling_aim,
    }
