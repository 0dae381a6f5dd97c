"""The results, as a table and as JSON."""

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks.load import Rate
from benchmarks.paging import Depth
from benchmarks.questions import Question

SERVICE, ORM, CEILING = "this service", "ORM", "PostgreSQL alone"
PEERS = FASTAPI, FASTIFY = "FastAPI", "Fastify"
VARIANTS = (SERVICE, ORM, CEILING, *PEERS)
Rates = dict[str, list[Rate]]


@dataclass(frozen=True)
class Result:
    """The rates of one question by variant, one for each round.

    A variant that does not answer the question has no rates.
    """

    question: Question
    rates: Rates

    @property
    def failed(self) -> int:
        """The number of failed requests of all variants."""
        return sum(rate.failed for rates in self.rates.values() for rate in rates)

    def rate(self, variant: str) -> float:
        """The median of the rounds, in requests per second."""
        return median(rate.per_second for rate in self.rates[variant])

    def ratio(self, variant: str) -> float | None:
        """The rate of this service divided by that of the variant; ``None`` if requests failed.

        This is the median of the ratios of the rounds, because other load affects a whole round.
        """
        if self.failed or variant not in self.rates:
            return None
        pairs = zip(self.rates[SERVICE], self.rates[variant], strict=True)
        return median(mine.per_second / other.per_second for mine, other in pairs)

    @property
    def ratios_to_peers(self) -> dict[str, float]:
        """The ratios to the peers that answer the question."""
        ratios = {peer: self.ratio(peer) for peer in PEERS}
        return {peer: ratio for peer, ratio in ratios.items() if ratio is not None}

    @property
    def ratio_to_fastest_peer(self) -> float | None:
        """The ratio to the fastest peer."""
        return min(self.ratios_to_peers.values(), default=None)


@dataclass(frozen=True)
class Facts:
    """The conditions of a run."""

    cores: int
    postgresql: str
    claims: int
    rounds: int
    seconds: int


def facts(postgresql: str, claims: int, rounds: int, seconds: int) -> Facts:
    """The conditions of a run on this machine."""
    return Facts(os.cpu_count() or 1, postgresql, claims, rounds, seconds)


def text(facts: Facts, results: Sequence[Result], depth: Depth | None) -> str:
    """The table of results, with the conditions above and the aims below."""
    heading = (
        f"{facts.cores} cores, PostgreSQL {facts.postgresql} (fsync on), {facts.claims:,} claims; "
        f"median of {facts.rounds} rounds of {facts.seconds} s; requests per second"
    )
    variants = [each for each in VARIANTS if any(each in result.rates for result in results)]
    ratios = (f"/ {variant.rpartition(' ')[2]}" for variant in variants[1:])
    columns = ("request", *variants, *ratios)
    rows = [columns, *(_row(result, variants) for result in results)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    lines = ["  ".join(_cells(row, widths)) for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([heading, "", *lines, "", *_verdicts(results), *_paging(depth), ""])


def _row(result: Result, variants: Sequence[str]) -> tuple[str, ...]:
    return (
        f"{result.question.letter}  {result.question.title}",
        *(f"{result.rate(each):,.0f}" if each in result.rates else "-" for each in variants),
        *(_shown(result.ratio(each)) for each in variants[1:]),
    )


def _shown(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    first, *others = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]


def _verdicts(results: Sequence[Result]) -> Iterable[str]:
    for result in results:
        if result.failed:
            yield f"{result.question.letter}: no ratio, because {result.failed} requests failed."
            continue
        asked = result.question
        for ratio, aim, unit in (
            (result.ratio(ORM), asked.orm_aim, "times the rate of the ORM"),
            (result.ratio(CEILING), asked.ceiling_aim, "times the rate of PostgreSQL alone"),
            (result.ratio_to_fastest_peer, asked.peer_aim, "times the rate of the fastest peer"),
        ):
            if ratio is not None and aim is not None:
                verdict = "met" if ratio >= aim else "missed"
                yield f"{asked.letter}: {verdict:6}  at least {aim:g} {unit}"


def _paging(depth: Depth | None) -> Iterable[str]:
    if depth:
        yield f"\nPage {depth.page:,} of a list takes {depth.ratio:.2f} times as long as page 1."


def write(path: Path, facts: Facts, results: Sequence[Result], depth: Depth | None) -> None:
    """Write all numbers as JSON."""
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
        "ratio_to_orm": result.ratio(ORM),
        "orm_aim": result.question.orm_aim,
        "ratio_to_ceiling": result.ratio(CEILING),
        "ceiling_aim": result.question.ceiling_aim,
        "ratios_to_peers": result.ratios_to_peers,
        "peer_aim": result.question.peer_aim,
    }
