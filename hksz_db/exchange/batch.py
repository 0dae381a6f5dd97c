"""Import a batch of entries: match existing rows, create entities, write the rest."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.exchange.readers.entries import ImportEntry
from hksz_db.services import bulk
from hksz_db.services.kinds import KINDS
from hksz_db.services.loading import load
from schemas.fields import DOI_PATTERN, EXTERNAL_ID_PATTERN
from schemas.sources import SourceCreateSchema

_SOURCE = SourceCreateSchema()


@dataclass(frozen=True)
class Report:
    """The outcome of an entry.

    ``faults`` say why it failed; ``warnings`` say what is not kept or needs attention. ``matched``
    names the existing row if that has another external id. ``entities`` counts new entities.
    """

    entry: ImportEntry
    outcome: BulkOutcome
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    matched: str | None = None
    entities: int = 0


def import_batch(session: Session, mode: BulkMode, entries: Sequence[ImportEntry]) -> list[Report]:
    """Write entries of one resource with distinct names and DOIs; a report for each."""
    entries = [_checked(entry) for entry in entries]
    reports = [
        _unwritten(entry, match)
        for entry, match in zip(entries, _existing(session, entries), strict=True)
    ]
    wanted = [entry for entry, report in zip(entries, reports, strict=True) if not report]
    namesakes = _create_entities(session, wanted)
    written = iter(_write(session, mode, wanted))
    return [report or _with_entities(next(written), namesakes) for report in reports]


def _checked(entry: ImportEntry) -> ImportEntry:
    """Fail an entry with a wrong name, or with entities but an invalid source."""
    if entry.item is None:
        return entry
    name = entry.item.get("external_id")
    if not isinstance(name, str) or not re.fullmatch(EXTERNAL_ID_PATTERN, name):
        detail = "Must be a namespace, a colon and a name, such as hksz:ttps-approved-2023."
        return entry.failed(Fault("invalid", detail, "#/external_id"))
    if entry.entities:
        try:
            load(_SOURCE, entry.item)
        except Invalid as error:
            return entry.failed(*error.faults)
    return entry


def _existing(session: Session, entries: Sequence[ImportEntry]) -> list[str | None]:
    """For each entry the existing row, if its external id is not that of the entry."""
    table = entries[0].resource
    # Other resources have no DOI; each condition needs an index, or the whole table is read.
    doi = "doi" if table == "sources" else "external_id"
    valid = [entry for entry in entries if entry.item is not None]
    if not valid:
        return [None] * len(entries)
    rows = run(
        session,
        f"SELECT external_id, id::text, {doi}, deleted_at IS NULL FROM {table}"
        f" WHERE external_id = ANY ($1) OR id = ANY ($2::uuid[]) OR {doi} = ANY ($3)",
        [name for entry in valid for name in (entry.external_id, entry.known_as) if name],
        [id for entry in valid if (id := _uuid(entry.row_id))],
        [entry.doi for entry in valid if entry.doi and re.fullmatch(DOI_PATTERN, entry.doi)],
    )
    # External ids, ids and DOIs have different forms, so one mapping holds all three.
    found = {
        key: f"{keys[0] or keys[1]}{'' if is_live else ', which was deleted'}"
        for *keys, is_live in rows
        for key in keys
        if key
    }

    def match(entry: ImportEntry) -> str | None:
        if entry.external_id in found:
            return None
        keys = (_uuid(entry.row_id), entry.known_as, entry.doi)
        return next((found[key] for key in keys if key in found), None)

    return [match(entry) for entry in entries]


def _uuid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def _unwritten(entry: ImportEntry, match: str | None) -> Report | None:
    """The report of an entry that is not written."""
    if entry.item is None:
        return Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
    if match:
        return Report(entry, BulkOutcome.IGNORED, warnings=entry.warnings, matched=match)
    return None


def _create_entities(session: Session, entries: Sequence[ImportEntry]) -> dict[str, list[str]]:
    """Create missing entities; return their external ids, each with other entities of its name."""
    wanted = {entity["external_id"]: entity for entry in entries for entity in entry.entities}
    sql = "SELECT external_id FROM entities WHERE external_id = ANY ($1)"
    existing = {name for (name,) in run(session, sql, list(wanted))} if wanted else set()
    new = [entity for name, entity in wanted.items() if name not in existing]
    if not new:
        return {}
    # IGNORE, because a concurrent import may create the same entities.
    results = bulk.write(session, KINDS["entities"], new, BulkMode.IGNORE, atomic=False)
    created: dict[str, list[str]] = {
        str(result.external_id): [] for result in results if result.outcome is BulkOutcome.CREATED
    }
    namesakes = run(
        session,
        "SELECT made.external_id, coalesce(other.external_id, other.id::text)"
        " FROM entities AS made JOIN entities AS other"
        " ON other.name = made.name AND other.id <> made.id AND other.deleted_at IS NULL"
        " WHERE made.external_id = ANY ($1) ORDER BY 1, 2",
        list(created),
    )
    for name, other in namesakes:
        created[name].append(other)
    return created


def _write(session: Session, mode: BulkMode, entries: Sequence[ImportEntry]) -> list[Report]:
    if not entries:
        return []
    items = [entry.item for entry in entries]
    results = bulk.write(session, KINDS[entries[0].resource], items, mode, atomic=False)
    return [
        Report(entry, result.outcome, result.faults, entry.warnings)
        for entry, result in zip(entries, results, strict=True)
    ]


def _with_entities(report: Report, namesakes: dict[str, list[str]]) -> Report:
    """Add the new entities to the report of the first entry that refers to them."""
    warnings = list(report.warnings)
    count = 0
    for entity in report.entry.entities:
        others = namesakes.pop(entity["external_id"], None)
        if others is None:
            continue
        count += 1
        if others:
            name = entity["names"][0]["name"]
            warnings.append(
                f"new: {entity['external_id']} ({name}) has the same name as"
                f" {', '.join(others)}; merge them if they are the same"
            )
    return replace(report, warnings=tuple(warnings), entities=count)
