"""From what clients call rows to their ids: all references of a request in one statement.

What is found is locked against deletion (``FOR KEY SHARE``, as a foreign key does) until the
transaction ends, so that nothing comes to rest on a row that is deleted at the same moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.rows import Row

# What is read of a row besides its id, its name and whether it is deleted.
_EXTRAS = {
    "claims": ("modality",),
    "entities": ("redirect_to",),
    "metrics": ("dimension", "nonnegative"),
    "sources": ("issued_edtf",),
    "units": ("dimension", "factor"),
}
_NAME_COLUMNS = {"units": "code"}


@dataclass(frozen=True)
class Shape:
    """Where a body holds references.

    ``stems`` maps a stem to the table that ``stem_id`` or ``stem_external_id`` refers to;
    ``unit_code`` refers to a unit by its code. ``nested`` are the shapes of its lists and objects.
    With ``held`` nothing changes what the stems refer to before the transaction ends: what is
    written is worked out from it.
    """

    stems: Mapping[str, str] = field(default_factory=dict)
    unit_code: bool = False
    nested: Mapping[str, "Shape"] = field(default_factory=dict)
    held: bool = False


@dataclass(frozen=True)
class Resolved:
    """Fresh ids, and the rows referred to by table, each under its id and under its name."""

    new_ids: Sequence[UUID]
    found: dict[str, dict[Any, Row]]

    @property
    def new_id(self) -> UUID:
        """The first of the fresh ids."""
        return self.new_ids[0]

    @cached_property
    def rows(self) -> Mapping[str, Mapping[Any, Row]]:
        """The rows that were found by table and id (units: by code)."""
        return {
            table: {row["name" if table == "units" else "id"]: row for row in named.values()}
            for table, named in self.found.items()
        }

    def joined(self, other: "Resolved") -> "Resolved":
        """What either has found."""
        tables = self.found.keys() | other.found.keys()
        either = {t: {**self.found.get(t, {}), **other.found.get(t, {})} for t in tables}
        return Resolved(self.new_ids, either)

    def announce(self, table: str, name: str, id: UUID) -> None:
        """Let a row that is about to be inserted be referred to by name."""
        self.found.setdefault(table, {})[name] = {"id": id, "name": name, "live": True}


NOTHING = Resolved((), {})
"""What a body without references refers to."""


class Reference(NamedTuple):
    """A reference in ``holder``, where ``given`` names it and ``target`` is to hold the id."""

    holder: Row
    given: str
    target: str
    table: str
    pointer: str
    held: bool = False

    @property
    def by_id(self) -> bool:
        """Whether it is by id, and not by name."""
        return self.given.endswith("_id") and not self.given.endswith("_external_id")

    @property
    def value(self) -> Any:
        """The id or the name that was given."""
        return self.holder[self.given]


def resolve(session: Session, fields: Row, shape: Shape) -> Resolved:
    """Look up what the fields refer to and put its id in their place.

    ``x_external_id`` becomes ``x_id``; an entity that was merged stands for what it was merged
    into. Raises ``Invalid`` with a pointer to each reference that leads nowhere or to a deleted
    row.
    """
    references = references_in(fields, shape)
    known = look_up(session, references, 1)
    settle(references, known)
    return known


def references_in(fields: Row, shape: Shape) -> list[Reference]:
    """The references that the fields hold."""
    return list(_walk(fields, shape, "#"))


def look_up(session: Session, references: Iterable[Reference], new: int) -> Resolved:
    """Look up what is referred to, and make so many ``new`` ids, in one statement."""
    known = _look_up(session, list(references), new)
    _follow_merges(session, known.found.get("entities", {}))
    return known


def settle(references: Iterable[Reference], known: Resolved) -> None:
    """Put ids in the place of references; raises ``Invalid`` as ``resolve`` does."""
    faults = [fault for reference in references if (fault := _settle(reference, known.found))]
    if faults:
        raise Invalid("The request refers to what does not exist.", faults)


def _walk(fields: Row, shape: Shape, pointer: str) -> Iterator[Reference]:
    for stem, table in shape.stems.items():
        for given in (f"{stem}_id", f"{stem}_external_id"):
            if given in fields:
                if fields[given] is None:
                    fields[f"{stem}_id"] = fields.pop(given)
                else:
                    target = f"{stem}_id"
                    where = f"{pointer}/{given}"
                    yield Reference(fields, given, target, table, where, shape.held)
    if shape.unit_code and "unit_code" in fields:
        yield Reference(fields, "unit_code", "unit_code", "units", f"{pointer}/unit_code")
    for name, nested in shape.nested.items():
        inner = fields.get(name)
        if isinstance(inner, dict):
            yield from _walk(inner, nested, f"{pointer}/{name}")
        else:
            for index, item in enumerate(inner or ()):
                yield from _walk(item, nested, f"{pointer}/{name}/{index}")


def _look_up(session: Session, references: Sequence[Reference], new: int) -> Resolved:
    ids: dict[str, list[UUID]] = defaultdict(list)
    names: dict[str, list[str]] = defaultdict(list)
    for reference in references:
        (ids if reference.by_id else names)[reference.table].append(reference.value)
    tables = sorted({*ids, *names})
    held = {reference.table for reference in references if reference.held}
    parts: list[str] = []
    arguments: list[Any] = [new]
    for table in tables:
        name = _NAME_COLUMNS.get(table, "external_id")
        extras = "".join(f", {column}" for column in _EXTRAS.get(table, ()))
        lock = "SHARE" if table in held else "KEY SHARE"
        arguments += [ids[table], names[table]]
        parts.append(
            f"found_{table} AS MATERIALIZED (SELECT id, {name} AS name,"
            f" deleted_at IS NULL AS live{extras} FROM {table}"
            f" WHERE id = ANY (${len(arguments) - 1}::uuid[])"
            # Locked in one order by everybody, so that nobody waits in a circle.
            f" OR {name} = ANY (${len(arguments)}::text[]) ORDER BY id FOR {lock})"
        )
    pairs = "".join(
        f", (SELECT coalesce(jsonb_agg(to_jsonb(found_{t})), '[]') FROM found_{t})" for t in tables
    )
    with_clause = f"WITH {', '.join(parts)} " if parts else ""
    new_ids = "ARRAY(SELECT uuidv7() FROM generate_series(1, $1::int))"
    ((ids_made, *lists),) = run(session, f"{with_clause}SELECT {new_ids}{pairs}", *arguments)
    found: dict[str, dict[Any, Row]] = {}
    for table, rows in zip(tables, lists, strict=True):
        found[table] = {}
        for row in rows:
            row["id"] = UUID(row["id"])
            found[table][row["id"]] = found[table][row["name"]] = row
    return Resolved(ids_made, found)


def _follow_merges(session: Session, entities: dict[Any, Row]) -> None:
    """Put what each entity was merged into in its place; that may have been merged in its turn."""
    while into := {row["redirect_to"] for row in entities.values() if row["redirect_to"]}:
        found = run(
            session,
            "SELECT id, deleted_at IS NULL, redirect_to::text FROM entities"
            " WHERE id = ANY ($1::uuid[]) ORDER BY id FOR KEY SHARE",
            sorted(into),
        )
        rows = {str(id): {"id": id, "live": live, "redirect_to": to} for id, live, to in found}
        for given, row in entities.items():
            entities[given] = rows.get(row["redirect_to"], row)


def _settle(reference: Reference, found: dict[str, dict[Any, Row]]) -> Fault | None:
    row = found[reference.table].get(reference.value)
    singular = RESOURCES[reference.table].singular
    if row is None:
        detail = f"There is no {singular} {reference.value}."
        return Fault("not_found", detail, reference.pointer)
    if not row["live"]:
        detail = f"The {singular} {reference.value} was deleted."
        return Fault("deleted", detail, reference.pointer)
    if reference.table != "units":
        reference.holder.pop(reference.given)
        reference.holder[reference.target] = row["id"]
    return None
