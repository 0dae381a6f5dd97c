"""The table of the drills, and the page of the documentation that shows it."""

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.operating.load import Outcome

_HEAD = (
    "drill",
    "longest time without a write",
    "errors of writes",
    "errors of reads",
    "acknowledged",
    "lost",
    "doubled",
    "",
)
_PAGE = """\
# Drills

`make drill` holds these drills on loopback and writes this page. {writers} clients create claims,
each with an `Idempotency-Key` that they repeat until they have an answer; another reads a list,
and one follows the feed. Afterwards, every claim that was acknowledged is looked up, and the
follower's copies are compared with the documents. A drill fails if a write is lost or doubled, if
a copy differs, or if an error is neither 503, nor 409 to a write that is repeated too early, nor
`closed`: a connection that was closed without an answer.

{when}.

{table}
A *write* is the creation of a claim. Its errors are the answers before the one with 201. Drills
that restore also count as lost what was acknowledged before the moment of the backup and is not
in what was restored, and as a copy that differs each restored row that the database does not
have.

## See also

- [Incidents](../how-to/incidents.md)
- [Back up and restore](../how-to/back-up-and-restore.md)
"""


@dataclass(frozen=True)
class Row:
    """A drill with its outcome, or why there is none."""

    drill: str
    outcome: Outcome | None
    reason: str = ""
    failed: bool = False

    @property
    def is_bad(self) -> bool:
        """Whether the drill has failed, rather than been skipped."""
        return self.failed or (self.outcome is not None and not self.outcome.holds)


def table(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    lines = ["| " + " | ".join(_HEAD) + " |", "|---" * len(_HEAD) + "|"]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(row: Row) -> str:
    cells = [row.drill, *_cells(row)]
    return "| " + " | ".join(cells) + " |"


def _cells(row: Row) -> list[str]:
    if row.outcome is None:
        said = "failed" if row.failed else "skipped"
        return [""] * (len(_HEAD) - 2) + [f"{said}: {row.reason}"]
    found = row.outcome
    differing = f"{found.differing} copies differ" if found.differing else ""
    return [
        f"{found.longest_gap_s:.1f} s",
        _errors(found.write_errors),
        _errors(found.read_errors),
        f"{found.acknowledged:,}",
        str(found.lost),
        str(found.doubled),
        "; ".join(filter(None, (found.note, differing))),
    ]


def _errors(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{status}: {number}" for status, number in sorted(errors.items())) or "none"


def write(page: Path, rows: str, writers: int) -> None:
    """Write the page with the table."""
    page.write_text(_PAGE.format(writers=writers, when=when(), table=rows), encoding="utf-8")


def when() -> str:
    """When and on what it was measured."""
    day, load = time.strftime("%Y-%m-%d"), os.getloadavg()[2]
    machine = f"{os.cpu_count()} cores of {platform.machine()}"
    return f"Measured on {day} with {machine} at a load average of {load:.0f}"
