"""The kinds of rows that can be written: how each is read, and by what it is made and changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services import claims, entities, evidence, figures, metrics, sources, units
from schemas.base import InputSchema
from schemas.claims import ClaimCreateSchema, ClaimPatchSchema
from schemas.entities import EntityCreateSchema, EntityPatchSchema
from schemas.evidence import EvidenceCreateSchema, EvidencePatchSchema
from schemas.figures import FigureCreateSchema, FigurePatchSchema
from schemas.metrics import MetricCreateSchema, MetricPatchSchema
from schemas.sources import SourceCreateSchema, SourcePatchSchema
from schemas.units import UnitCreateSchema, UnitPatchSchema

Item = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of row, by the name of its table.

    ``parts`` are the kinds of what is given with it and only creation takes, by field.
    """

    table: str
    create_schema: type[InputSchema]
    patch_schema: type[InputSchema]
    create: Callable[[Session, Item], UUID]
    update: Callable[[Session, UUID, Sequence[int] | None, Item], bool]
    parts: Mapping[str, "Kind"] = field(default_factory=dict)

    @property
    def fixed(self) -> frozenset[str]:
        """The fields that only creation settles, parts included."""
        return frozenset(
            self.create_schema._declared_fields.keys() - self.patch_schema._declared_fields.keys()
        )


_FIGURES = Kind("figures", FigureCreateSchema, FigurePatchSchema, figures.create, figures.update)
_EVIDENCE = Kind(
    "evidence", EvidenceCreateSchema, EvidencePatchSchema, evidence.create, evidence.update
)
_KINDS = (
    Kind("units", UnitCreateSchema, UnitPatchSchema, units.create, units.update),
    Kind("metrics", MetricCreateSchema, MetricPatchSchema, metrics.create, metrics.update),
    Kind("entities", EntityCreateSchema, EntityPatchSchema, entities.create, entities.update),
    Kind("sources", SourceCreateSchema, SourcePatchSchema, sources.create, sources.update),
    Kind(
        "claims",
        ClaimCreateSchema,
        ClaimPatchSchema,
        claims.create,
        claims.update,
        parts={"figures": _FIGURES, "evidence": _EVIDENCE},
    ),
    _FIGURES,
    _EVIDENCE,
)
KINDS: Mapping[str, Kind] = {kind.table: kind for kind in _KINDS}
"""Every kind by the name of its resource, in the order in which they rest on each other."""
