"""Work that follows from writes and is done later, in small batches, while the service runs.

The server process does it in the background, and ``flask work`` until nothing is left.
"""

from collections.abc import Callable, Mapping

from hksz_db.database import Database, Session
from hksz_db.services.canonical_urls import fill_canonical_urls
from hksz_db.services.duplicates import CLAIMS_AT_ONCE, search_duplicates
from hksz_db.services.ranges import recompute_ranges, recompute_ranges_of_metrics
from hksz_db.services.recounts import RecountQueue
from hksz_db.services.searches import renew_searches
from hksz_db.services.writing import writing

Job = Callable[[Session], int]
"""Does one short batch in a transaction, and returns how many items it worked off."""

JOBS: Mapping[Job, int] = {
    recompute_ranges: 1,
    recompute_ranges_of_metrics: 1,
    RecountQueue(): 1,
    fill_canonical_urls: 1,
    search_duplicates: CLAIMS_AT_ONCE,
    renew_searches: 1,
}
"""The jobs, and the size of a batch after which more items may be left.

New claims arrive one by one. With a batch for each, a server that is busy with writes would spend
as much time on batches as on the writes.
"""


def work_once(database: Database, job: Job) -> int:
    """Do one batch of a job; return how many items it worked off, 0 when nothing is left.

    Raises ``Unavailable`` when the database does not answer.
    """
    with writing(database) as session:
        return job(session)


def work_off(database: Database, done: Callable[[int], None] = lambda _: None) -> int:
    """Do all jobs until nothing is left; ``done`` is told of each batch. Returns the total."""
    total = 0
    worked = True
    while worked:
        worked = False
        for job in JOBS:
            while number := work_once(database, job):
                worked = True
                total += number
                done(number)
    return total
