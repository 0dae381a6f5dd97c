"""What differs between two versions of a row."""

import json
from typing import NamedTuple
from uuid import UUID

from flask import Response

from hksz_db.domain.differences import differences
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.queries import versions
from hksz_db.web.site import given, pages, shown
from schemas.parameters import Parameters

_TITLES = {"claims": "statement", "entities": "name", "sources": "title", "metrics": "label"}
_ROW = f"<any({', '.join(_TITLES)}):resource>/<uuid:id>"


class Change(NamedTuple):
    """A field that changed, and its values before and after; an empty text is no value."""

    field: str
    before: str
    after: str


@pages.get(f"/{_ROW}/history/<int:version>/<int:other>")
@costs(Cost.BOUNDED)
def difference(resource: str, id: UUID, version: int, other: int) -> Response:
    """The changes that lead from one version of a row to another."""
    Parameters({}).read(given())
    earlier, later = _documents(resource, id, version, other)
    shown_document = later or earlier or {}
    return shown(
        "difference.html",
        resource=resource,
        id=id,
        name=shown_document.get(_TITLES[resource], ""),
        language=shown_document.get("language") or shown_document.get("name_language"),
        version=version,
        other=other,
        changes=_changes(earlier, later),
    )


def changes_between(resource: str, id: UUID, version: int, other: int) -> list[Change]:
    """The changes that lead from one version of a row to another."""
    return _changes(*_documents(resource, id, version, other))


def _documents(resource: str, id: UUID, *numbers: int) -> list[dict[str, object] | None]:
    return [versions.document_in(database(), resource, id, number) for number in numbers]


def _changes(earlier: object, later: object) -> list[Change]:
    return [
        Change(_path(each.pointer), _text(each.before), _text(each.after))
        for each in differences(earlier, later)
    ]


def _path(pointer: str) -> str:
    """A JSON pointer as words: ``evidence 2 status``."""
    parts = pointer.strip("/").split("/")
    return " ".join(
        str(int(part) + 1) if part.isdigit() else part.replace("_", " ") for part in parts
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
