"""From what a client calls a row to its id: all references of a request in one statement.

What is found is locked against deletion (``FOR KEY SHARE``, as a foreign key does) until the
transaction ends, so that nothing comes to rest on a row that is deleted at the same moment.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.errors import Fault, Invalid
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
    """A fresh id, and the rows referred to by table and id (units: by code)."""

    new_id: UUID
    rows: Mapping[str, Mapping[Any, Row]]


@dataclass(frozen=True)
class _Reference:
    holder: Row
    given: str
    target: str
    table: str
    pointer: str
    held: bool = False

    @property
    def by_id(self) -> bool:
        return self.given.endswith("_id") and not self.given.endswith("_external_id")

    @property
    def value(self) -> Any:
        return self.holder[self.given]


def resolve(session: Session, fields: Row, shape: Shape) -> Resolved:
    """Look up what the fields refer to and put its id in their place.

    ``x_external_id`` becomes ``x_id``; an entity that was merged stands for what it was merged
    into. Raises ``Invalid`` with a pointer to each reference that leads nowhere or to a deleted
    row.
    """
    references = list(_walk(fields, shape, "#"))
    new_id, found = _look_up(session, references)
    _follow_merges(session, found.get("entities", {}))
    faults = [fault for reference in references if (fault := _settle(reference, found))]
    if faults:
        raise Invalid("The request refers to what does not exist.", faults)
    rows: dict[str, dict[Any, Row]] = {
        table: {row["name" if table == "units" else "id"]: row for row in named.values()}
        for table, named in found.items()
    }
    return Resolved(new_id, rows)


def _walk(fields: Row, shape: Shape, pointer: str) -> Iterator[_Reference]:
    for stem, table in shape.stems.items():
        for given in (f"{stem}_id", f"{stem}_external_id"):
            if given in fields:
                if fields[given] is None:
                    fields[f"{stem}_id"] = fields.pop(given)
                else:
                    target = f"{stem}_id"
                    where = f"{pointer}/{given}"
                    yield _Reference(fields, given, target, table, where, shape.held)
    if shape.unit_code and "unit_code" in fields:
        yield _Reference(fields, "unit_code", "unit_code", "units", f"{pointer}/unit_code")
    for name, nested in shape.nested.items():
        inner = fields.get(name)
        if isinstance(inner, dict):
            yield from _walk(inner, nested, f"{pointer}/{name}")
        else:
            for index, item in enumerate(inner or ()):
                yield from _walk(item, nested, f"{pointer}/{name}/{index}")


def _look_up(
    session: Session, references: list[_Reference]
) -> tuple[UUID, dict[str, dict[Any, Row]]]:
    ids: dict[str, list[UUID]] = defaultdict(list)
    names: dict[str, list[str]] = defaultdict(list)
    for reference in references:
        (ids if reference.by_id else names)[reference.table].append(reference.value)
    tables = sorted({*ids, *names})
    held = {reference.table for reference in references if reference.held}
    parts, arguments = [], []
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
    ((new_id, *lists),) = run(session, f"{with_clause}SELECT uuidv7(){pairs}", *arguments)
    found: dict[str, dict[Any, Row]] = {}
    for table, rows in zip(tables, lists, strict=True):
        found[table] = {}
        for row in rows:
            row["id"] = UUID(row["id"])
            found[table][row["id"]] = found[table][row["name"]] = row
    return new_id, found


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


def _settle(reference: _Reference, found: dict[str, dict[Any, Row]]) -> Fault | None:
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
