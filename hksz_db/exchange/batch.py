"""A batch of entries: what is there of them already, what is made for them, what they come to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.exchange.already import Already
from hksz_db.exchange.readers.entries import Entry
from hksz_db.services import bulk
from hksz_db.services.kinds import KINDS
from hksz_db.services.loading import load
from schemas.fields import EXTERNAL_ID_PATTERN
from schemas.sources import SourceCreateSchema

# What comes with entities is a source.
_SOURCE = SourceCreateSchema()


@dataclass(frozen=True)
class Report:
    """What became of an entry, or with a dry run would become of it.

    ``faults`` say why it failed, ``warnings`` what of it is not kept and what is to be seen to.
    ``matched`` says as what it is there already, when it is so under another name. ``entities``
    counts those that were made for it.
    """

    entry: Entry
    outcome: BulkOutcome
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    matched: str | None = None
    entities: int = 0


@dataclass
class Batch:
    """Entries of one resource, in which nothing has a name or a DOI twice."""

    session: Session
    mode: BulkMode
    entries: Sequence[Entry]

    def reports(self) -> list[Report]:
        """A report for each of the entries, in their order."""
        checked = [_checked(entry) for entry in self.entries]
        found = Already(self.session, checked)
        reports = [self._settled(entry, found) for entry in checked]
        wanted = [entry for entry, report in zip(checked, reports, strict=True) if not report]
        made = self._make_entities(wanted)
        written = iter(self._write(wanted))
        return [report or _with_entities(next(written), made) for report in reports]

    def _settled(self, entry: Entry, found: Already) -> Report | None:
        """The report of an entry that is not to be written."""
        if entry.item is None:
            return Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
        matched = found.under_another_name(entry)
        if matched is None:
            return None
        return Report(entry, BulkOutcome.IGNORED, warnings=entry.warnings, matched=matched)

    def _make_entities(self, entries: Sequence[Entry]) -> dict[str, list[str]]:
        """Make the entities that are not there; by name, the others that are called the same."""
        wanted = {entity["external_id"]: entity for entry in entries for entity in entry.entities}
        sql = "SELECT external_id FROM entities WHERE external_id = ANY ($1)"
        there = {name for (name,) in run(self.session, sql, list(wanted))} if wanted else set()
        new = [entity for name, entity in wanted.items() if name not in there]
        if not new:
            return {}
        # Others may make them at the same moment.
        mode = BulkMode.IGNORE
        results = bulk.write(self.session, KINDS["entities"], new, mode, atomic=False)
        made: dict[str, list[str]] = {
            str(result.external_id): []
            for result in results
            if result.outcome is BulkOutcome.CREATED
        }
        alike = run(
            self.session,
            "SELECT made.external_id, coalesce(other.external_id, other.id::text)"
            " FROM entities AS made JOIN entities AS other"
            " ON other.name = made.name AND other.id <> made.id AND other.deleted_at IS NULL"
            " WHERE made.external_id = ANY ($1) ORDER BY 1, 2",
            list(made),
        )
        for name, other in alike:
            made[name].append(other)
        return made

    def _write(self, entries: Sequence[Entry]) -> list[Report]:
        if not entries:
            return []
        writer = KINDS[entries[0].resource]
        items = [entry.item for entry in entries]
        results = bulk.write(self.session, writer, items, self.mode, atomic=False)
        return [
            Report(entry, result.outcome, result.faults, entry.warnings)
            for entry, result in zip(entries, results, strict=True)
        ]


def _checked(entry: Entry) -> Entry:
    """The entry, failing where its name or, if entities are made for it, anything is wrong."""
    if entry.item is None:
        return entry
    name = entry.item.get("external_id")
    if not isinstance(name, str) or not re.fullmatch(EXTERNAL_ID_PATTERN, name):
        detail = "Must be a namespace, a colon and a name, such as hksz:ttps-approved-2023."
        return entry.failing(Fault("invalid", detail, "#/external_id"))
    if entry.entities:
        try:
            load(_SOURCE, entry.item)
        except Invalid as error:
            return entry.failing(*error.faults)
    return entry


def _with_entities(report: Report, made: dict[str, list[str]]) -> Report:
    """The report with the entities that were made for its entry, each told of once."""
    warnings = list(report.warnings)
    count = 0
    for entity in report.entry.entities:
        others = made.pop(entity["external_id"], None)
        if others is None:
            continue
        count += 1
        if others:
            name = entity["names"][0]["name"]
            warnings.append(
                f"new: {entity['external_id']} ({name}), called as {', '.join(others)}:"
                " merge them if they are one"
            )
    return replace(report, warnings=tuple(warnings), entities=count)
