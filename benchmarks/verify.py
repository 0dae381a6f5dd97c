"""``python -m benchmarks.verify``: measures the verification of a text with 1,000 locators."""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from statistics import median
from typing import Any

from hksz_db.domain.locators import CONTEXT, Passage, digest, locator, read
from hksz_db.domain.loose_form import LooseForm
from hksz_db.queries.verification import check

_BYTES = 2**20
_SPANS = 1000
_ALPHABETS = {
    "ASCII": "abcdefghijklmnopqrstuvwxyz",
    "accents": "abcdefghijklmnopqrstuvwxyzéüß",
}


def main(arguments: Sequence[str]) -> int:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verify", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each text is measured (5)")
    rounds = parser.parse_args(arguments).rounds
    for name, alphabet in _ALPHABETS.items():
        text = _text(alphabet, random.Random(1))
        starts = _starts(text)
        copies = _copies(text, starts)
        print(f"\n{name}: {len(text.encode()):,} bytes, {len(text):,} code points")
        _report(text, starts, copies, rounds, form=None)
        print("with loose locators:")
        copies["in another typography"] = text.replace("th", "t\u00adh")
        _report(text, starts, copies, rounds, form=LooseForm(text))
    return 0


def _report(
    text: str,
    starts: Sequence[int],
    copies: Mapping[str, str],
    rounds: int,
    form: LooseForm | None,
) -> None:
    verifiable = _verifiable(text, starts, form)
    for case, copy in copies.items():
        data = copy.encode()
        times, ratios = [], []
        for _ in range(rounds):
            # In turns, so that other load affects both alike.
            minimum = _seconds(lambda copy=copy: _hash_windows(copy))
            times.append(_seconds(lambda data=data: check(read(data), verifiable)))
            ratios.append(times[-1] / minimum)
        found = Counter(row.finding.result.value for row in check(copy, verifiable).checked)
        results = ", ".join(f"{number} {result}" for result, number in found.items())
        milliseconds = median(times) * 1000
        print(
            f"{case:28}  {milliseconds:6,.0f} ms  {median(ratios):5.2f} of the windows  {results}"
        )


def _text(alphabet: str, chosen: random.Random) -> str:
    words = []
    left = _BYTES
    while left > 0:
        words.append("".join(chosen.choices(alphabet, k=chosen.randint(2, 9))))
        left -= len(words[-1].encode()) + 1
    return read(" ".join(words).encode()[:_BYTES].rsplit(b" ", 1)[0])


def _starts(text: str) -> list[int]:
    """The starts of the spans; the n-th has n code points, and all gaps are about equal.

    No span begins or ends with a space, so that all have a loose locator.
    """
    gap = (len(text) - _SPANS * (_SPANS + 1) // 2) // (_SPANS + 1)
    evenly = [n * gap + n * (n - 1) // 2 for n in range(1, _SPANS + 1)]
    return [
        next(n for n in range(start, len(text)) if " " not in {text[n], text[n + length - 1]})
        for length, start in enumerate(evenly, 1)
    ]


def _verifiable(text: str, starts: Sequence[int], form: LooseForm | None) -> bytes:
    rows: list[dict[str, Any]] = []
    for length, start in enumerate(starts, 1):
        exact = locator(text, start, start + length)
        names = {"id": str(length), "external_id": None, "claim_id": str(length)}
        passage = Passage(exact, form.locator(exact) if form else None)
        rows.append({**names, **passage.fields})
    capture = {"char_length": len(text), "text_sha256": digest(text)}
    return json.dumps({"captures": [capture], "locators": rows, "without_locator": 0}).encode()


def _copies(text: str, starts: Sequence[int]) -> dict[str, str]:
    """The text and edited copies, by the kind of edit."""
    near = _edited(text, starts, random.Random(2), 1, 40)
    far = _edited(text, starts, random.Random(3), 100, 400)
    return {
        "the same": text,
        "a character before it": f"#{text}",
        "1-40 between any two spans": near,
        "100-400 between any two": far,
        "another text": text[::-1],
    }


def _edited(text: str, starts: Sequence[int], chosen: random.Random, low: int, high: int) -> str:
    parts, last = [], 0
    for start in starts:
        # Outside the context of the spans on either side, if the gap is wide enough.
        edit = start - CONTEXT - 4
        parts += [text[last:edit], "#" * chosen.randint(low, high)]
        last = edit
    return "".join([*parts, text[last:]])


def _hash_windows(text: str) -> None:
    """Hash all windows of 32 code points once, which is the minimum for a search without hints."""
    if text.isascii():
        data = text.encode()
        for start in range(len(data) - CONTEXT + 1):
            sha256(data[start : start + CONTEXT]).digest()
    else:
        for start in range(len(text) - CONTEXT + 1):
            sha256(text[start : start + CONTEXT].encode()).digest()


def _seconds(call: Callable[[], object]) -> float:
    """The CPU time, which other processes on the same core do not change."""
    start = time.process_time()
    call()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
