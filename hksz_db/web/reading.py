"""What the pages of claims, entities, sources and metrics have in common."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask import request

from hksz_db.domain.languages import Preference
from hksz_db.http import documents
from hksz_db.http.requests import database
from hksz_db.queries.document_types import Version
from hksz_db.queries.filters import Expression
from hksz_db.queries.languages import languages_of
from hksz_db.queries.questions import PAGING, PART, Question, Reading
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.web import moments
from hksz_db.web.interface import names_preferred
from hksz_db.web.moments import Moment
from hksz_db.web.site import FormatLink, given
from schemas.parameters import Parameters

_VERSIONS = 20
_OPTIONS = Parameters({"lang": PART.fields["lang"], "cursor": PAGING.fields["cursor"]})


@dataclass(frozen=True)
class Asked:
    """What the query string asks of a page: the languages of names, a moment, a page of a list."""

    preferred: Preference | None
    moment: Moment | None
    cursor: str | None

    @property
    def as_of(self) -> datetime | None:
        """The moment as of which rows are read."""
        return None if self.moment is None else self.moment.at

    def document(self, resource: Readable, id: UUID) -> Any:
        """The whole document of a row. Raises ``NotFound``, ``Gone`` or ``Merged``."""
        reading = Reading(tuple(resource.document), self.as_of)
        return json.loads(documents.document(resource, id, reading, self.preferred).body)

    def languages(self, resource: str, ids: Iterable[str]) -> dict[str, str | None]:
        """The languages of claims or sources, which summaries lack."""
        return languages_of(database(), resource, ids, self.as_of)

    def listed(
        self,
        resource: str,
        filters: Expression,
        fields: Sequence[str],
        per_page: int,
        sort: str = "id",
        cursor: str | None = None,
    ) -> tuple[Any, str | None]:
        """Documents that meet the filters, in the order of ``sort``, and the next cursor."""
        key, is_descending = sort.removeprefix("-"), sort.startswith("-")
        question = Question(
            filters,
            sort=tuple({key: is_descending, "id": is_descending}.items()),
            fields=tuple(fields),
            per_page=per_page,
            cursor=cursor,
            as_of=self.as_of,
        )
        page = documents.page(RESOURCES[resource], question, self.preferred)
        return json.loads(page.data), page.meta["next_cursor"]


class History(NamedTuple):
    """The latest versions of a row, and whether there are earlier ones."""

    resource: str
    id: UUID
    versions: list[Version]
    has_more: bool


def asked() -> Asked:
    """What the query string asks. Raises ``Malformed``."""
    # A browser that asked for a document may have chosen its fields; the page has all of them.
    values = _OPTIONS.read(given(moments.PARAMETER, "select", "include"))
    moment = moments.read_moment(request.args.get(moments.PARAMETER))
    return Asked(names_preferred(values.get("lang")), moment, values.get("cursor"))


def history_of(resource: Readable, id: UUID) -> History:
    """The latest versions of a row."""
    page = documents.versions(resource, id, Question(per_page=_VERSIONS))
    has_more = page.meta["next_cursor"] is not None
    return History(resource.name, id, json.loads(page.data), has_more)


def document_link(resource: str, id: UUID, question: Asked) -> FormatLink:
    """The document of the page, as JSON."""
    moment = "" if question.as_of is None else f"?{_moment(question.as_of)}"
    return FormatLink("JSON", f"/v1/{resource}/{id}{moment}", "application/json")


def list_formats(
    resource: str, pairs: Sequence[tuple[str, str]], formats: Iterable[tuple[str, str]]
) -> list[FormatLink]:
    """A list as JSON, and all of its rows in the formats, given as labels and names."""
    asked = urlencode(pairs)
    filters = [pair for pair in pairs if pair[0] not in {"cursor", "per_page", "count", "lang"}]
    exports = [
        FormatLink(label, f"/v1/{resource}/export?{urlencode([('format', form), *filters])}")
        for label, form in formats
    ]
    return [FormatLink("JSON", f"/v1/{resource}?{asked}" if asked else f"/v1/{resource}"), *exports]


def export_link(
    label: str, resource: str, form: str, media_type: str, question: Asked, **filters: str
) -> FormatLink:
    """An export in a format."""
    pairs = {"format": form, **filters}
    if question.as_of is not None:
        pairs["as_of"] = question.as_of.isoformat()
    return FormatLink(label, f"/v1/{resource}/export?{urlencode(pairs)}", media_type)


def today() -> str:
    """The day, as the field for a day takes it."""
    return datetime.now(UTC).date().isoformat()


def _moment(at: datetime) -> str:
    return urlencode({"as_of": at.isoformat()})
