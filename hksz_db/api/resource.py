"""A resource as the API sees it: how it is read, written and described."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from marshmallow import Schema

from hksz_db.api.calls import Call
from hksz_db.api.costs import Cost
from hksz_db.domain.vocabulary import Scope
from hksz_db.queries.readable import Queryable, Readable
from hksz_db.services.writers import Writer
from schemas.filters import Filter


@dataclass(frozen=True)
class Listed:
    """Documents that can be listed; they need not be stored."""

    readable: Queryable

    @property
    def name(self) -> str:
        """The plural that its paths are made of."""
        return self.readable.name

    @property
    def singular(self) -> str:
        """The name of one document."""
        return self.readable.singular

    @property
    def filters(self) -> Mapping[str, Filter]:
        """The filters of the list by parameter."""
        return self.readable.filters

    @property
    def document(self) -> type[Schema]:
        """The schema of a document."""
        return self.readable.schema

    @property
    def model(self) -> str:
        """The name of its document in the OpenAPI document."""
        return self.document.__name__.removesuffix("Schema")


@dataclass(frozen=True)
class Resource(Listed):
    """One resource of the API; ``extra_calls`` make the calls that other resources do not have."""

    readable: Readable
    writer: Writer
    extra_calls: Sequence[Callable[["Resource"], Call]] = ()

    @property
    def scope(self) -> Scope:
        """The scope that a key needs to write it."""
        return self.writer.scope

    @property
    def parts(self) -> Mapping[str, Cost]:
        """The fields that can be read on their own, with what that costs."""
        asked = self.readable.asked_embeds
        return {n: Cost.COSTLY if n in asked else Cost.BOUNDED for n in self.readable.parts}
