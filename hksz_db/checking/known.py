"""What checks look for in texts: the names of entities, and the metrics. A worker loads it once."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from uuid import UUID

from hksz_db.checking.measures import Measures, Metric
from hksz_db.checking.names import KnownName, Names
from hksz_db.checking.sentences import Span
from hksz_db.database import Database
from hksz_db.domain.vocabulary import Accumulation, Dimension, MetricMeasure
from hksz_db.queries.checks import changed_names_statement, names_statement

_PATIENCE = 10
"""Names are loaded again only after this many times the time that it takes, so that an import of
entities does not keep a worker busy with loading."""


@dataclass(frozen=True)
class Known:
    """The names and metrics; ``all_names`` is false if there are more names."""

    names: Names
    all_names: bool
    measures: Measures
    metrics: Mapping[UUID, Metric]


class KnownNames:
    """Keeps what is looked for, and loads it again after an entity or a metric has changed."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: Known | None = None
        self._since: bytes | None = None
        self._seen: frozenset[int] = frozenset()
        self._loaded_at = self._took = 0.0

    def of(self, database: Database) -> Known:
        """What is looked for now."""
        with self._lock:
            since, changed = self._changes(database)
            is_new = changed is None or not changed <= self._seen
            rested = time.monotonic() - self._loaded_at > _PATIENCE * self._took
            if self._known is None or (is_new and rested):
                began = time.monotonic()
                self._known = _load(database)
                self._loaded_at = time.monotonic()
                self._took = self._loaded_at - began
                self._since, self._seen = since, changed or frozenset()
            elif not is_new:
                # Those of the last minute are listed the next time, too.
                self._since = since
            return self._known

    def _changes(self, database: Database) -> tuple[bytes | None, frozenset[int] | None]:
        """The time from which the next changes are to be listed, and those from the last time."""
        since = self._since.decode() if self._since else None
        ((newest, numbers),) = database.read(changed_names_statement(), {"since": since})
        return newest, None if numbers is None else frozenset(numbers)


def _load(database: Database) -> Known:
    ((names, is_all, metrics),) = database.read(names_statement(), {})
    every = [KnownName(UUID(id), name, short) for id, name, short in json.loads(names)]
    found = Names(every)
    known = [
        Metric(
            UUID(id),
            external_id,
            key,
            label,
            Dimension(dimension),
            Accumulation(accumulated),
            MetricMeasure(measured),
            not_negative,
        )
        for id, external_id, key, label, dimension, accumulated, measured, not_negative in (
            json.loads(metrics)
        )
    ]
    named = {
        each.label: [
            each.label[slice(*mention.span)]
            for mention in found.find(each.label, [Span(0, len(each.label))])[0]
        ]
        for each in known
    }
    return Known(found, is_all, Measures(known, named), {each.id: each for each in known})
