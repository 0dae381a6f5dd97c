"""Responses: the JSON that PostgreSQL built, with the headers that go with it."""

from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime
from itertools import chain
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, current_app, request

from hksz_db.api.problems import fault_document
from hksz_db.api.requests import Places
from hksz_db.database import Prepared, Session, fetch_in
from hksz_db.domain.errors import Cause, Fault
from hksz_db.domain.strict_json import compact
from hksz_db.exchange import exporting
from hksz_db.http import documents
from hksz_db.http.conditions import content_tag, document_tag, is_known
from hksz_db.http.languages import localized, preference
from hksz_db.http.requests import arguments, database
from hksz_db.queries.consequences import consequences
from hksz_db.queries.documents import NO_ROWS
from hksz_db.queries.pages import (
    document_statement,
    groups_statement,
    part_statement,
    written_statement,
)
from hksz_db.queries.questions import Question, Reading
from hksz_db.queries.readable import Readable
from hksz_db.services.warnings import WARNED, of_stored
from schemas.base import nested_schema

MAX_EXPORTS = 2
"""How many exports a worker process sends at once."""

_MAX_EXPORT_S = 3600


def json_response(body: bytes, status: int = 200) -> Response:
    """A response with a JSON text."""
    return Response(body, status, content_type="application/json")


def one(resource: Readable, id: UUID, reading: Reading) -> Response:
    """The document of a row. Raises ``NotFound``, ``Gone`` or ``Merged``."""
    version, body, languages = documents.document(resource, id, reading, preference(reading.lang))
    return _tagged(document_tag(version, body), body, languages)


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
    return documents.content(resource, id, database().read(statement, {"id": id}, as_of))[1]


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
    rows = fetch_in(session, written_statement(resource.name), {"id": id})
    version, body = documents.content(resource, id, rows)
    for name, may_have_rows in zip(resource.rare_embeds, rows[0][4:], strict=True):
        embed = NO_ROWS
        if may_have_rows:
            ((*_, embed),) = fetch_in(session, part_statement(resource.name, name), {"id": id})
        body = b'%b,"%b":%b}' % (body[:-1], name.encode(), embed)
    tag = f'"{document_tag(version, body)}"'
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


def computed(document: object, status: int = 200) -> Response:
    """A document that is not stored."""
    return json_response(compact(document), status)


def page(
    resource: Readable, question: Question, within: tuple[Readable, UUID] | None = None
) -> Response:
    """A page of documents, as ``documents.page`` reads it."""
    return _page(documents.page(resource, question, preference(question.lang), within))


def comparisons(question: Question, of: tuple[Readable, UUID] | None = None) -> Response:
    """A page of comparisons, as ``documents.comparisons`` reads it."""
    return _page(documents.comparisons(question, preference(question.lang), of))


def versions(resource: Readable, id: UUID, question: Question) -> Response:
    """A page of the versions of a row, as ``documents.versions`` reads it."""
    return _page(documents.versions(resource, id, question))


def page_body(page: documents.Page) -> bytes:
    """The JSON of a page."""
    return b'{"data":%b,"meta":%b}' % (page.data, compact(page.meta))


def _page(page: documents.Page) -> Response:
    response = tagged(page_body(page), page.languages)
    if page.meta["next_cursor"] is not None and request.method in {"GET", "HEAD"}:
        response.headers["Link"] = next_link(page.meta["next_cursor"])
    return response


def next_link(cursor: str) -> str:
    """The ``Link`` header with the next page of the list that the request asks for."""
    return link_to_next(request.path, arguments(), cursor)


def link_to_next(path: str, given: Iterable[tuple[str, str]], cursor: str) -> str:
    """The ``Link`` header with the next page of a list that was asked for with some parameters."""
    values: dict[str, list[str]] = {}
    for name, value in given:
        values.setdefault(name, []).append(value)
    query = {**{name: ",".join(each) for name, each in values.items()}, "cursor": cursor}
    return f'<{path}?{urlencode(query)}>; rel="next"'


def groups(resource: Readable, question: Question, group_by: tuple[str, ...]) -> Response:
    """The number of rows in each group, the largest group first."""
    statement = groups_statement(question.shape(resource.name, None), group_by)
    ((items,),) = database().read(statement, question.values(), question.as_of)
    return tagged(b'{"data":%b,"meta":%b}' % (items, compact({"group_by": group_by})))


def facets(question: Question, most: int) -> Response:
    """The facets of claims, as ``documents.facets`` reads them."""
    found = documents.facets(question, most, preference(question.lang))
    return tagged(b'{"data":%b,"meta":%b}' % (found.body, compact(found.meta)), found.languages)


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
    places: Places = current_app.extensions["hksz_export_places"]
    with places.one("Too many concurrent exports; try again later.", Cause.EXPORT_PLACES):
        yield from exporting.export(database(), wanted, at_most_s=_MAX_EXPORT_S)
