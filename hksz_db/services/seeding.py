"""Loading data files, any number of times, with the schemas and services of the API."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from marshmallow import ValidationError

from hksz_db.database import Session, run
from hksz_db.domain.errors import DomainError, FaultsError
from hksz_db.services.batches import create, update
from hksz_db.services.dates import lock_dependent_claims
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import TRIGGER_LOCKS, Row, lock_for_triggers
from hksz_db.services.writers import Writer


class InvalidSeed(ValueError):
    """An entry of a data file that cannot be loaded; the message says which and why."""


class Loaded(NamedTuple):
    """The number of entries that were new or differed, and of those that did not."""

    changed: int
    unchanged: int


# Relations come last, because entities and claims can refer to each other.
_FILES = (
    *((f"{name}.json", writer) for name, writer in WRITERS.items()),
    ("relations.json", WRITERS["entities"]),
)


def load(session: Session, folder: Path) -> Loaded:
    """Load the data files of a folder.

    Every entry needs an ``external_id``. An entry that was loaded before and has not changed is
    skipped, even if its row has changed since; an entry that has changed is loaded again. The rows
    of entries that were removed from a file stay. Raises ``InvalidSeed``.
    """
    run(session, "SELECT set_config('hksz.actor', $1, true)", f"seed:{folder.name}")
    # Concurrent loaders of other versions could record the entries in another order.
    run(session, "SELECT pg_advisory_xact_lock(hashtext('seeds'))")
    entries = [
        (writer, item, f"{folder.name}/{name}")
        for name, writer in _FILES
        for item in _items(folder / name)
    ]
    changed = [entry for entry in entries if _record(session, entry[2], entry[1])]
    if changed:
        _lock(session, sorted({name for _, item, _ in changed for name in _names(item)}))
    for entry in changed:
        _load_item(session, *entry)
    return Loaded(len(changed), len(entries) - len(changed))


def _lock(session: Session, names: Sequence[str]) -> None:
    """Lock the rows with these external ids, and what triggers lock, in the order of all writers.

    Each entry alone would do so, but the triggers of the first would take their locks before the
    rows of the next are locked.
    """
    ids: dict[str, list[UUID]] = {}
    for table in WRITERS:
        if table == "claims":
            lock_dependent_claims(session, ids["sources"], names)
            continue
        sql = f"SELECT id FROM {table} WHERE external_id = ANY ($1) ORDER BY id FOR NO KEY UPDATE"
        ids[table] = [row[0] for row in run(session, sql, names)]
    lock_for_triggers(session, TRIGGER_LOCKS)


def _names(given: object) -> Iterator[str]:
    """The external ids in an entry: its own, and those of the rows that it refers to."""
    if isinstance(given, list):
        yield from chain.from_iterable(map(_names, given))
    elif isinstance(given, dict):
        for key, value in given.items():
            if key.endswith("external_id") and isinstance(value, str):
                yield value
            else:
                yield from _names(value)


def _is_named(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("external_id"), str)


def _items(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    try:
        items = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidSeed(f"{path} is not JSON: {error}.") from None
    if not isinstance(items, list):
        raise InvalidSeed(f"{path} is not a list of entries.")
    for number, item in enumerate(items, start=1):
        if not _is_named(item):
            raise InvalidSeed(f"Entry {number} of {path} has no external_id.")
        yield item


def _record(session: Session, file: str, item: Mapping[str, object]) -> bool:
    content = json.dumps(item, sort_keys=True, ensure_ascii=False)
    recorded = run(
        session,
        "INSERT INTO seed_items (file, external_id, content_sha256) VALUES ($1, $2, $3)"
        " ON CONFLICT (file, external_id) DO UPDATE"
        " SET content_sha256 = excluded.content_sha256, loaded_at = now()"
        " WHERE seed_items.content_sha256 <> excluded.content_sha256 RETURNING 1",
        file,
        item["external_id"],
        hashlib.sha256(content.encode()).hexdigest(),
    )
    return bool(recorded)


def _load_item(session: Session, writer: Writer, item: Row, file: str) -> None:
    for name in writer.parts:
        parts = item.get(name, [])
        if not isinstance(parts, list) or not all(map(_is_named, parts)):
            reason = f"{name} must be a list of entries, each with an external_id."
            raise InvalidSeed(f"{item['external_id']} in {file}: {reason}")
    try:
        _write(session, writer, item)
    except (DomainError, ValidationError) as error:
        faults = error.faults if isinstance(error, FaultsError) else ()
        places = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        reason = f"{error} {places}".rstrip()
        raise InvalidSeed(f"{item['external_id']} in {file}: {reason}") from error


def _write(session: Session, writer: Writer, item: Row) -> None:
    sql = (
        f"SELECT id, deleted_at IS NULL FROM {writer.table} WHERE external_id = $1"
        " ORDER BY deleted_at IS NOT NULL LIMIT 1"
    )
    found = run(session, sql, item["external_id"])
    if not found:
        create(session, writer.table, writer.creation.load(item))
        return
    ((id, live),) = found
    if not live:
        # A deleted row stays deleted.
        return
    # Fields that cannot be changed keep their values.
    patch = {name: value for name, value in item.items() if name not in writer.fixed}
    update(session, writer.table, id, None, writer.patch_schema().load(patch))
    for name, part in writer.parts.items():
        for nested in item.get(name, []):
            _write(session, part, {**nested, "claim_id": str(id)})
