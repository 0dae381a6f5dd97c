"""The kinds of rows that can be written: how each is read, and by what it is made and changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services import claims, entities, evidence, figures, metrics, sources, units
from hksz_db.services.references import Resolved, Shape
from hksz_db.services.rows import Children, Row
from schemas.base import InputSchema, patch_schema
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

    ``create`` and ``update`` write one row. ``rows`` gives what a new one consists of by table,
    ``changes`` the columns and lists that a change gives, from fields whose references and
    captures are settled; ``stored`` are the columns on which a change rests. ``parts`` are the
    kinds of what can be given with a new row, by field.
    """

    table: str
    create_schema: type[InputSchema]
    patch_schema: type[InputSchema]
    create: Callable[[Session, Item], UUID]
    update: Callable[[Session, UUID, Sequence[int] | None, Item], bool]
    shape: Shape
    rows: Callable[[Item, UUID, Resolved], Mapping[str, Sequence[Row]]]
    changes: Callable[[Item, Row, Resolved], tuple[Row, list[Children]]]
    passages: Callable[[Item], Mapping[str, Row]]
    stored: tuple[str, ...]
    parts: Mapping[str, "Kind"] = field(default_factory=dict)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The fields that only creation settles, parts included."""
        declared = self.create_schema._declared_fields.keys()
        return frozenset(declared - self.patch_schema._declared_fields.keys())

    @cached_property
    def creating(self) -> InputSchema:
        """Reads a new row."""
        return self.create_schema()

    @cached_property
    def upserting(self) -> InputSchema:
        """Reads a row that is there: nothing is required, and what is fixed may be repeated."""
        return patch_schema(self.create_schema)()


def _kind(
    table: str,
    module: ModuleType,
    create: type[InputSchema],
    patch: type[InputSchema],
    **parts: Kind,
) -> Kind:
    return Kind(
        table,
        create,
        patch,
        module.create,
        module.update,
        module.SHAPE,
        module.rows,
        module.changes,
        getattr(module, "passages", _none),
        getattr(module, "STORED", ()),
        parts,
    )


def _none(_: Item) -> Mapping[str, Row]:
    return {}


_FIGURES = _kind("figures", figures, FigureCreateSchema, FigurePatchSchema)
_EVIDENCE = _kind("evidence", evidence, EvidenceCreateSchema, EvidencePatchSchema)
_KINDS = (
    _kind("units", units, UnitCreateSchema, UnitPatchSchema),
    _kind("metrics", metrics, MetricCreateSchema, MetricPatchSchema),
    _kind("entities", entities, EntityCreateSchema, EntityPatchSchema),
    _kind("sources", sources, SourceCreateSchema, SourcePatchSchema),
    _kind(
        "claims",
        claims,
        ClaimCreateSchema,
        ClaimPatchSchema,
        figures=_FIGURES,
        evidence=_EVIDENCE,
    ),
    _FIGURES,
    _EVIDENCE,
)
KINDS: Mapping[str, Kind] = {kind.table: kind for kind in _KINDS}
"""Every kind by the name of its resource, in the order in which they rest on each other."""
