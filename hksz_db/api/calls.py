"""The calls of the API. Each is declared once, beside its view.

The declaration of a call says how it is routed, what is checked before its view runs, and how the
OpenAPI document describes it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Any

from flask import Response
from marshmallow import Schema

from hksz_db.api.costs import Cost
from hksz_db.domain.vocabulary import Scope

Content = type[Schema] | Mapping[str, Any]
"""The schema of a JSON body, or a schema for each media type."""


@dataclass(frozen=True)
class Call:
    """A method of a path; ``route`` names them both, as in ``GET /<uuid:id>``.

    The first paragraph of the view's docstring is the summary of the call and the rest its
    description. ``{name}`` and ``{singular}`` in it stand for those of the section, other names in
    braces for ``words``.

    The view takes the variables of the path. A call that has ``scopes``, all of which the key
    needs, is a write: its view takes a ``Write`` first. If it is a ``POST``, it can be repeated
    with an ``Idempotency-Key``. If it is ``conditional``, it needs ``If-Match``. A call without
    ``parameters`` refuses any query string.

    ``errors`` are the statuses that do not follow from the rest (``expected_errors``).
    """

    route: str
    name: str
    view: Callable[..., Response]
    cost: Cost
    answer: Content | None
    status: int = field(default=200, kw_only=True)
    headers: Collection[str] = field(default=("ETag",), kw_only=True)
    parameters: type[Schema] | None = field(default=None, kw_only=True)
    body: Content | None = field(default=None, kw_only=True)
    scopes: Collection[Scope] = field(default=(), kw_only=True)
    conditional: bool = field(default=False, kw_only=True)
    redirects: bool = field(default=False, kw_only=True)
    errors: Collection[int] = field(default=(), kw_only=True)
    words: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def method(self) -> str:
        """The method of HTTP."""
        return self.route.partition(" ")[0]

    @property
    def rule(self) -> str:
        """The path below that of the section, as a rule of Werkzeug."""
        return self.route.partition(" ")[2]

    @property
    def is_repeatable(self) -> bool:
        """Whether the call takes an ``Idempotency-Key``."""
        return self.method == "POST" and bool(self.scopes)

    @property
    def is_cacheable(self) -> bool:
        """Whether the call takes ``If-None-Match``."""
        return self.method == "GET" and "ETag" in self.headers

    @property
    def expected_errors(self) -> set[int]:
        """The statuses of the errors that the call can be answered with."""
        found = {400, 401, 503, *self.errors}
        if self.scopes:
            found |= {403, 409}
        if self.conditional:
            found |= {412, 428}
        if self.is_repeatable:
            # The body is part of what identifies a request.
            found |= {408, 413, 422}
        if self.body is not None:
            found |= {408, 413, 415}
        if "<" in self.rule:
            found.add(404)
        return found


@dataclass(frozen=True)
class Section:
    """The calls below ``/v1/{name}``."""

    name: str
    description: str
    calls: Sequence[Call]
    singular: str = ""

    def prose(self, call: Call) -> tuple[str, str]:
        """The summary and the description of a call. The latter may be empty."""
        text = (getdoc(call.view) or "").format(
            name=self.name, singular=self.singular, **call.words
        )
        summary, *paragraphs = (" ".join(part.split()) for part in text.split("\n\n"))
        return summary, "\n\n".join(paragraphs)
