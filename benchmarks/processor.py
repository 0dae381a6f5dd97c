"""The time that processes take of the processor, however many others wait for it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_NANOSECONDS = 1e-9


@dataclass(frozen=True)
class Processes:
    """Processes and all their descendants."""

    roots: Sequence[int]

    def seconds(self) -> Mapping[int, float]:
        """What each thread of those that live has taken so far."""
        return dict(each for root in self.roots for each in _taken(root))

    def since(self, earlier: Mapping[int, float]) -> float:
        """What those that live have taken since then, in seconds."""
        return sum(taken - earlier.get(thread, 0) for thread, taken in self.seconds().items())


def _taken(process: int) -> Iterator[tuple[int, float]]:
    # It may end meanwhile.
    with suppress(OSError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            nanoseconds = (thread / "schedstat").read_text(encoding="ascii").split()[0]
            yield int(thread.name), int(nanoseconds) * _NANOSECONDS
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _taken(int(child))
