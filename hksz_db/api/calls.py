"""The calls of the API. Each is declared once, beside its view.

The declaration of a call says how it is routed, what is checked before its view runs, and how the
OpenAPI document describes it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from inspect import getdoc
from typing import Any

from flask import Response
from marshmallow import Schema

from hksz_db.domain.vocabulary import Scope
from hksz_db.http.costs import Cost, Weight
from hksz_db.queries.consequences import CONSEQUENTIAL
from hksz_db.queries.questions import LIST, model_of, parameters
from hksz_db.queries.readable import Queryable, Readable
from hksz_db.services.warnings import WARNED
from schemas import pages
from schemas.parameters import DRY_RUN, Parameters

Content = type[Schema] | Mapping[str, Any]
"""The schema of a JSON body, or a schema for each media type."""
NO_PARAMETERS = Parameters({})


@dataclass(frozen=True)
class Call:
    """A method of a path; ``route`` names them both, as in ``GET /<uuid:id>``.

    The name of the view is that of the call. The first paragraph of its docstring is the summary,
    and the rest is the description. ``{name}`` and ``{singular}`` in it stand for those of the
    section, other names in braces for ``words``.

    The view takes the variables of the path. A call with a ``scope``, which the key needs, is a
    write: its view takes a ``Write`` first. If it is a ``POST``, it can be repeated with an
    ``Idempotency-Key``. If it ``reviews``, the key also needs the scope ``review``.

    ``parameters`` are those of the query string; a call without them refuses any.

    ``read_cost`` is the cost of a read. ``weight`` is how much a request counts towards the quota
    of its client, unless that follows from the cost or from the write. ``errors`` are the statuses
    that do not follow from the rest (``expected_errors``).
    """

    route: str
    view: Callable[..., Response]
    answer: Content | None
    _: KW_ONLY
    status: int = 200
    headers: Collection[str] = ("ETag",)
    parameters: Parameters = NO_PARAMETERS
    body: Content | None = None
    scope: Scope | None = None
    reviews: bool = False
    if_match: bool = False
    redirects: bool = False
    errors: Collection[int] = ()
    read_cost: Cost = Cost.COSTLY
    weight: Weight | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.route.partition(" ")[0]

    @property
    def rule(self) -> str:
        """The path below that of the section, as a rule of Werkzeug."""
        return self.route.partition(" ")[2]

    @property
    def name(self) -> str:
        """The name of the call, which is unique in its section."""
        return self.view.__name__.strip("_")

    @property
    def cost(self) -> Cost:
        """The cost of the call. What a key can write is limited by the body."""
        return self.read_cost if self.scope is None else Cost.BOUNDED

    @property
    def counted(self) -> Weight | None:
        """The weight of the call, if it does not follow from its cost."""
        return self.weight or (None if self.scope is None else Weight.SEARCH)

    @property
    def is_repeatable(self) -> bool:
        """Whether the call takes an ``Idempotency-Key``."""
        return self.method == "POST" and self.scope is not None

    @property
    def has_dry_run(self) -> bool:
        """Whether the call can be tried without writing anything."""
        return self.parameters is DRY_RUN

    @property
    def is_cacheable(self) -> bool:
        """Whether the call takes ``If-None-Match``."""
        return self.method == "GET" and "ETag" in self.headers

    @property
    def negotiates(self) -> bool:
        """Whether the call takes ``Accept-Language``, as all calls with ``lang`` do."""
        bodies = self.body.values() if isinstance(self.body, Mapping) else (self.body,)
        declared = [getattr(body, "_declared_fields", {}) for body in bodies]
        return any("lang" in fields for fields in (self.parameters.fields, *declared))

    @property
    def expected_errors(self) -> set[int]:
        """The statuses of the errors that the call can be answered with."""
        found = {400, 401, 429, 503, *self.errors}
        if self.scope is not None:
            found |= {403, 409}
        if self.if_match:
            found |= {412, 428}
        if self.is_repeatable:
            # The body is part of what identifies a request.
            found |= {408, 413, 422}
        if self.body is not None:
            found |= {408, 413, 415}
        if self.body is not None and self.scope is not None:
            found.add(422)
        if "<" in self.rule:
            found.add(404)
        return found


def read_schemas(listed: Queryable) -> tuple[type[Schema], type[Schema]]:
    """The schemas of a document that is read: without ``select``, and with it."""
    embeds = tuple(listed.embeds)
    return pages.document_schema(listed.schema, embeds), pages.selected_schema(listed.schema)


def written_schema(resource: Readable) -> type[Schema]:
    """The schema of the answer to a write."""
    if resource.name not in WARNED:
        return read_schemas(resource)[0]
    return pages.written_schema(
        model_of(resource),
        resource.schema,
        resource.repeating_embeds,
        is_consequential=resource.name in CONSEQUENTIAL,
    )


def write_parameters(resource: Readable) -> Parameters:
    """The parameters of a call that creates or changes a row."""
    return DRY_RUN if resource.name in CONSEQUENTIAL else NO_PARAMETERS


def list_call(
    route: str,
    view: Callable[..., Response],
    listed: Queryable,
    errors: Collection[int] = (),
    weight: Weight | None = None,
) -> Call:
    """A call that answers with a page of documents."""
    return Call(
        route,
        view,
        pages.page_schema(model_of(listed), *read_schemas(listed)),
        headers=("ETag", "Link"),
        parameters=parameters(listed.name, LIST),
        errors=errors,
        weight=weight,
    )


@dataclass(frozen=True)
class Section:
    """The calls below ``/v1/{name}``, which the docstring of the schema describes."""

    name: str
    schema: type[Schema]
    calls: Sequence[Call]
    singular: str = ""

    def prose(self, call: Call) -> tuple[str, str]:
        """The summary and the description of a call. The latter may be empty."""
        text = (getdoc(call.view) or "").format(
            name=self.name, singular=self.singular, **call.words
        )
        summary, *paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
        return summary, "\n\n".join(paragraphs)
