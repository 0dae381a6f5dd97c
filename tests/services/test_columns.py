"""A schema with fields that its table cannot store is refused on import."""

import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from marshmallow import fields

from hksz_db.models import Claim, Entity, EntityRelation, Source, SourceContributor, Unit, table_of
from hksz_db.services.figures import WRITER as FIGURES
from hksz_db.services.references import Resolved
from hksz_db.services.registry import WRITERS
from hksz_db.services.writers import ListField, SchemaMismatch, Writer, columns_of
from schemas.base import InputSchema, patch_schema
from schemas.dates import RelativeDateCreateSchema
from schemas.fields import BoundedList, Edtf, ExternalId, StrictInteger, Text
from schemas.figures import ClaimFigureCreateSchema
from schemas.sources import ContributorCreateSchema, SourceCreateSchema
from schemas.units import UnitCreateSchema, UnitSchema

ROOT = Path(__file__).parents[2]


def _writer(model: type[Any], create: type[Any], **declared: Any) -> Writer:
    patch = patch_schema(create, *declared.get("parts", ()))
    return Writer(model=model, create_schema=create, patch_schema=patch, **declared)


class PlacedSchema(InputSchema):
    """A made-up source."""

    csl_type = Text(required=True)
    title = Text(required=True)
    genre = Text()


def test_a_field_without_a_column_is_refused() -> None:
    with pytest.raises(SchemaMismatch) as refused:
        _writer(Source, PlacedSchema)
    assert str(refused.value) == (
        "PlacedSchema.genre would be lost: sources has no such column to write, and it"
        " is not a reference, date or declared list."
    )


@pytest.mark.parametrize("name", ["version", "deleted_at", "written_in", "search", "issued"])
def test_a_field_of_an_internal_column_is_refused(name: str) -> None:
    class TooMuchSchema(InputSchema):
        issued_edtf = Edtf(allow_none=True)

    TooMuchSchema._declared_fields[name] = Text(allow_none=True)
    with pytest.raises(SchemaMismatch, match=rf"^TooMuchSchema\.{name} would be lost: sources"):
        _writer(Source, TooMuchSchema)


def test_a_field_of_a_computed_column_is_refused() -> None:
    class FactorSchema(UnitCreateSchema):
        factor = Text()

    with pytest.raises(SchemaMismatch, match=r"^FactorSchema\.factor would be lost: units"):
        _writer(Unit, FactorSchema, computed=("dimension", "factor"))


def test_a_reference_needs_its_column() -> None:
    class OwnedSchema(InputSchema):
        references: ClassVar[tuple[str, ...]] = ("owner",)
        owner_external_id = ExternalId()

    with pytest.raises(SchemaMismatch, match=r"^OwnedSchema\.owner_external_id would be lost"):
        columns_of(OwnedSchema, table_of(Source))


def test_a_date_needs_its_days() -> None:
    class DatedSchema(InputSchema):
        seen_edtf = Edtf()

    class RelativeSchema(InputSchema):
        issued_edtf = Edtf(allow_none=True)
        issued_relative = fields.Nested(RelativeDateCreateSchema)

    with pytest.raises(SchemaMismatch, match=r"^DatedSchema\.seen_edtf would be lost"):
        columns_of(DatedSchema, table_of(Source))
    # A source's date has no anchor.
    with pytest.raises(SchemaMismatch, match=r"^RelativeSchema\.issued_relative would be lost"):
        columns_of(RelativeSchema, table_of(Source))


def test_nested_fields_are_checked_too() -> None:
    class SignedSchema(ContributorCreateSchema):
        signature = Text()

    class SourceSchema(SourceCreateSchema):
        contributors = BoundedList(fields.Nested(SignedSchema))

    class LaterDateSchema(RelativeDateCreateSchema):
        certainty = Text()

    class ClaimSchema(InputSchema):
        time_edtf = Edtf(allow_none=True)
        time_relative = fields.Nested(LaterDateSchema, allow_none=True)

    class RatedFigureSchema(ClaimFigureCreateSchema):
        rating = Text()

    class RatedSchema(InputSchema):
        figures = BoundedList(fields.Nested(RatedFigureSchema))

    lists = dict(WRITERS["sources"].lists)
    with pytest.raises(SchemaMismatch, match=r"^SignedSchema\.signature .* source_contributors"):
        _writer(Source, SourceSchema, lists=lists)
    with pytest.raises(SchemaMismatch, match=r"^LaterDateSchema\.certainty would be lost: claims"):
        _writer(Claim, ClaimSchema)
    with pytest.raises(SchemaMismatch, match=r"^RatedFigureSchema\.rating would be lost: figures"):
        _writer(Claim, RatedSchema, parts={"figures": FIGURES})


def test_fields_of_the_parent_and_the_ordinal_of_an_item_are_refused() -> None:
    class NumberedSchema(ContributorCreateSchema):
        ordinal = StrictInteger(1)

    class SourceSchema(InputSchema):
        contributors = BoundedList(fields.Nested(NumberedSchema))

    lists = {"contributors": ListField(model=SourceContributor, ordinal="ordinal")}
    with pytest.raises(SchemaMismatch, match=r"^NumberedSchema\.ordinal would be lost"):
        _writer(Source, SourceSchema, lists=lists)


def test_a_declared_list_must_be_a_field() -> None:
    lists = {"relations": ListField(model=EntityRelation)}
    with pytest.raises(SchemaMismatch, match=r"^UnitCreateSchema\.relations is declared for units"):
        _writer(Unit, UnitCreateSchema, lists=lists, computed=("dimension", "factor"))


def test_the_columns_of_optional_and_nullable_fields_must_allow_that() -> None:
    class AbsentSchema(InputSchema):
        kind = Text()

    class NullSchema(InputSchema):
        kind = Text(required=True, allow_none=True)

    with pytest.raises(
        SchemaMismatch, match=r"^AbsentSchema\.kind may be absent: declare a default of ent"
    ):
        _writer(Entity, AbsentSchema)
    with pytest.raises(SchemaMismatch, match=r"^NullSchema\.kind may be null, and entities\.kind"):
        _writer(Entity, NullSchema)
    _writer(Entity, AbsentSchema, defaults={"kind": "place"})


def test_a_fixed_field_can_be_repeated_and_not_changed() -> None:
    units = WRITERS["units"]
    assert units.changes({"code": "m", "label": "x"}, {"code": "m"}, Resolved())[0] == {
        "label": "x"
    }
    for before in ({"code": "km"}, {}):
        with pytest.raises(SchemaMismatch, match=r"^Nothing writes code of UnitPatch\w+ to units"):
            units.changes({"code": "m"}, before, Resolved())


@pytest.mark.parametrize(
    ("resource", "fields", "lost"),
    [
        ("sources", {"rights": "x", "right": "y"}, "right of SourcePatchSchema to sources"),
        ("sources", {"contributors": [{"sign": 1}]}, "sign of ContributorCreateSchema to source_"),
        ("claims", {"claimant_external_id": "x:y"}, "claimant_external_id of ClaimPatchSchema"),
        ("claims", {"figures": []}, "figures of ClaimPatchSchema to claims"),
        ("claims", {"time_relative": {"anchor": "x"}}, "anchor of ClaimPatchSchema to claims"),
        ("evidence", {"capture_text_sha256": "x"}, "capture_text_sha256 of EvidencePatchSchema"),
    ],
)
def test_a_field_that_would_not_be_stored_is_refused(
    resource: str, fields: dict[str, Any], lost: str
) -> None:
    with pytest.raises(SchemaMismatch, match=f"^Nothing writes {lost}"):
        WRITERS[resource].changes(fields, {}, Resolved())


def test_computed_columns_must_be_declared() -> None:
    class Careless(Writer):
        def compute(self, *_):
            return {"label": "overwritten"}

    units = Careless(
        model=Unit,
        create_schema=UnitCreateSchema,
        patch_schema=patch_schema(UnitCreateSchema, "code"),
    )
    with pytest.raises(SchemaMismatch, match=r"^Not declared as computed columns of units: label"):
        units.changes({"label": "x"}, {}, Resolved())


def test_the_service_does_not_start_with_a_schema_that_accepts_too_much() -> None:
    program = (
        "import schemas.sources\n"
        "from schemas.fields import Text\n"
        "schemas.sources.SourceCreateSchema._declared_fields['genre'] = Text()\n"
        "import app\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "SchemaMismatch: SourceCreateSchema.genre would be lost" in ended.stderr


def test_a_shown_field_without_a_writer_is_refused_by_its_name() -> None:
    document = type("PlacedSchema", (UnitSchema,), {})
    writer = Writer(
        model=Unit,
        create_schema=UnitCreateSchema,
        patch_schema=patch_schema(UnitCreateSchema, "code"),
        computed=("factor",),
    )
    with pytest.raises(SchemaMismatch, match=r"PlacedSchema\.dimension is shown, and nothing"):
        writer.check_document(document)
