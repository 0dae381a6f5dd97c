"""A field, filter, list or column that follows from no name is refused."""

import pytest
from marshmallow import Schema, fields
from sqlalchemy import Column, MetaData, Table, Uuid

from hksz_db.models import Entity, Source, SourceContributor, Unit, table_of
from hksz_db.queries.derivation import Rows, Targets, Underivable, document
from hksz_db.queries.readable import Readable
from schemas.base import RowSchema
from schemas.units import UNIT_FILTERS, UnitSchema

THINGS = Table("things", MetaData(), Column("id", Uuid), Column("owner_id", Uuid))


class OwnedSchema(Schema):
    owner = fields.Nested(RowSchema)


def test_field_without_a_column() -> None:
    with pytest.raises(Underivable, match=r"^units has no column for the undeclared field owner"):
        document(table_of(Unit), OwnedSchema)


def test_filter_without_a_column() -> None:
    with pytest.raises(Underivable, match=r"^units has no column for the filter owner__name"):
        Targets(table_of(Unit))["owner__name"]


def test_reference_without_a_foreign_key() -> None:
    with pytest.raises(Underivable, match=r"^things\.owner_id refers to no table"):
        document(THINGS, OwnedSchema)
    with pytest.raises(Underivable, match=r"^things\.owner_id refers to no table"):
        Targets(THINGS)["owner__name"]


def test_list_of_rows_of_another_table() -> None:
    Rows(SourceContributor).of(table_of(Source))
    # Contributors refer to entities, but are not deleted with them.
    with pytest.raises(Underivable, match=r"^source_contributors must have one key that cascades"):
        Rows(SourceContributor).of(table_of(Entity))


def test_column_in_no_field() -> None:
    class NamelessSchema(UnitSchema):
        pass

    del NamelessSchema._declared_fields["label"]
    with pytest.raises(Underivable, match=r"^units\.label is in no field of NamelessSchema"):
        Readable(model=Unit, schema=NamelessSchema, filters=UNIT_FILTERS)
