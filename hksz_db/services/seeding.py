"""Loading data files: through the schemas and services of the API, as often as one likes."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import psycopg
from marshmallow import ValidationError
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import DomainError, FaultsError
from hksz_db.services.kinds import KINDS
from hksz_db.services.rows import Row
from hksz_db.services.violations import translate
from hksz_db.services.writers import Writer


class InvalidSeed(ValueError):
    """An entry of a data file that cannot be loaded; the message says which and why."""


@dataclass(frozen=True)
class Loaded:
    """How many entries were loaded because they are new or differ, and how many were not."""

    changed: int
    unchanged: int


class _Found(NamedTuple):
    """A row that an entry speaks of; one that was deleted stays deleted."""

    id: UUID
    live: bool


# In the order in which they rest on each other; relations rest on entities and claims, and the
# evidence of a file of its own bears on claims that may be another seed's.
_FILES = (
    ("units.json", KINDS["units"]),
    ("metrics.json", KINDS["metrics"]),
    ("entities.json", KINDS["entities"]),
    ("sources.json", KINDS["sources"]),
    ("claims.json", KINDS["claims"]),
    ("evidence.json", KINDS["evidence"]),
    ("relations.json", KINDS["entities"]),
)


def load(session: Session, folder: Path) -> Loaded:
    """Load the data files of a folder.

    Every entry needs an ``external_id``. One that was loaded before in the same state is left
    alone, whatever became of its row since; one that differs is loaded again. What a file no
    longer holds stays. Raises ``InvalidSeed``.
    """
    run(session, "SELECT set_config('hksz.actor', $1, true)", f"seed:{folder.name}")
    # What the triggers would ask for later, when another loader may hold half of it.
    run(session, "SELECT pg_advisory_xact_lock(hashtext('source_relations'))")
    changed = unchanged = 0
    for name, kind in _FILES:
        for item in _items(folder / name):
            if _note(session, f"{folder.name}/{name}", item):
                _load_item(session, kind, item, f"{folder.name}/{name}")
                changed += 1
            else:
                unchanged += 1
    return Loaded(changed, unchanged)


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
        if not isinstance(item, dict) or not isinstance(item.get("external_id"), str):
            raise InvalidSeed(f"Entry {number} of {path} has no external_id.")
        yield item


def _note(session: Session, file: str, item: Row) -> bool:
    content = json.dumps(item, sort_keys=True, ensure_ascii=False)
    noted = run(
        session,
        "INSERT INTO seed_items (file, external_id, content_sha256) VALUES ($1, $2, $3)"
        " ON CONFLICT (file, external_id) DO UPDATE"
        " SET content_sha256 = excluded.content_sha256, loaded_at = now()"
        " WHERE seed_items.content_sha256 <> excluded.content_sha256 RETURNING 1",
        file,
        item["external_id"],
        hashlib.sha256(content.encode()).hexdigest(),
    )
    return bool(noted)


def _load_item(session: Session, kind: Writer, item: Row, file: str) -> None:
    try:
        _check_parts(kind, item)
        found = _find(session, kind.table, item["external_id"])
        if found is None:
            kind.create(session, kind.create_schema().load(item))
        elif found.live:
            _update(session, kind, found.id, item)
    except (DomainError, ValidationError, psycopg.Error) as error:
        reason = _reason(error)
        if reason is None:
            raise
        raise InvalidSeed(f"{item['external_id']} in {file}: {reason}") from error


def _check_parts(kind: Writer, item: Row) -> None:
    for name in kind.parts:
        parts = item.get(name, [])
        named = isinstance(parts, list) and all(
            isinstance(part, dict) and isinstance(part.get("external_id"), str) for part in parts
        )
        if not named:
            raise ValidationError({name: ["Must be a list of entries, each with an external_id."]})


def _update(session: Session, kind: Writer, id: UUID, item: Row) -> None:
    # What was settled at creation stays; what is unknown is refused.
    patch = {name: value for name, value in item.items() if name not in kind.fixed}
    kind.update(session, id, None, kind.patch_schema().load(patch))
    for name, part in kind.parts.items():
        for nested in item.get(name, []):
            found = _find(session, part.table, nested["external_id"])
            if found is None:
                whole = part.create_schema().load({**nested, "claim_id": str(id)})
                part.create(session, whole)
            elif found.live:
                _update(session, part, found.id, nested)


def _find(session: Session, table: str, external_id: str) -> _Found | None:
    sql = f"SELECT id, deleted_at IS NULL FROM {table} WHERE external_id = $1"
    found = run(session, sql, external_id)
    return _Found(*found[0]) if found else None


def _reason(error: Exception) -> str | None:
    known = translate(error) or error
    if isinstance(known, FaultsError):
        faults = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in known.faults)
        return f"{known.detail} {faults}".strip()
    return None if isinstance(known, psycopg.Error) else str(known)
