"""What is there already, under another name than the import would give it."""

import re
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.exchange.readers.entries import Entry
from schemas.fields import DOI_PATTERN


class _Row(NamedTuple):
    id: str
    external_id: str | None
    live: bool

    @property
    def text(self) -> str:
        return f"{self.external_id or self.id}{'' if self.live else ', which was deleted'}"


class Already:
    """The rows that entries of one resource speak of."""

    def __init__(self, session: Session, entries: Sequence[Entry]) -> None:
        self._session = session
        self._table = entries[0].resource
        live = [entry for entry in entries if entry.item is not None]
        names = [entry.external_id for entry in live] + [n for e in live for n in e.known_as]
        self._named = self._look_up("external_id", [name for name in names if name])
        ids = [id for entry in live if (id := _uuid(entry.row_id))]
        self._by_id = self._look_up("id", ids)
        dois = [entry.doi for entry in live if entry.doi and re.fullmatch(DOI_PATTERN, entry.doi)]
        self._by_doi = self._look_up("doi", dois) if self._table == "sources" else {}

    def _look_up(self, column: str, values: Sequence[str]) -> dict[str, _Row]:
        if not values:
            return {}
        kind = "uuid" if column == "id" else "text"
        row = "id::text, external_id, deleted_at IS NULL"
        sql = f"SELECT {column}::text, {row} FROM {self._table} WHERE {column} = ANY ($1::{kind}[])"
        return {row[0]: _Row(*row[1:]) for row in run(self._session, sql, list(values))}

    def under_another_name(self, entry: Entry) -> str | None:
        """As what the row of an entry is there; ``None`` where it is not, or under its own name."""
        if entry.external_id in self._named:
            return None
        found = self._by_id.get(_uuid(entry.row_id) or "")
        for name in entry.known_as:
            found = found or self._named.get(name)
        found = found or self._by_doi.get(entry.doi or "")
        return found.text if found else None


def _uuid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None
