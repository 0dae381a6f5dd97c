"""The garbage collector of a worker does not hold it up for long."""

import subprocess
import sys

_MUCH_THAT_STAYS = """
import gc
from hksz_db.serving import answer_promptly

kept = [[number] for number in range(100_000)]
answer_promptly()
assert len(gc.get_objects()) < 1_000, "what existed before is passed over"
caches = []
for _ in range(10):
    caches.append([[number] for number in range(20_000)])
    gc.collect()
    assert len(gc.get_objects()) < 16_000, "caches that have been filled are passed over"
"""

_CYCLES_IN_USE = """
import gc
import weakref
from hksz_db.serving import answer_promptly

class Cycle:
    def __init__(self):
        self.itself, self.content = self, [[number] for number in range(20_000)]

answer_promptly()
requests = []
for _ in range(40):
    request = Cycle()
    requests.append(weakref.ref(request))
    gc.collect()
    del request
gc.collect()
left = sum(each() is not None for each in requests)
assert left <= 20, f"{left} requests that have ended are kept"
"""


def test_what_has_been_in_use_does_not_pile_up() -> None:
    subprocess.run([sys.executable, "-c", _CYCLES_IN_USE], check=True)


def test_the_collector_passes_over_what_stays() -> None:
    subprocess.run([sys.executable, "-c", _MUCH_THAT_STAYS], check=True)
