"""What the API knows of a resource: how it is read, written and described."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from marshmallow import Schema
from sqlalchemy.orm import Session

from hksz_db.api.calls import Call
from hksz_db.api.costs import Cost
from hksz_db.domain.vocabulary import Scope
from hksz_db.queries.resources import Queryable, Readable
from schemas.filters import Filter

Create = Callable[[Session, dict[str, Any]], UUID]
Update = Callable[[Session, UUID, Sequence[int] | None, dict[str, Any]], bool]


@dataclass(frozen=True)
class Listed:
    """What can be listed; it need not be stored."""

    readable: Queryable
    filters: Mapping[str, Filter]
    document: type[Schema]

    @property
    def name(self) -> str:
        """The plural that its paths are made of."""
        return self.readable.name

    @property
    def singular(self) -> str:
        """What one of them is called."""
        return self.readable.singular

    @property
    def model(self) -> str:
        """What the OpenAPI document calls its document."""
        return self.document.__name__.removesuffix("Schema")


@dataclass(frozen=True)
class Resource(Listed):
    """One resource of the API.

    ``scope`` is what a key needs to write it; ``parts`` are the fields of its document that can
    be read on their own, at ``/v1/R/{id}/PART``, with what that costs. ``extra_calls`` make the
    calls that other resources do not have.
    """

    readable: Readable
    create_schema: type[Schema]
    patch_schema: type[Schema]
    create: Create
    update: Update
    scope: Scope
    parts: Mapping[str, Cost] = field(default_factory=dict)
    extra_calls: Sequence[Callable[["Resource"], Call]] = ()
