"""What each kind of read may cost in a database of a million claims."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_FILE = Path(__file__).with_name("budget.toml")


@dataclass(frozen=True)
class Allowance:
    """Kinds of read that may take longer than others, in milliseconds, and why.

    ``kinds`` are patterns of the names of the growth benchmark; ``what`` says it to clients.
    """

    what: str
    kinds: Sequence[str]
    ms: float
    reason: str


@dataclass(frozen=True)
class Budget:
    """What each kind of read may cost, in milliseconds; the first exception that fits holds."""

    usual_ms: float
    exceptions: Sequence[Allowance]

    def __call__(self, kind: str) -> float:
        """The limit of a kind."""
        for exception in self.exceptions:
            if any(fnmatchcase(kind, pattern) for pattern in exception.kinds):
                return exception.ms
        return self.usual_ms


def budget() -> Budget:
    """The budget in ``budget.toml``."""
    known = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    exceptions = [Allowance(**exception) for exception in known["exceptions"]]
    return Budget(known["usual_ms"], exceptions)
