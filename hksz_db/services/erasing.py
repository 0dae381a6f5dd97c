"""Erasing a text from a row and from its history, for instance because a court has ordered it.

Nothing else rewrites the history. The triggers that refuse it are switched off within the
transaction, which only the owner of the tables may do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from hksz_db.database import Session, run
from hksz_db.domain.errors import Invalid
from hksz_db.domain.strict_json import compact
from hksz_db.models import Base
from hksz_db.models.history import tables_with_history
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.queues import limit_waits
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import bump_version
from schemas.base import nested_schema
from schemas.fields import Breakdown, Doi, ExternalId, Slug, Text, WebAddress

# Their form allows no tombstone. Other texts with a form, such as dates, hold nothing personal.
_FORMED = (Doi, ExternalId, Slug, WebAddress)
_GIVEN = """
    WITH given (row_id, words, in_json, tombstone, tombstone_in_json) AS (
        VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::text)
    )
"""


@dataclass(frozen=True)
class Found:
    """How many states of rows hold the text in a column, now and in the past."""

    table: str
    column: str
    present: int
    past: int


@dataclass(frozen=True)
class Erased:
    """Where the text was erased, and the rows that still hold it, as resources and ids."""

    found: list[Found]
    elsewhere: list[tuple[str, UUID]]


@dataclass(frozen=True)
class _Column:
    """A column of ``kept`` that may hold the text, and what it holds afterwards."""

    name: str
    erased: str
    holds: str


@dataclass(frozen=True)
class _Place:
    """A table with the row or a list of it, whose id is in ``owner``."""

    table: Table
    owner: str
    columns: tuple[_Column, ...]

    @property
    def any_holds(self) -> str:
        return " OR ".join(column.holds for column in self.columns)


def erase(session: Session, resource: str, id: UUID, text: str, reason: str) -> Erased:
    """Replace the text by a tombstone in a row, its lists, and all their earlier states.

    The tombstone names the day and the reason. A URL, DOI or external id that holds the text
    becomes null. The feed gets an entry with the operation ``erase``. Raises ``Invalid`` if the row
    holds the text nowhere.
    """
    limit_waits(session)
    run(session, "SET CONSTRAINTS ALL DEFERRED")
    tombstone = f"[erased on {datetime.now(UTC).date()}: {reason}]"
    given = (id, text, _in_json(text), tombstone, _in_json(tombstone))
    names = _names_with(session, given) if resource == "entities" else []
    found = [each for place in _places(resource) for each in _erase_in(session, place, given)]
    if not found:
        raise Invalid(f"This {RESOURCES[resource].singular} does not hold the text.")
    if resource == "entities":
        _forget_names(session, given, names)
    if resource == "claims":
        _forget_words(session, given)
    if RESOURCES[resource].can_be_merged:
        _erase_from_merges(session, RESOURCES[resource].singular, given)
    # Stored answers, which hold documents.
    stored = "position(convert_to(given.in_json, 'UTF8') in body) > 0"
    run(session, f"{_GIVEN} DELETE FROM idempotency_keys USING given WHERE {stored}", *given)
    _announce(session, resource, id)
    return Erased(found, list(_elsewhere(session, given)))


def _in_json(text: str) -> str:
    """The text as it stands within a JSON string."""
    return compact(text).decode()[1:-1]


@cache
def _places(resource: str) -> tuple[_Place, ...]:
    kept = (each for each in tables_with_history() if each.resource == resource and each.owner)
    places = (
        _Place(table, str(each.owner), tuple(_columns(table, resource)))
        for each in kept
        for table in [Base.metadata.tables[each.name]]
    )
    return tuple(place for place in places if place.columns)


def _columns(table: Table, resource: str) -> Iterator[_Column]:
    for name, field in _fields(table.name, resource):
        if name not in table.c:
            continue
        column, holds = f"kept.{name}", f"COALESCE(position(given.words in kept.{name}) > 0, false)"
        if isinstance(field, Breakdown):
            held = f"COALESCE(position(given.in_json in {column}::text) > 0, false)"
            replaced = f"replace({column}::text, given.in_json, given.tombstone_in_json)::jsonb"
            yield _Column(name, replaced, held)
        elif type(field) is Text and field.pattern is None:
            yield _Column(name, f"replace({column}, given.words, given.tombstone)", holds)
        elif isinstance(field, _FORMED):
            # With the id, because no two rows may have the same.
            erased = "NULL" if table.c[name].nullable else "'erased-' || kept.id"
            yield _Column(name, erased, holds)
        if name == "url":
            yield _Column("canonical_url", "NULL", holds)


def _fields(table: str, resource: str) -> Iterator[tuple[str, object]]:
    """The fields that clients write to the columns of the same names."""
    writer = WRITERS[resource]
    declared = writer.create_schema._declared_fields
    if table == writer.table:
        yield from declared.items()
        # The preferred one of the names of an entity.
        yield "name", Text()
    for name, listed in writer.lists.items():
        if listed.table.name == table:
            field: Any = declared[name]
            yield from (
                [(listed.value, field.inner)]
                if listed.value
                else nested_schema(field)._declared_fields.items()
            )


def _erase_in(session: Session, place: _Place, given: tuple[object, ...]) -> list[Found]:
    counts = ", ".join(f"count(*) FILTER (WHERE {column.holds})" for column in place.columns)
    own = f"kept.{place.owner} = given.row_id"
    name = place.table.name
    present, past = (
        run(session, f"{_GIVEN} SELECT {counts} FROM {table} AS kept, given WHERE {own}", *given)[0]
        for table in (name, f"past.{name}")
    )
    changes = ", ".join(
        f"{column.name} = CASE WHEN {column.holds} THEN {column.erased} ELSE kept.{column.name} END"
        for column in place.columns
    )
    erased = f"FROM given WHERE {own} AND ({place.any_holds})"
    # First the present rows: their states are then in the past, too.
    if any(present):
        run(session, f"{_GIVEN} UPDATE {name} AS kept SET {changes} {erased}", *given)
    if any(present) or any(past):
        words = ", search = ''" if "search" in place.table.c else ""
        sql = f"{_GIVEN} UPDATE past.{name} AS kept SET {changes}{words} {erased}"
        _rewrite(session, name, sql, given)
    counted = zip(place.columns, present, past, strict=True)
    return [Found(name, c.name, now, before) for c, now, before in counted if now or before]


def _rewrite(session: Session, table: str, sql: str, given: tuple[object, ...]) -> None:
    """Rewrite the history of a table."""
    switch = f"ALTER TABLE past.{table} {{}} TRIGGER refuse_rewriting"
    run(session, switch.format("DISABLE"))
    run(session, sql, *given)
    run(session, switch.format("ENABLE"))


def _names_with(session: Session, given: tuple[object, ...]) -> list[str]:
    """The names of an entity, now and in the past, that hold the text."""
    found = " UNION ".join(
        f"SELECT name FROM {schema}entity_names, given"
        " WHERE entity_id = given.row_id AND position(given.words in name) > 0"
        for schema in ("", "past.")
    )
    return [row[0] for row in run(session, f"{_GIVEN} {found}", *given)]


def _forget_names(session: Session, given: tuple[object, ...], names: Sequence[str]) -> None:
    """Remove the words of names from the words by which claims were found in the past.

    Those of the present are renewed in the background.
    """
    linked = " UNION ".join(
        f"SELECT claim_id FROM {schema}claim_entities, given WHERE entity_id = given.row_id"
        f" UNION SELECT claims.id FROM {schema}claims, given WHERE claimant_id = given.row_id"
        for schema in ("", "past.")
    )
    words = "SELECT unnest(tsvector_to_array(name_words(name))) FROM unnest($6::text[]) AS name"
    sql = (
        f"{_GIVEN} UPDATE past.claims AS kept SET search = ts_delete(search, ARRAY({words}))"
        f" FROM given WHERE kept.id IN ({linked})"
    )
    _rewrite(session, "claims", sql, (*given, list(names)))


def _forget_words(session: Session, given: tuple[object, ...]) -> None:
    """Remove the words by which a claim was found in the past: also those of its translations."""
    sql = f"{_GIVEN} UPDATE past.claims AS kept SET search = '' FROM given WHERE id = given.row_id"
    _rewrite(session, "claims", sql, given)


def _erase_from_merges(session: Session, singular: str, given: tuple[object, ...]) -> None:
    """Erase the text from the rows that merges of the row have dropped."""
    moves, merges = f"{singular}_merge_moves", f"{singular}_merges"
    sql = (
        f"{_GIVEN} UPDATE {{}} AS kept SET content ="
        " replace(content::text, given.in_json, given.tombstone_in_json)::jsonb"
        f" FROM given WHERE position(given.in_json in content::text) > 0 AND merge_id IN ("
        f"SELECT id FROM {merges}, given WHERE given.row_id IN (into_id, {singular}_id))"
    )
    run(session, sql.format(moves), *given)
    _rewrite(session, moves, sql.format(f"past.{moves}"), given)


def _announce(session: Session, resource: str, id: UUID) -> None:
    """Count a change of the row, and tell the readers of the feed."""
    bump_version(session, resource, [id])
    run(
        session,
        "INSERT INTO changes"
        " (transaction_id, table_name, row_key, operation, resource, resource_id)"
        " VALUES (current_transaction(), $1, $2::uuid::text, 'erase', $1, $2)",
        resource,
        id,
    )


def _elsewhere(session: Session, given: tuple[object, ...]) -> Iterator[tuple[str, UUID]]:
    """The rows of all resources that hold the text, now or in the past."""
    for resource in RESOURCES:
        found = " UNION ".join(
            f"SELECT kept.{place.owner} FROM {schema}{place.table.name} AS kept, given"
            f" WHERE {place.any_holds}"
            for place in _places(resource)
            for schema in ("", "past.")
        )
        yield from ((resource, row[0]) for row in run(session, f"{_GIVEN} {found}", *given))
