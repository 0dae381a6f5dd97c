"""The requests that are measured, and their aims."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from benchmarks.dataset import Dataset

PATH = "/v1/claims"
UNIQUE = "@"
"""The placeholder in a body for a unique text."""

_LINES = 2000
_EMBEDDED = "entities,figures,evidence,sources"


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    path: str
    body: Any = None

    @classmethod
    def from_line(cls, line: str, unique: str) -> "Ask":
        """Parse a line of ``Question.lines``."""
        method, path, *body = line.split(" ", 2)
        return cls(method, path, json.loads(body[0].replace(UNIQUE, unique)) if body else None)


@dataclass(frozen=True)
class Question:
    """A kind of request with some random numbers, each between two bounds.

    ``line`` is an SQL expression of the numbers that gives the method, the path and the body,
    separated by spaces. ``varying`` are the expressions that differ in the statements of the
    service. The aims are the ratios of the rate of the service to that of the ORM, to that of
    PostgreSQL alone, and to that of the fastest peer. There is none where the variant does not
    answer the request.
    """

    letter: str
    title: str
    orm_aim: float | None
    ceiling_aim: float
    peer_aim: float | None
    numbers: Mapping[str, tuple[int, int]]
    line: str
    varying: tuple[str, ...]

    def lines(self, connection: psycopg.Connection) -> list[str]:
        """Many random requests."""
        draws = ", ".join(
            f"{low} + floor(random() * {high - low + 1})::int AS {name}"
            for name, (low, high) in self.numbers.items()
        )
        drawn = f"(SELECT {draws} FROM generate_series(1, {_LINES})) AS drawn"
        return [line for (line,) in _rows(connection, f"SELECT {self.line} FROM {drawn}")]

    def sample(self, connection: psycopg.Connection) -> tuple[str, dict[str, str]]:
        """One request, and the expression of each of its varying texts."""
        # All numbers differ, so that all texts differ.
        fixed = ", ".join(
            f"{low + index} AS {name}"
            for index, (name, (low, _)) in enumerate(self.numbers.items())
        )
        texts = ", ".join(f"({expression})::text" for expression in self.varying)
        query = f"SELECT {self.line}, {texts} FROM (SELECT {fixed}) AS chosen"
        ((line, *found),) = _rows(connection, query)
        return line, dict(zip(found, self.varying, strict=True))

    def as_variables(self, expression: str) -> str:
        """The expression with variables of pgbench in place of the numbers."""
        return re.sub(rf"\b({'|'.join(self.numbers)})\b(?!\()", r":\1", expression)


def _rows(connection: psycopg.Connection, query: str) -> list[Any]:
    return connection.execute(query.encode()).fetchall()


def questions(dataset: Dataset) -> tuple[Question, ...]:
    """The questions about the dataset."""
    return (*_reads(dataset), _write(dataset))


def _reads(dataset: Dataset) -> tuple[Question, ...]:
    return (
        Question(
            letter="a",
            title="one claim by id, four kinds embedded",
            orm_aim=8,
            ceiling_aim=0.2,
            peer_aim=1.2,
            numbers={"claim": (1, dataset.claims)},
            line=f"'GET {PATH}/' || benchmark.claim_id(claim) || '?include={_EMBEDDED}'",
            varying=("benchmark.claim_id(claim)",),
        ),
        Question(
            letter="a0",
            title="one claim by id, as it is by default",
            orm_aim=None,
            ceiling_aim=0.2,
            peer_aim=1.2,
            numbers={"claim": (1, dataset.claims)},
            line=f"'GET {PATH}/' || benchmark.claim_id(claim)",
            varying=("benchmark.claim_id(claim)",),
        ),
        Question(
            letter="b",
            title="50 claims by entity and year",
            orm_aim=6,
            ceiling_aim=0.7,
            peer_aim=1,
            numbers={
                "entity": (1, dataset.full_entities),
                "year": (dataset.first_year, dataset.last_year),
            },
            line=f"format('GET {PATH}?entities__id=%s&time__within=%s&per_page=50',"
            " benchmark.entity_id(entity), year)",
            varying=("benchmark.entity_id(entity)", "benchmark.year(year)"),
        ),
        Question(
            letter="c",
            title="25 claims by full text",
            orm_aim=2,
            ceiling_aim=0.7,
            peer_aim=1.1,
            numbers={"step": (0, 100)},
            line=f"'GET {PATH}?q=' || benchmark.searched_word(step)",
            varying=("benchmark.searched_word(step)",),
        ),
    )


def _write(dataset: Dataset) -> Question:
    return Question(
        letter="d",
        title="POST of a claim with evidence and a figure",
        orm_aim=6,
        ceiling_aim=0.4,
        peer_aim=None,
        numbers={
            "claimant": (1, dataset.entities),
            "subject": (1, dataset.entities),
            "first": (1, dataset.sources),
            "second": (1, dataset.sources),
            "measure": (1, dataset.metrics),
        },
        line=_POSTED,
        varying=(
            "benchmark.external_id('entity', claimant)",
            "benchmark.external_id('entity', subject)",
            "benchmark.external_id('source', first)",
            "benchmark.external_id('source', second)",
            "benchmark.external_id('metric', measure)",
            "benchmark.entity_id(claimant)",
            "benchmark.entity_id(subject)",
            "benchmark.source_id(first)",
            "benchmark.source_id(second)",
            "benchmark.metric_id(measure)",
        ),
    )


_POSTED = f"""
    'POST {PATH} ' || json_build_object(
        'external_id', 'bench:post-{UNIQUE}',
        'statement', concat_ws(' ', 'Over 47,000 cases of', benchmark.word(claimant),
            benchmark.word(subject), benchmark.word(first), benchmark.word(second)),
        'claimant_external_id', benchmark.external_id('entity', claimant),
        'time_as_stated', 'in January 2023',
        'time_edtf', '2023-01',
        'entities', json_build_array(json_build_object(
            'entity_external_id', benchmark.external_id('entity', subject), 'role', 'subject'
        )),
        'figures', json_build_array(json_build_object(
            'metric_external_id', benchmark.external_id('metric', measure),
            'subject_external_id', benchmark.external_id('entity', subject),
            'as_stated', 'over 47,000', 'comparator', 'gt', 'amount', '47000',
            'unit_code', '{{case}}', 'period_edtf', '2023-01'
        )),
        'evidence', json_build_array(
            json_build_object(
                'source_external_id', benchmark.external_id('source', first),
                'stance', 'asserts', 'directness', 'primary'
            ),
            json_build_object(
                'source_external_id', benchmark.external_id('source', second),
                'stance', 'supports', 'directness', 'secondary', 'page', 'A3'
            )
        )
    )
"""
