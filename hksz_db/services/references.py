"""References of a write, resolved from names to ids in one statement.

The rows found are locked against deletion (``FOR KEY SHARE``, as a foreign key does) until the
transaction ends, so no reference leads to a row that is deleted at the same moment.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.quantities import code_advice
from hksz_db.models import Base
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.rows import Row

# What is computed from the row that is referred to, beside the copies that foreign keys declare.
_COMPUTED_FROM = {
    "claims": ("modality",),
    "metrics": ("measure",),
    "sources": ("issued_edtf",),
    "units": ("dimension",),
}
_NAME_COLUMNS = {"units": "code"}


@dataclass(frozen=True)
class Shape:
    """The places of a body that hold references.

    ``stems`` maps a stem to the table that ``stem_id`` or ``stem_external_id`` refers to;
    ``unit_code`` refers to a unit by its code. ``nested`` are the shapes of its lists and objects.
    The rows that the stems ``held`` refer to cannot change before the transaction ends, because
    columns are computed from them.
    """

    stems: Mapping[str, str] = field(default_factory=dict)
    unit_code: bool = False
    nested: Mapping[str, "Shape"] = field(default_factory=dict)
    held: tuple[str, ...] = ()

    @cached_property
    def places(self) -> Sequence["_Place"]:
        """The fields that hold references to other rows than units."""
        return [
            _Place(given, f"{stem}_id", table, stem in self.held)
            for stem, table in self.stems.items()
            for given in (f"{stem}_id", f"{stem}_external_id")
        ]


class _Place(NamedTuple):
    """A field that holds a reference, and the field that holds the id once that is known."""

    given: str
    target: str
    table: str
    is_held: bool


@dataclass(frozen=True)
class Resolved:
    """The rows referred to, by table, each under its id and under its name; and new ids."""

    rows: dict[str, dict[Any, Row]] = field(default_factory=dict)
    new_ids: Sequence[UUID] = ()

    def include(self, other: "Resolved") -> None:
        """Add the rows that another look-up found."""
        for table, rows in other.rows.items():
            self.rows.setdefault(table, {}).update(rows)

    def announce(self, table: str, name: str, id: UUID) -> None:
        """Add a row that is about to be inserted, so that it can be referred to by name."""
        self.rows.setdefault(table, {})[name] = {"id": id, "name": name, "live": True}


class Reference(NamedTuple):
    """The reference ``given`` in ``holder``, to be replaced by the id in ``target``.

    ``advice`` is what to do if there is no such row.
    """

    holder: Row
    given: str
    target: str
    table: str
    pointer: str
    held: bool = False
    advice: str = ""

    @property
    def by_id(self) -> bool:
        """Whether it is by id, and not by name."""
        return self.given.endswith("_id") and not self.given.endswith("_external_id")

    @property
    def value(self) -> Any:
        """The id or the name that was given."""
        return self.holder[self.given]


def references_in(fields: Row, shape: Shape, pointer: str = "#") -> Iterator[Reference]:
    """The references that the fields hold; ``pointer`` is where the fields stand."""
    for given, target, table, is_held in shape.places:
        if given not in fields:
            continue
        if fields[given] is not None:
            yield Reference(fields, given, target, table, f"{pointer}/{given}", is_held)
        else:
            fields[target] = fields.pop(given)
    if shape.unit_code and "unit_code" in fields:
        yield Reference(fields, "unit_code", "unit_code", "units", f"{pointer}/unit_code")
    for name, nested in shape.nested.items():
        inner = fields.get(name)
        if isinstance(inner, dict):
            yield from references_in(inner, nested, f"{pointer}/{name}")
        elif inner:
            for index, item in enumerate(inner):
                yield from references_in(item, nested, f"{pointer}/{name}/{index}")


def look_up(session: Session, references: Sequence[Reference], new_ids: int = 0) -> Resolved:
    """Look up and lock the rows referred to, and make as many ids as wanted, in one statement.

    A merged row is replaced by the row that it was merged into.
    """
    if not references and not new_ids:
        return Resolved()
    ids: dict[str, list[UUID]] = defaultdict(list)
    names: dict[str, list[str]] = defaultdict(list)
    for reference in references:
        (ids if reference.by_id else names)[reference.table].append(reference.value)
    tables = tuple(sorted({*ids, *names}))
    held = frozenset(reference.table for reference in references if reference.held)
    arguments: list[Any] = [new_ids]
    for table in tables:
        arguments += [ids[table], names[table]]
    ((ids_made, *found),) = run(session, _look_up_statement(tables, held), *arguments)
    known = Resolved(new_ids=ids_made)
    for table, rows in zip(tables, found, strict=True):
        by_key = known.rows[table] = {}
        for row in rows:
            row["id"] = UUID(row["id"])
            by_key[row["id"]] = row
            # The name of a deleted row may have become that of another.
            holds_its_name = row["live"] or row.get("redirect_to")
            by_key[row["name"]] = row if holds_its_name else by_key.get(row["name"], row)
        if RESOURCES[table].can_be_merged:
            _follow_merges(session, table, by_key, _strength(table, held))
    return known


@cache
def _look_up_statement(tables: tuple[str, ...], held: frozenset[str]) -> str:
    """The statement that makes $1 ids, and finds rows of each table by ids and by names."""
    parts: list[str] = []
    for number, table in enumerate(tables, 1):
        name = _NAME_COLUMNS.get(table, "external_id")
        columns = "".join(f", {column}" for column in _columns_read(table))
        parts.append(
            f"found_{table} AS MATERIALIZED (SELECT id, {name} AS name,"
            f" deleted_at IS NULL AS live{columns} FROM {table}"
            f" WHERE id = ANY (${2 * number}::uuid[])"
            # All writers lock in the order of the ids, so they do not deadlock.
            f" OR {name} = ANY (${2 * number + 1}::text[]) ORDER BY id"
            f" FOR {_strength(table, held)})"
        )
    lists = "".join(
        f", (SELECT coalesce(jsonb_agg(to_jsonb(found_{t})), '[]') FROM found_{t})" for t in tables
    )
    with_clause = f"WITH {', '.join(parts)} " if parts else ""
    made = "ARRAY(SELECT uuidv7() FROM generate_series(1, $1::int))"
    return f"{with_clause}SELECT {made}{lists}"


def _strength(table: str, held: Collection[str]) -> str:
    return "SHARE" if table in held else "KEY SHARE"


@cache
def _columns_read(resource: str) -> tuple[str, ...]:
    """The columns read of a row beside its id, its name and whether it is deleted."""
    copied = (
        key.column.name
        for table in Base.metadata.sorted_tables
        for constraint in table.foreign_key_constraints
        for key in constraint.elements[1:]
        if constraint.referred_table.name == resource
    )
    redirect = ("redirect_to",) if RESOURCES[resource].can_be_merged else ()
    return (*dict.fromkeys(copied), *redirect, *_COMPUTED_FROM.get(resource, ()))


def _follow_merges(session: Session, table: str, rows: dict[Any, Row], lock: str) -> None:
    """Replace each merged row by the one that it was merged into, which may be merged too.

    That one is also known by its own id, with which it replaces the reference.
    """
    columns = "".join(f", {column}" for column in _columns_read(table))
    while into := {row["redirect_to"] for row in rows.values() if row["redirect_to"]}:
        found = run(
            session,
            f"WITH found AS MATERIALIZED (SELECT id, deleted_at IS NULL AS live{columns}"
            f" FROM {table} WHERE id = ANY ($1::uuid[]) ORDER BY id FOR {lock})"
            " SELECT id::text, to_jsonb(found) FROM found",
            sorted(into),
        )
        by_id = {id: {**row, "id": UUID(id)} for id, row in found}
        for given, row in rows.items():
            rows[given] = by_id.get(row["redirect_to"], row)
        rows |= {row["id"]: row for row in by_id.values() if not row["redirect_to"]}


def settle(references: Iterable[Reference], known: Resolved) -> None:
    """Replace references by ids: ``x_external_id`` becomes ``x_id``.

    Raises ``Invalid`` with a pointer to each reference to a row that does not exist or is deleted.
    """
    faults = [fault for reference in references if (fault := _settle(reference, known))]
    if faults:
        raise Invalid("The request refers to rows that do not exist.", faults)


def _settle(reference: Reference, known: Resolved) -> Fault | None:
    row = known.rows[reference.table].get(reference.value)
    singular = RESOURCES[reference.table].singular
    if row is None:
        advice = reference.advice
        if reference.table == "units":
            advice = code_advice(reference.value) or advice
        detail = f"There is no {singular} {reference.value}. {advice}".rstrip()
        return Fault("not_found", detail, reference.pointer)
    if not row["live"]:
        detail = f"The {singular} {reference.value} was deleted. {reference.advice}".rstrip()
        return Fault("deleted", detail, reference.pointer)
    if reference.table != "units":
        reference.holder.pop(reference.given)
        reference.holder[reference.target] = row["id"]
    return None
