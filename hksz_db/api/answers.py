"""Answers: what PostgreSQL wrote, with the headers that belong to it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from flask import Response, request
from sqlalchemy.orm import Session

from hksz_db.api import cursors
from hksz_db.api.access import database
from hksz_db.api.conditions import content_tag, document_tag, is_known
from hksz_db.api.resource import Listed, Resource
from hksz_db.database import Prepared, fetch_in
from hksz_db.domain.errors import Gone, Merged, NotFound
from hksz_db.queries import comparison_pages
from hksz_db.queries import versions as row_versions
from hksz_db.queries.keysets import Keyset
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

_JSON = "application/json"


class DirectResponse(Response):
    """A response that hands its body over whole, which servers write out in one go."""

    def get_app_iter(self, environ: dict[str, Any]) -> Iterable[bytes]:
        """The body as a list, unless it is streamed."""
        parts = super().get_app_iter(environ)
        if not self.is_sequence:
            return parts
        body = list(parts)
        self.close()
        return body


def one(resource: Resource, id: UUID, reading: Reading) -> Response:
    """The document of a row. Raises ``NotFound``, ``Gone`` or ``Merged``."""
    statement = document_statement(resource.name, reading.fields)
    rows = database().read(statement, {"id": id}, reading.as_of)
    version, body = _document(resource, id, rows)
    return _tagged(document_tag(version, body), body)


def part(resource: Resource, id: UUID, name: str, as_of: datetime | None) -> Response:
    """One field of a row's document as a document of its own; an array stands in ``data``."""
    rows = database().read(part_statement(resource.name, name), {"id": id}, as_of)
    _, body = _document(resource, id, rows)
    if body.startswith(b"["):
        body = b'{"data":%b}' % body
    return _tagged(content_tag(body), body)


def written(session: Session, resource: Resource, id: UUID, status: int) -> Response:
    """The document of a row as the transaction leaves it, with all that can be embedded."""
    statement = document_statement(resource.name, tuple(resource.readable.document))
    version, body = _document(resource, id, fetch_in(session, statement, {"id": id}))
    response = DirectResponse(body, status, content_type=_JSON)
    response.headers["ETag"] = f'"{document_tag(version, body)}"'
    if status == 201:
        response.headers["Location"] = f"/v1/{resource.name}/{id}"
    return response


def many(document: Any) -> Response:
    """What became of each of many items."""
    return DirectResponse(_compact(document), 207, content_type=_JSON)


def deleted(session: Session, resource: Resource, id: UUID) -> Response:
    """No content; the ETag is what a restore needs."""
    statement = document_statement(resource.name, ("id",))
    ((version, *_),) = fetch_in(session, statement, {"id": id})
    response = DirectResponse(status=204)
    response.headers["ETag"] = f'"{version}"'
    return response


def _document(resource: Resource, id: UUID, rows: list[Any]) -> tuple[int, bytes]:
    if not rows:
        raise NotFound(resource.singular, id)
    version, is_deleted, into_id, body = rows[0]
    if into_id is not None:
        raise Merged(resource.singular, id, version, into_id)
    if is_deleted:
        raise Gone(resource.singular, id, version)
    return version, body


def raw(resource: Resource, id: UUID, statement: Prepared) -> bytes:
    """What a statement gives for a row, as JSON to compute with. Raises ``NotFound`` or ``Gone``.

    The statement takes ``:id`` and returns what ``document_statement`` does.
    """
    _, body = _document(resource, id, database().read(statement, {"id": id}))
    return body


def computed(document: Any) -> Response:
    """An answer made for this caller from what he sent; no copy may be kept of it."""
    response = DirectResponse(_compact(document), content_type=_JSON)
    response.headers["Cache-Control"] = "no-store"
    return response


def page(
    resource: Resource, question: Question, within: tuple[Resource, UUID] | None = None
) -> Response:
    """A page of documents with the cursor of the next.

    ``within`` is the row whose parts are listed: ``NotFound`` or ``Gone`` where there is none.
    """
    identity = question.identity(resource.name)
    keys, after = _begin(question, identity, keyset_of(resource.name, question.sort))
    shape = question.shape(resource.name, after)
    asked = _Asked(
        question,
        identity,
        {**question.values(), **keys},
        page_statement(shape),
        partial(matches_statement, shape),
    )
    return _page(asked, within)


def comparisons(
    listed: Listed, question: Question, of: tuple[Resource, UUID] | None = None
) -> Response:
    """A page of comparisons: all, or those ``of`` a figure (``NotFound``, ``Gone``)."""
    figure = None if of is None else of[1]
    identity = [*question.identity(listed.name), figure]
    keys, after = _begin(question, identity, comparison_pages.KEYSET)
    shape = question.shape(listed.name, after)
    asked = _Asked(
        question,
        identity,
        {**question.values(), **keys, "figure": figure},
        comparison_pages.comparisons_statement(shape, of is not None),
        partial(comparison_pages.pairs_statement, shape, of is not None),
    )
    return _page(asked, of)


def versions(resource: Resource, id: UUID, question: Question) -> Response:
    """A page of the versions of a row, deleted or not. Raises ``NotFound``."""
    identity = [*question.identity(resource.name), "history", id]
    keys, after = _begin(question, identity, row_versions.KEYSET)
    statement = row_versions.page_statement(resource.name, after)
    values = {"id": id, "rows": question.per_page + 1, **keys}
    return _page(_Asked(question, identity, values, statement, lambda: statement), (resource, id))


def _begin(
    question: Question, identity: Any, keyset: Keyset
) -> tuple[dict[str, str | None], tuple[bool, ...] | None]:
    """The cursor's keys to be bound, and for each of them whether it has a value."""
    if question.cursor is None:
        return {}, None
    keys = cursors.decode(question.cursor, identity, keyset)
    return {f"c{n}": key for n, key in enumerate(keys)}, tuple(key is not None for key in keys)


@dataclass(frozen=True)
class _Asked:
    """A question with the statements that answer it; ``matches`` is for the planner's estimate."""

    question: Question
    identity: Any
    values: Mapping[str, Any]
    statement: Prepared
    matches: Callable[[], Prepared]


def _page(asked: _Asked, within: tuple[Resource, UUID] | None) -> Response:
    question, identity = asked.question, asked.identity
    try:
        ((items, keys_after, ranked, total),) = database().read(
            asked.statement, asked.values, question.as_of
        )
    except psycopg.DataError:
        # All else was read by a schema; only a cursor made by hand can hold what is no key.
        raise cursors.refusal() from None
    if items is None and within is not None:
        one(*within, Reading(("id",), question.as_of))
    meta: dict[str, Any] = {
        "next_cursor": None if keys_after is None else cursors.encode(keys_after, identity),
        "per_page": question.per_page,
    }
    if ranked is not None:
        meta["ranked"] = {"matches": ranked, "all": ranked < RANKED}
    if question.count == "exact":
        meta["count"] = {"value": total, "kind": "exact"}
    elif question.count == "estimated":
        estimate = database().explain(asked.matches(), asked.values, question.as_of)
        meta["count"] = {"value": estimate, "kind": "estimated"}
    body = b'{"data":[%b],"meta":%b}' % (items or b"", _compact(meta))
    response = _tagged(content_tag(body), body)
    if keys_after is not None and request.method in {"GET", "HEAD"}:
        response.headers["Link"] = next_link(meta["next_cursor"])
    return response


def next_link(cursor: str) -> str:
    """The ``Link`` header with the next page of the list that the request asks for."""
    given = {name: ",".join(values) for name, values in request.args.lists()}
    query = {**given, "cursor": cursor}
    return f'<{request.path}?{urlencode(query)}>; rel="next"'


def groups(resource: Resource, question: Question, group_by: tuple[str, ...]) -> Response:
    """How many rows there are of each kind, the most frequent first."""
    shape = question.shape(resource.name, None)
    statement = groups_statement(shape, group_by)
    ((items,),) = database().read(statement, question.values(), question.as_of)
    body = b'{"data":%b,"meta":%b}' % (items, _compact({"group_by": group_by}))
    return _tagged(content_tag(body), body)


def _compact(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def tagged(body: bytes) -> Response:
    """A JSON text, named by an entity tag of its own."""
    return _tagged(content_tag(body), body)


def _tagged(tag: str, body: bytes) -> Response:
    if is_known(tag):
        response = DirectResponse(status=304)
    else:
        response = DirectResponse(body, content_type=_JSON)
    response.headers["ETag"] = f'"{tag}"'
    # A copy may be kept, and must be asked about.
    response.headers["Cache-Control"] = "no-cache"
    return response
