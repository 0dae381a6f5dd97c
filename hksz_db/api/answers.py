"""Responses: the JSON that PostgreSQL built, with the headers that go with it."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from threading import Semaphore
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from flask import Response, current_app, request
from marshmallow import Schema

from hksz_db.api.conditions import content_tag, is_known
from hksz_db.api.languages import localized, preference, read_with
from hksz_db.api.problems import fault_document
from hksz_db.api.requests import database, place, refused_cursor
from hksz_db.database import Prepared, Session, fetch_in
from hksz_db.domain.errors import Fault, Gone, Merged, NotFound
from hksz_db.domain.strict_json import compact
from hksz_db.exchange import exporting
from hksz_db.queries import comparison_pages
from hksz_db.queries import versions as row_versions
from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.consequences import consequences
from hksz_db.queries.facets import asked, facets_statement, selected
from hksz_db.queries.keysets import Keyset, encode_cursor
from hksz_db.queries.pages import (
    RANKED,
    document_statement,
    groups_statement,
    keyset_of,
    matches_statement,
    page_statement,
    part_statement,
)
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.readable import Readable
from hksz_db.services.warnings import WARNED, of_stored
from schemas.base import nested_schema
from schemas.facets import MOST_COUNTED, FacetsSchema

MAX_EXPORTS = 2
"""How many exports a worker process sends at once."""

_MAX_EXPORT_S = 3600


def json_response(body: bytes, status: int = 200) -> Response:
    """A response with a JSON text."""
    return Response(body, status, content_type="application/json")


def one(resource: Readable, id: UUID, reading: Reading) -> Response:
    """The document of a row. Raises ``NotFound``, ``Gone`` or ``Merged``."""
    preferred = preference(reading.lang)
    fields = read_with(resource.schema, reading.fields, preferred)
    rows = database().read(document_statement(resource.name, fields), {"id": id}, reading.as_of)
    version, stored = _document(resource, id, rows)
    body, languages = localized(stored, resource.schema, reading.fields, preferred, reading.as_of)
    return _tagged(f"{version}-{content_tag(body)}", body, languages)


def part(
    resource: Readable,
    id: UUID,
    name: str,
    *,
    as_of: datetime | None = None,
    lang: str | None = None,
) -> Response:
    """One field of a row's document as a document of its own. An array is wrapped in ``data``."""
    stored = raw(resource, id, part_statement(resource.name, name), as_of)
    schema = nested_schema(resource.schema._declared_fields[name])
    body, languages = localized(stored, schema, None, preference(lang), as_of)
    wrapped = b'{"data":%b}' % body if body.startswith(b"[") else body
    return tagged(wrapped, languages)


def raw(resource: Readable, id: UUID, statement: Prepared, as_of: datetime | None = None) -> bytes:
    """The JSON that a statement makes of a row. Raises ``NotFound``, ``Gone`` or ``Merged``.

    The statement takes ``:id`` and returns the same columns as ``document_statement``.
    """
    return _document(resource, id, database().read(statement, {"id": id}, as_of))[1]


def written(
    session: Session,
    resource: Readable,
    id: UUID,
    status: int,
    warnings: Sequence[Fault] | None = None,
    *,
    dry_run: bool = False,
) -> Response:
    """The document of a row as the transaction leaves it, with almost everything embedded.

    If the resource has ``warnings``, they come after its fields, and are read if they are not
    given. The ETag is that of the document without them. After a ``dry_run``, the consequences come
    last, and there is neither an ETag nor a Location, because what they would name does not exist.
    """
    statement = document_statement(resource.name, resource.written)
    version, body = _document(resource, id, fetch_in(session, statement, {"id": id}))
    tag = f'"{version}-{content_tag(body)}"'
    if resource.name in WARNED:
        if warnings is None:
            warnings = of_stored(session, resource.name, [id]).get(id, [])
        shown = compact([fault_document(warning) for warning in warnings])
        body = b'%b,"warnings":%b}' % (body[:-1], shown)
    if dry_run:
        found = consequences(session, resource.name, id)
        return json_response(b'%b,"consequences":%b}' % (body[:-1], found), status)
    response = json_response(body, status)
    response.headers["ETag"] = tag
    if status == 201:
        response.headers["Location"] = f"/v1/{resource.name}/{id}"
    return response


def deleted(session: Session, resource: Readable, id: UUID) -> Response:
    """No content, with the ETag that a restore needs."""
    statement = document_statement(resource.name, ("id",))
    ((version, *_),) = fetch_in(session, statement, {"id": id})
    response = Response(status=204)
    response.headers["ETag"] = f'"{version}"'
    return response


def _document(
    resource: Readable, id: UUID, rows: list[tuple[int, bool, UUID | None, bytes]]
) -> tuple[int, bytes]:
    if not rows:
        raise NotFound(resource.singular, id)
    version, is_deleted, into_id, body = rows[0]
    if into_id is not None:
        raise Merged(resource.singular, id, version, into_id)
    if is_deleted:
        raise Gone(resource.singular, id, version)
    return version, body


def computed(document: object, status: int = 200) -> Response:
    """A document that is not stored."""
    return json_response(compact(document), status)


def page(
    resource: Readable, question: Question, within: tuple[Readable, UUID] | None = None
) -> Response:
    """A page of documents with the cursor of the next page.

    ``within`` is the row whose parts are listed. Raises ``NotFound`` or ``Gone`` if it is missing.
    """
    identity = question.identity(resource.name)
    begun = _begin(question, identity, keyset_of(resource.name, question.sort))
    fields = read_with(resource.schema, question.fields, preference(question.lang))
    shape = replace(question.shape(resource.name, begun.after), fields=fields)
    matches = partial(matches_statement, shape.matching)
    begun = begun.with_values(question.values())
    return _page(question, begun, _Listing(page_statement(shape), matches, resource.schema), within)


def comparisons(question: Question, of: tuple[Readable, UUID] | None = None) -> Response:
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
        reasons = comparison_pages.not_compared_statement(shape.matching, of is not None)
        ((found,),) = database().read(reasons, begun.values, question.as_of)
        meta["not_compared"] = json.loads(found)
    return _page(question, begun, _Listing(statement, matches, COMPARISONS.schema, meta), of)


def versions(resource: Readable, id: UUID, question: Question) -> Response:
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

    With the ``schema`` of its documents, their names are in the language that the client prefers.
    ``meta`` is added to that of the page.
    """

    statement: Prepared
    matches: Callable[[], Prepared] | None = None
    schema: type[Schema] | None = None
    meta: Mapping[str, object] = field(default_factory=dict)


def _page(
    question: Question, begun: _Begun, listing: _Listing, within: tuple[Readable, UUID] | None
) -> Response:
    """The page that a listing returns."""
    try:
        ((items, keys_after, ranked, total),) = database().read(
            listing.statement, begun.values, question.as_of
        )
    except psycopg.DataError:
        if question.cursor is None:
            raise
        # Everything else was checked by a schema; only a forged cursor can hold an invalid key.
        raise refused_cursor() from None
    if items is None and within is not None:
        one(*within, Reading(("id",), question.as_of))
    meta: dict[str, Any] = {
        "next_cursor": None if keys_after is None else encode_cursor(keys_after, begun.identity),
        "per_page": question.per_page,
        **listing.meta,
    }
    if ranked is not None:
        meta["ranked"] = {"matches": ranked, "all": ranked < RANKED}
    if question.count == "exact":
        meta["count"] = {"value": total, "kind": "exact"}
    elif question.count == "estimated" and listing.matches is not None:
        estimate = database().explain(listing.matches(), begun.values, question.as_of)
        meta["count"] = {"value": estimate, "kind": "estimated"}
    data, languages = b"[%b]" % (items or b""), None
    if listing.schema is not None:
        preferred = preference(question.lang)
        data, languages = localized(
            data, listing.schema, question.fields, preferred, question.as_of
        )
    response = tagged(b'{"data":%b,"meta":%b}' % (data, compact(meta)), languages)
    if keys_after is not None and request.method in {"GET", "HEAD"}:
        response.headers["Link"] = next_link(meta["next_cursor"])
    return response


def next_link(cursor: str) -> str:
    """The ``Link`` header with the next page of the list that the request asks for."""
    given = {name: ",".join(values) for name, values in request.args.lists()}
    query = {**given, "cursor": cursor}
    return f'<{request.path}?{urlencode(query)}>; rel="next"'


def groups(resource: Readable, question: Question, group_by: tuple[str, ...]) -> Response:
    """The number of rows in each group, the largest group first."""
    statement = groups_statement(question.shape(resource.name, None), group_by)
    ((items,),) = database().read(statement, question.values(), question.as_of)
    return tagged(b'{"data":%b,"meta":%b}' % (items, compact({"group_by": group_by})))


def facets(question: Question, most: int) -> Response:
    """The facets of claims, each with at most ``most`` values and those that are filtered by."""
    filters = question.filters
    statement = facets_statement(asked(filters), searched=question.search is not None)
    values = {**question.values(), **selected(filters), "values": most}
    ((found, claims),) = database().read(statement, values, question.as_of)
    preferred = preference(question.lang)
    body, languages = localized(found, FacetsSchema, None, preferred, question.as_of)
    meta = {"counted": {"claims": claims, "all": claims < MOST_COUNTED}, "values": most}
    return tagged(b'{"data":%b,"meta":%b}' % (body, compact(meta)), languages)


def tagged(body: bytes, languages: Sequence[str] | None = None) -> Response:
    """A JSON text with an entity tag of its own, and the ``languages`` of names as ``_tagged``."""
    return _tagged(content_tag(body), body, languages)


def _tagged(tag: str, body: bytes, languages: Sequence[str] | None = None) -> Response:
    """The response; ``languages`` are given if it depends on those that the client prefers."""
    response = Response(status=304) if is_known(tag) else json_response(body)
    response.headers["ETag"] = f'"{tag}"'
    # Caches may store it, but must revalidate it.
    response.headers["Cache-Control"] = "no-cache"
    if languages is not None:
        response.headers["Vary"] = "Accept-Language"
    if languages:
        response.headers["Content-Language"] = ", ".join(languages)
    return response


def export(resource: Readable, wanted: exporting.Export) -> Response:
    """The file, which is streamed. A ``HEAD`` request reads nothing."""
    response = Response(content_type=wanted.form.media_type)
    name = f"{resource.name}-{datetime.now(UTC).date()}.{wanted.form.suffix}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    if request.method != "HEAD":
        pieces = _pieces(wanted)
        # An error that prevents even the first piece can still be answered with a status.
        first = next(pieces, b"")
        response.call_on_close(pieces.close)
        response.response = chain([first], pieces)
    return response


def _pieces(wanted: exporting.Export) -> Generator[bytes]:
    places: Semaphore = current_app.extensions["hksz_export_places"]
    with place(places, "Too many concurrent exports; try again later."):
        yield from exporting.export(database(), wanted, at_most_s=_MAX_EXPORT_S)
