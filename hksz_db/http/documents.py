"""Documents and pages of documents, as PostgreSQL builds them, with names in a language."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from marshmallow import Schema

from hksz_db.database import Database, Prepared
from hksz_db.domain.errors import Gone, Merged, NotFound
from hksz_db.domain.languages import Preference
from hksz_db.http.languages import Localized, localized, read_with
from hksz_db.http.requests import database, refused_cursor
from hksz_db.queries import comparison_pages
from hksz_db.queries import versions as row_versions
from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.facets import asked, facets_statement, selected
from hksz_db.queries.keysets import Keyset, encode_cursor
from hksz_db.queries.pages import (
    RANKED,
    document_statement,
    keyset_of,
    matches_statement,
    page_statement,
)
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.readable import Readable
from schemas.facets import MOST_COUNTED, FacetsSchema


class Document(NamedTuple):
    """The JSON of a row, the version of the row, and the languages of the names in the JSON."""

    version: int
    body: bytes
    languages: tuple[str, ...]


class Page(NamedTuple):
    """A page: its documents as a JSON array, and ``meta``, which holds the next cursor.

    ``languages`` are those of names; they are ``None`` if the page does not depend on them.
    """

    data: bytes
    meta: Mapping[str, Any]
    languages: tuple[str, ...] | None


class Facets(NamedTuple):
    """The facets of a list as JSON, how many claims were counted, and the languages of names."""

    body: bytes
    meta: Mapping[str, Any]
    languages: tuple[str, ...]


def document(
    resource: Readable, id: UUID, reading: Reading, preferred: Preference | None
) -> Document:
    """The document of a row. Raises ``NotFound``, ``Gone`` or ``Merged``."""
    fields = read_with(resource.schema, reading.fields, preferred)
    rows = database().read(document_statement(resource.name, fields), {"id": id}, reading.as_of)
    version, stored = content(resource, id, rows)
    shown = localized(stored, resource.schema, reading.fields, preferred, reading.as_of)
    return Document(version, shown.body, shown.languages)


def content(
    resource: Readable, id: UUID, rows: Sequence[tuple[int, bool, UUID | None, bytes]]
) -> tuple[int, bytes]:
    """The version and the JSON in what a statement like ``document_statement`` returned.

    Raises ``NotFound``, ``Gone`` or ``Merged``.
    """
    if not rows:
        raise NotFound(resource.singular, id)
    version, is_deleted, into_id, body, *_ = rows[0]
    if into_id is not None:
        raise Merged(resource.singular, id, version, into_id)
    if is_deleted:
        raise Gone(resource.singular, id, version)
    return version, body


def page(
    resource: Readable,
    question: Question,
    preferred: Preference | None,
    within: tuple[Readable, UUID] | None = None,
    source: Database | None = None,
) -> Page:
    """A page of documents with the cursor of the next page.

    ``within`` is the row whose parts are listed. Raises ``NotFound`` or ``Gone`` if it is missing.
    The ``source`` answers, or else the database of the request.
    """
    identity = question.identity(resource.name)
    begun = _begin(question, identity, keyset_of(resource.name, question.sort))
    fields = read_with(resource.schema, question.fields, preferred)
    shape = replace(question.shape(resource.name, begun.after), fields=fields)
    matches = partial(matches_statement, shape.matching)
    begun = begun.with_values(question.values())
    listing = _Listing(page_statement(shape), matches, resource.schema, preferred)
    return _page(question, begun, listing, within, source)


def comparisons(
    question: Question, preferred: Preference | None, of: tuple[Readable, UUID] | None = None
) -> Page:
    """A page of all comparisons, or of those of a figure. Raises ``NotFound`` or ``Gone``."""
    figure = None if of is None else of[1]
    identity = [*question.identity(COMPARISONS.name), figure]
    begun = _begin(question, identity, comparison_pages.KEYSET)
    begun = begun.with_values({**question.values(), "figure": figure})
    shape = question.shape(COMPARISONS.name, begun.after)
    statement = comparison_pages.comparisons_statement(shape, of is not None)
    matches = partial(comparison_pages.pairs_statement, shape.matching, of is not None)
    meta: dict[str, Any] = {}
    if comparison_pages.counts_not_compared(shape, of is not None):
        meta["not_compared"] = not_compared(question, figure)
    if question.count == "exact":
        meta["count"] = _count_of_comparisons(question, figure)
    listing = _Listing(statement, matches, COMPARISONS.schema, preferred, meta)
    return _page(question, begun, listing, of)


def not_compared(question: Question, figure: UUID | None = None) -> list[object] | None:
    """How many pairs are not compared for each reason; ``None`` if there are too many to count.

    The list must be one that ``comparison_pages.counts_not_compared``.
    """
    shape = question.shape(COMPARISONS.name, None).matching
    statement = comparison_pages.not_compared_statement(shape, figure is not None)
    values = {**question.values(), "figure": figure}
    ((found,),) = database().read(statement, values, question.as_of)
    reasons: list[object] | None = json.loads(found)
    return reasons


def _count_of_comparisons(question: Question, figure: UUID | None) -> dict[str, object]:
    shape = question.shape(COMPARISONS.name, None).matching
    statement = comparison_pages.count_statement(shape, figure is not None)
    values = {**question.values(), "figure": figure}
    ((value, is_all),) = database().read(statement, values, question.as_of)
    return {"value": value, "kind": "exact" if is_all else "at_least"}


def facets(question: Question, most: int, preferred: Preference | None) -> Facets:
    """The facets of claims, each with at most ``most`` values and those that are filtered by."""
    statement = facets_statement(asked(question.filters), searched=question.search is not None)
    values = {**question.values(), **selected(question.filters), "values": most}
    ((found, claims),) = database().read(statement, values, question.as_of)
    shown = localized(found, FacetsSchema, None, preferred, question.as_of)
    meta = {"counted": {"claims": claims, "all": claims < MOST_COUNTED}, "values": most}
    return Facets(shown.body, meta, shown.languages)


def versions(resource: Readable, id: UUID, question: Question) -> Page:
    """A page of the versions of a row, deleted or not. Raises ``NotFound``."""
    identity = [*question.identity(resource.name), "history", id]
    begun = _begin(question, identity, row_versions.KEYSET)
    statement = row_versions.page_statement(resource.name, begun.after)
    begun = begun.with_values({"id": id, "rows": question.per_page + 1})
    return _page(question, begun, _Listing(statement), (resource, id))


@dataclass(frozen=True)
class _Begun:
    """Where a page begins: the values to bind, and for each key of the cursor if it has one.

    ``identity`` is what the cursor is checked against.
    """

    identity: object
    values: Mapping[str, object]
    after: tuple[bool, ...] | None

    def with_values(self, values: Mapping[str, object]) -> "_Begun":
        """The same with more values to bind."""
        return replace(self, values={**self.values, **values})


def _begin(question: Question, identity: object, keyset: Keyset) -> _Begun:
    if question.cursor is None:
        return _Begun(identity, {}, None)
    keys = keyset.decode(question.cursor, identity)
    if keys is None:
        raise refused_cursor()
    values = {f"c{n}": key for n, key in enumerate(keys)}
    return _Begun(identity, values, tuple(key is not None for key in keys))


@dataclass(frozen=True)
class _Listing:
    """The statement that returns a page, and the statement of the ``matches`` to be estimated.

    With the ``schema`` of its documents, their names are in the language that is ``preferred``.
    ``meta`` is added to that of the page.
    """

    statement: Prepared
    matches: Callable[[], Prepared] | None = None
    schema: type[Schema] | None = None
    preferred: Preference | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def _page(
    question: Question,
    begun: _Begun,
    listing: _Listing,
    within: tuple[Readable, UUID] | None,
    source: Database | None = None,
) -> Page:
    """The page that a listing returns."""
    source = source or database()
    try:
        ((items, keys_after, ranked, total),) = source.read(
            listing.statement, begun.values, question.as_of
        )
    except psycopg.DataError:
        if question.cursor is None:
            raise
        # Everything else was checked by a schema; only a forged cursor can hold an invalid key.
        raise refused_cursor() from None
    if items is None and within is not None:
        document(*within, Reading(("id",), question.as_of), None)
    meta: dict[str, Any] = {
        "next_cursor": None if keys_after is None else encode_cursor(keys_after, begun.identity),
        "per_page": question.per_page,
        **listing.meta,
    }
    if ranked is not None:
        meta["ranked"] = {"matches": ranked, "all": ranked < RANKED}
    if total is not None:
        meta["count"] = {"value": total, "kind": "exact"}
    elif question.count == "estimated" and listing.matches is not None:
        estimate = source.explain(listing.matches(), begun.values, question.as_of)
        meta["count"] = {"value": estimate, "kind": "estimated"}
    data = b"[%b]" % (items or b"")
    if listing.schema is None:
        return Page(data, meta, None)
    shown: Localized = localized(
        data, listing.schema, question.fields, listing.preferred, question.as_of
    )
    return Page(shown.body, meta, shown.languages)
