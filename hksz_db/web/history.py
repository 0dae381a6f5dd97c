"""What differs between two versions of a claim."""

import json
from typing import Any, NamedTuple
from uuid import UUID

from flask import Response

from hksz_db.domain.differences import differences
from hksz_db.http.costs import Cost, costs
from hksz_db.http.requests import database
from hksz_db.queries import versions
from hksz_db.web.site import given, pages, shown
from schemas.parameters import Parameters

_CLAIMS = "claims"


class Change(NamedTuple):
    """A field that changed, and its values before and after; an empty text is no value."""

    field: str
    before: str
    after: str


@pages.get("/claims/<uuid:id>/history/<int:version>/<int:other>")
@costs(Cost.BOUNDED)
def claim_difference(id: UUID, version: int, other: int) -> Response:
    """The changes that lead from one version of a claim to another."""
    Parameters({}).read(given())
    earlier, later = (
        versions.document_in(database(), _CLAIMS, id, number) for number in (version, other)
    )
    changes = [
        Change(_path(each.pointer), _text(each.before), _text(each.after))
        for each in differences(earlier, later)
    ]
    shown_document = later or earlier or {}
    return shown(
        "difference.html",
        id=id,
        claim=shown_document,
        version=version,
        other=other,
        changes=changes,
    )


def _path(pointer: str) -> str:
    """A JSON pointer as words: ``evidence 2 status``."""
    parts = pointer.strip("/").split("/")
    return " ".join(
        str(int(part) + 1) if part.isdigit() else part.replace("_", " ") for part in parts
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)
