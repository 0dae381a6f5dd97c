"""What differs between two versions of a row."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from flask import Response

from hksz_db.domain.differences import differences
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.queries import versions
from hksz_db.web.labels import place_in_words, value_in_words
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
        numbers=(version, other),
        changes=_changes(earlier, later),
    )


def changes_between(
    resource: str, id: UUID, version: int, other: int, without: Collection[str] = ()
) -> list[Change]:
    """The changes that lead from one version of a row to another, without those of some fields."""
    earlier, later = _documents(resource, id, version, other)
    return _changes(earlier, later, without)


def _documents(resource: str, id: UUID, *numbers: int) -> list[dict[str, object] | None]:
    return [versions.document_in(database(), resource, id, number) for number in numbers]


def _changes(earlier: object, later: object, without: Collection[str] = ()) -> list[Change]:
    return [
        Change(
            place_in_words(each.pointer),
            value_in_words(each.before, _name(each.pointer)),
            value_in_words(each.after, _name(each.pointer)),
        )
        for each in differences(earlier, later)
        if each.pointer.removeprefix("/").partition("/")[0] not in without
    ]


def _name(pointer: str) -> str:
    """The last field that a JSON pointer names."""
    return next((part for part in reversed(pointer.split("/")) if not part.isdigit()), "")
