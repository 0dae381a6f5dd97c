"""Which documents change because a row that they show was changed, derived from the documents.

The rows are looked up as they are now, even for a transaction that is long past. A document that
showed a changed row then, or shows it only now, is not lost: of the rows that lead from the changed
row to the document, take the first that was written since. The transaction that wrote it comes
later in the feed. The rows between it and the document are as they were then, so the document has
an entry in that transaction.

A row that was moved or removed also leads from where it was before, which is in ``past``. A row
that was inserted is only shown by rows that refer to it, and those were written since.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple
from uuid import UUID

from hksz_db.domain.differences import ALWAYS_SET
from hksz_db.models import HISTORY_TABLES, Base
from hksz_db.queries.documents import Opaque
from hksz_db.queries.field_sources import Path, read_fields, reads
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES

NIL_ID = str(UUID(int=0))
"""It sorts before every other id."""

_LAST_ID = str(UUID(int=2**128 - 1))

LOOKED_AT = 200
"""How many documents of a resource one page searches."""

ROWS_READ = 5_000
"""How many rows that lead from changed rows to documents of a resource one page reads."""

LOOKED_THROUGH = 2_000
"""How many documents of a resource one page looks through if more rows than those lead to them."""

LEAST_LOOKED_AT = 4
"""How many documents of each row one page looks at, however many rows there are."""


class Change(Enum):
    """How a row that documents show was changed."""

    UPDATED = auto()
    WRITTEN = auto()  # inserted, updated or deleted
    LEFT = auto()  # deleted, or moved by an update


class Start(NamedTuple):
    """What ``column`` holds in the rows of ``table`` of which one of ``columns`` was changed.

    For rows that left, it is what it held before.
    """

    change: Change
    table: str
    columns: tuple[str, ...]
    column: str


class Step(NamedTuple):
    """From values of ``column`` to those of ``found``, in the (live) rows of ``table``."""

    table: str
    column: str
    found: str
    live: bool = False


class Edge(NamedTuple):
    """Changed rows that the documents of a resource show, and the steps to the ids of these."""

    start: Start | Opaque
    steps: tuple[Step, ...]
    document: str

    @property
    def leads_to_owner(self) -> bool:
        """Whether the changed row is a part of the document, which few documents can have."""
        match self.start, self.steps:
            case Opaque(), _:
                return False
            case _, ():
                return True
            case Start(Change.WRITTEN, table), (Step(of_step, "id"),):
                return table == of_step
        return False


def dependencies(resources: Iterable[Readable]) -> tuple[Edge, ...]:
    """The edges to the documents of these resources, without those from their own rows."""
    return tuple(dict.fromkeys(edge for readable in resources for edge in _edges(readable)))


def _edges(readable: Readable) -> Iterator[Edge]:
    columns: dict[Path, set[str]] = {}
    for node in read_fields(readable).values():
        for path, column, opaque in reads(readable, node):
            if opaque:
                yield Edge(opaque, _steps(readable, path, column), readable.name)
            elif path:
                columns.setdefault(path, set()).add(column)
    for path, names in columns.items():
        for start in _starts(path[-1].table, names, path[-1].column):
            steps = _steps(readable, path, start.column)
            # A change of a part is listed as one of the document's own.
            if steps or start.change is Change.LEFT:
                yield Edge(start, steps, readable.name)


def _starts(table: str, columns: Iterable[str], joined: str) -> Iterator[Start]:
    """The starts from rows that are joined by a column of theirs."""
    if joined == "id":
        yield Start(Change.UPDATED, table, tuple(sorted(columns)), "id")
        return
    owner = HISTORY_TABLES[table].owner
    key = joined if joined == owner else "id"
    yield Start(Change.WRITTEN, table, tuple(sorted(columns)), key)
    if joined not in Base.metadata.tables[table].primary_key:
        yield Start(Change.LEFT, table, (joined,), joined)


def _starts_of_tables(tables: Mapping[str, Iterable[str]]) -> Iterator[Start]:
    for table, columns in tables.items():
        yield from _starts(table, columns, str(HISTORY_TABLES[table].owner))


def _starts_of(start: Start | Opaque) -> Iterator[Start]:
    if isinstance(start, Start):
        yield start
    else:
        for tables in start.reads.values():
            yield from _starts_of_tables(tables)


def _condition(start: Start) -> str:
    """The condition on a row of ``changes`` that it is of such a changed row."""
    changed = f"changed && '{{{','.join(start.columns)}}}'::text[]"
    always_set = not ALWAYS_SET.isdisjoint(start.columns)
    match start.change:
        case Change.UPDATED:
            condition = "operation = 'update'" if always_set else changed
        case Change.WRITTEN:
            condition = "true" if always_set else f"(changed IS NULL OR {changed})"
        case Change.LEFT:
            condition = f"(operation = 'delete' OR {changed})"
    return f"(table_name = '{start.table}' AND {condition})"


def _steps(readable: Readable, path: Path, column: str) -> tuple[Step, ...]:
    """From values of the column, in the rows at the end of the path, to ids of documents."""
    steps = []
    for join in reversed(path):
        if column != join.column:
            # Whether the changed row itself is live may be what was changed.
            steps.append(Step(join.table, column, join.column, join.live and join != path[-1]))
        column = join.outer
    if column != "id":
        steps.append(Step(readable.name, column, "id"))
    return tuple(steps)


def shown_in(changed: str, resources: Sequence[str]) -> Mapping[str, str]:
    """For each resource: the condition that its documents may show a changed row of ``changed``.

    It is a condition on a row of ``changes``, and false of rows that are parts of the documents.
    """
    conditions: dict[str, set[str]] = {}
    for edge in dependencies(RESOURCES[name] for name in resources):
        for start in () if edge.leads_to_owner else _starts_of(edge.start):
            if HISTORY_TABLES[start.table].resource == changed:
                conditions.setdefault(edge.document, set()).add(_condition(start))
    return {name: " OR ".join(sorted(found)) for name, found in conditions.items()}


def affected_documents(resources: Sequence[str], *, expand: bool) -> str | None:
    """The query of ``(resource, id, op, cut)`` in their order, after ``after``, at most ``:rows``.

    The query around it defines the transaction ``step``, ``after`` with a resource, an id and the
    last changed row that was searched, and ``span``, the last row to search. Documents that the
    transaction wrote itself are left out, and so are those that were written since, because they
    have a later entry. If there may be more than are searched, the last of these is a ``cut``: the
    rows after it are not complete. It is returned even if it is left out, but without an operation.

    ``None`` when the documents of these resources show no other rows. Unless the feed is to
    ``expand``, these are only the documents that a changed row is a part of.
    """
    all_edges = dependencies(RESOURCES[name] for name in resources)
    edges = [edge for edge in all_edges if expand or edge.leads_to_owner]
    arrays = _Arrays()
    blocks = {
        name: _block(name, arrays.reaching(own))
        for name in sorted(resources)
        if (own := [edge for edge in edges if edge.document == name])
    }
    if not blocks:
        return None
    return f"""
    SELECT block.resource, block.id, block.op, block.cut
    FROM {arrays.levels()}, LATERAL ({_one_after_another(blocks)}) AS block
    """


def _one_after_another(blocks: Mapping[str, str]) -> str:
    """The rows of the blocks; a block is not searched if those before it end the page."""
    parts: list[str] = []
    before: list[str] = []
    for name, block in blocks.items():
        found = " UNION ALL ".join(before)
        go_on = "SELECT count(*) < :rows AND count(*) FILTER (WHERE cut) = 0"
        condition = f"WHERE ({go_on} FROM ({found}) AS found)" if found else ""
        parts.append(f"of_{name} AS (SELECT * FROM ({block}) AS block {condition})")
        before.append(f"SELECT * FROM of_{name}")
    return f"WITH {', '.join(parts)} {' UNION ALL '.join(before)}"


class _Array(NamedTuple):
    sql: str
    level: int


class _Arrays:
    """Arrays of ids that are computed once for a transaction, although several edges use them.

    Each is a column of its level, computed from arrays of lower levels. Level 0 is computed from
    the changes of the transaction.
    """

    def __init__(self) -> None:
        self._levels: list[dict[str, str]] = []

    def levels(self) -> str:
        """The levels as items of a ``FROM`` clause."""
        changes, *others = (
            ", ".join(f"{sql} AS {name}" for sql, name in level.items()) for level in self._levels
        )
        # Without the fences, the arrays would be computed again wherever they are used.
        further = (
            f", LATERAL (SELECT {columns} OFFSET 0) AS ids_{n}"
            for n, columns in enumerate(others, start=1)
        )
        return f"""(
            SELECT {changes} FROM changes WHERE transaction_id = step.id
                AND (resource, resource_id) > (after.changed_resource, after.changed_id)
                AND (resource, resource_id) <= (span.resource, span.id)
        ) AS ids_0{"".join(further)}"""

    def reaching(self, edges: Sequence[Edge]) -> Iterator[str]:
        """The queries of the ids of the documents that edges lead to."""
        ways = [(edge.start, edge.steps) for edge in edges]
        yield from dict.fromkeys(
            self._next_of_opaque(start, edge.document)
            if isinstance(start := edge.start, Opaque)
            else f"SELECT unnest({self._start(start).sql}), false, true"
            for edge in edges
            if not edge.steps
        )
        for step, ids in self._before(ways):
            if step.column == "id":
                yield _each(ids, f"SELECT {_rows(step)} OFFSET 0", "false, true")
            else:
                yield _each(ids, _next_rows(step, ids), "led.cut, true")

    def _before(
        self, ways: Sequence[tuple[Start | Opaque, tuple[Step, ...]]]
    ) -> Iterator[tuple[Step, _Array]]:
        """The last steps, each with the values from which it is taken."""
        for step in dict.fromkeys(steps[-1] for _, steps in ways if steps):
            before = [(start, steps[:-1]) for start, steps in ways if steps[-1:] == (step,)]
            arrays = [self._start(start) for start, steps in before if not steps]
            arrays += [self._look_up(ids, _rows(further)) for further, ids in self._before(before)]
            yield step, _joined(arrays)

    def _look_up(self, ids: _Array, rows: str) -> _Array:
        # The fence has the rows looked up in an index: most transactions need few of them,
        # whatever the planner expects of the table.
        query = f"ARRAY({_each(ids, f'SELECT {rows} OFFSET 0')})"
        return self._add(query, ids.level + 1)

    def _start(self, start: Start | Opaque) -> _Array:
        if isinstance(start, Opaque):
            arrays = self._read(start)
            query = _affected(start, arrays)
            # Not added: only one resource shows the value.
            return _Array(f"ARRAY({query})", max(ids.level for ids in arrays.values()))
        own = start.column == HISTORY_TABLES[start.table].owner and start.change is not Change.LEFT
        key = "resource_id" if own else "row_key::uuid"
        ids = self._add(f"array_agg({key}) FILTER (WHERE {_condition(start)})", 0)
        if start.change is Change.LEFT:
            past = f"past.{start.table} WHERE id = known.id AND ended_in = step.id"
            return self._look_up(ids, f"{start.column} AS id FROM {past}")
        return ids

    def _read(self, opaque: Opaque) -> Mapping[str, _Array]:
        """The changed rows that the value reads, by the name of the array."""
        return {
            name: _joined([*map(self._start, _starts_of_tables(tables))])
            for name, tables in opaque.reads.items()
        }

    def _next_of_opaque(self, opaque: Opaque, resource: str) -> str:
        """The documents of a resource whose value may have changed; if there are many, the next.

        Then those up to some document, which is a cut, are tested one by one.
        """
        arrays = self._read(opaque)
        last = (
            f"SELECT id FROM {resource} WHERE id > beyond.id"
            f" ORDER BY id OFFSET {LOOKED_THROUGH - 1} LIMIT 1"
        )
        affected = _affected(opaque, arrays)
        between = _affected(opaque, arrays, ", beyond.id, last.id")
        return f"""
            SELECT * FROM (
                WITH first AS (SELECT * FROM ({affected}) AS of_any (id) LIMIT {ROWS_READ})
                SELECT id, false AS cut, true AS shows FROM first
                WHERE (SELECT count(*) FROM first) < {ROWS_READ}
                UNION ALL
                SELECT following.* FROM (
                    SELECT COALESCE(({last}), '{_LAST_ID}') AS id
                    WHERE (SELECT count(*) FROM first) = {ROWS_READ} OFFSET 0
                ) AS last, LATERAL (
                    SELECT of_these.id, false, true FROM ({between}) AS of_these (id)
                    UNION ALL
                    SELECT last.id, true, false
                ) AS following
            ) AS of_value
        """

    def _add(self, sql: str, level: int) -> _Array:
        while len(self._levels) <= level:
            self._levels.append({})
        known = self._levels[level]
        name = known.setdefault(sql, f"array_{len(known)}")
        return _Array(f"ids_{level}.{name}", level)


def _affected(opaque: Opaque, arrays: Mapping[str, _Array], between: str = "") -> str:
    ids = {name: array.sql for name, array in arrays.items()}
    return opaque.affected.format(**ids, between=between)


def _joined(arrays: Sequence[_Array]) -> _Array:
    return _Array(" || ".join(array.sql for array in arrays), max(array.level for array in arrays))


def _each(ids: _Array, rows: str, *further: str) -> str:
    columns = ", ".join(("led.id", *further))
    return f"SELECT {columns} FROM unnest({ids.sql}) AS known (id), LATERAL ({rows}) AS led"


def _next_rows(step: Step, ids: _Array) -> str:
    """The next documents that a row leads to; the last is a cut if more may follow.

    Many documents may show a row, and many rows may lead to documents. So the more rows there are,
    the fewer documents of each are read.
    """
    most = f"greatest(least({ROWS_READ} / cardinality({ids.sql}), {LOOKED_AT}), {LEAST_LOOKED_AT})"
    rows = f"SELECT DISTINCT {_rows(step)} AND {step.found} > beyond.id ORDER BY 1 LIMIT {most}"
    return f"SELECT id, row_number() OVER (ORDER BY id) = {most} AS cut FROM ({rows}) AS row"


def _rows(step: Step) -> str:
    live = " AND deleted_at IS NULL" if step.live else ""
    return f"{step.found} AS id FROM {step.table} WHERE {step.column} = known.id{live}"


def _block(resource: str, reaching: Iterable[str]) -> str:
    return f"""
        SELECT '{resource}' AS resource, root.id, root.op, reached.cut
        FROM (
            SELECT CASE WHEN after.stage = 2 AND after.resource = '{resource}' THEN after.id
                ELSE '{NIL_ID}' END AS id
            WHERE '{resource}' >= after.resource OR after.stage < 2 OFFSET 0
        ) AS beyond, LATERAL (
            SELECT id, shows, cut OR row_number() OVER (ORDER BY id) = {LOOKED_AT} AS cut FROM (
                SELECT id, bool_or(cut) AS cut, bool_or(shows) AS shows
                FROM ({" UNION ALL ".join(reaching)}) AS way (id, cut, shows)
                WHERE id > beyond.id GROUP BY id ORDER BY id LIMIT {LOOKED_AT}
            ) AS beginning
        ) AS reached, LATERAL (
            SELECT reached.id, (
                SELECT 'update' FROM {resource} AS root
                WHERE reached.shows AND root.id = reached.id AND root.deleted_at IS NULL
                    AND NOT EXISTS (
                        SELECT FROM transactions AS later
                        WHERE later.id = root.written_in
                            AND (later.committed_at, later.id) > (step.committed_at, step.id)
                        OFFSET 0
                    )
                    AND NOT EXISTS (
                        SELECT FROM changes
                        WHERE transaction_id = step.id AND resource = '{resource}'
                            AND resource_id = root.id
                        OFFSET 0
                    )
            ) AS op OFFSET 0
        ) AS root
        WHERE root.op IS NOT NULL OR reached.cut
        ORDER BY reached.id LIMIT :rows
    """
