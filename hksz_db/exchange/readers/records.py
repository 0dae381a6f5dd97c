"""Records of which each becomes several rows: sources, claims and evidence."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.urls import canonical_url
from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN
from hksz_db.exchange.readers.entries import ImportEntry, Item, digest
from hksz_db.exchange.readers.linked_data import Node
from hksz_db.exchange.readers.works import Work, entry
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS

# Each row comes after those that it refers to.
_ORDER = ("sources", "claims", "evidence")
_URN = "urn:uuid:"


class Known(NamedTuple):
    """The names of a row in an export of this service: its external id, and its id."""

    external_id: str | None = None
    id: str | None = None

    @classmethod
    def of(cls, node: Node) -> "Known":
        """The names that the object has, if it has any."""
        name, id = node.text("identifier"), node.id.lower()
        is_name = re.fullmatch(EXTERNAL_ID_PATTERN, name) is not None
        return cls(name if is_name else None, id.removeprefix(_URN) if _URN in id else None)


UNKNOWN = Known()


@dataclass
class Record:
    """A record of a file: the rows that it becomes, and those that cannot be written.

    ``refused`` are the external ids of the latter.
    """

    number: int
    pointer: str
    namespace: str
    entries: list[ImportEntry] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    def refuse(self, resource: str, detail: str, at: str = "", code: str = "required") -> None:
        """Say that the record cannot become the row; ``at`` is the place of the fault."""
        fault = Fault(code, detail, at or self.pointer)
        self.entries.append(replace(self._entry(resource, None), faults=(fault,)))

    def source(self, work: Work, known: Known = UNKNOWN) -> str:
        """Add a source; its external id, which follows from its address, if it has one."""
        if work.url:
            work.id = f"page-{digest(canonical_url(work.url))}"
        made = entry(work, self.number, self.namespace, unit="record")
        label = self._label("sources")
        self._append(replace(made, label=label, known_as=known.external_id, row_id=known.id))
        return str(made.external_id)

    def add(
        self, resource: str, item: Item, warnings: Iterable[str] = (), known: Known = UNKNOWN
    ) -> None:
        """Add a row; fields that the record lacks are left out of it."""
        kept = {name: value for name, value in item.items() if value not in (None, "", [])}
        made = replace(self._entry(resource, kept), warnings=tuple(warnings))
        self._append(replace(made, known_as=known.external_id, row_id=known.id))

    def name(self, kind: str, *content: str) -> str:
        """An external id that follows from the content."""
        return f"{self.namespace}:{kind}-{digest(chr(0).join(content))}"

    def _append(self, made: ImportEntry) -> None:
        """Add a row, unless its body or a row of the record that it refers to is refused."""
        faults = _faults(made)
        if not self.refused.isdisjoint(_references(made).values()):
            faults.append(Fault("not_written", "It refers to a row that was refused.", "#"))
        if faults:
            self.refused.add(str(made.external_id))
            made = made.failed(*(fault.within(self.pointer) for fault in faults))
        self.entries.append(made)

    def _entry(self, resource: str, item: Item | None) -> ImportEntry:
        return ImportEntry(self.number, resource, item, label=self._label(resource), unit="record")

    def _label(self, resource: str) -> str:
        return f"{RESOURCES[resource].singular} at {self.pointer}"


def _faults(entry: ImportEntry) -> list[Fault]:
    try:
        load(WRITERS[entry.resource].creation, entry.item)
    except Invalid as error:
        return [*error.faults]
    return []


def _references(entry: ImportEntry) -> dict[str, str]:
    """The references of a piece of evidence to its source and its claim, by field."""
    names = ("source_external_id", "claim_external_id", "claim_id")
    item = entry.item or {}
    return {name: str(item[name]) for name in names if name in item}


def rows(records: Iterable[Record]) -> Iterator[ImportEntry]:
    """The rows of all records in the order of their references.

    A source or a claim that several records describe comes once, as the first describes it; one
    whose evidence was refused is left out.
    """
    first: dict[tuple[str, str], ImportEntry] = {}
    others: list[ImportEntry] = []
    for row in (row for record in records for row in record.entries):
        name = row.external_id
        if name is None or row.resource == "evidence":
            others.append(row)
            continue
        earlier = first.setdefault((row.resource, name), row)
        if earlier.item != row.item:
            note = f"{row.place} describes it in another way, which is not kept"
            warned = replace(earlier, warnings=(*earlier.warnings, note))
            first[row.resource, name] = warned
    found = [*_with_evidence(first, others), *others]
    yield from sorted(found, key=lambda row: _ORDER.index(row.resource))


def _with_evidence(
    described: Mapping[tuple[str, str], ImportEntry], others: Iterable[ImportEntry]
) -> Iterator[ImportEntry]:
    """The sources and claims that have evidence; sources with the claims that the file lacks."""
    claims: dict[str, set[str]] = defaultdict(set)
    for references in map(_references, others):
        source = references.pop("source_external_id", "")
        for claim in references.values():
            claims[source].add(claim)
            claims[claim].add(claim)
    for (_, name), row in described.items():
        is_in_file = any(("claims", claim) in described for claim in claims[name])
        if claims[name]:
            yield row if is_in_file else replace(row, claims=frozenset(claims[name]))
