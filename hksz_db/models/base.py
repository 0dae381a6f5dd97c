"""What the tables share: mixins for their columns, constraints, and the SQL files."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    MetaData,
    Table,
    Text,
    Uuid,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, TSVECTOR, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from hksz_db.domain.relative_dates import DURATION_PATTERN
from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN, MAX_EXTERNAL_ID_LENGTH, TimeModifier

# The label of the API key that writes, or the database role without one.
ACTOR = text("COALESCE(NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text)")


LIVE_KEY = "_live_key"
"""The end of the names of keys that hold among live rows only."""

UNLIKE_OWNER = "unlike_owner"
"""The key of a table's ``info`` with the column whose value is never that of the row's owner."""

FEW_VALUES = "few_values"
"""The key of a column's ``info`` that says that there are statistics of each of its values."""


class Base(DeclarativeBase):
    """The metadata of the whole schema; every constraint gets a predictable name."""

    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        UUID: Uuid,
        datetime: DateTime(timezone=True),
        Range: DATERANGE,
    }


_SQL = Path(__file__).with_name("sql")
INSTALLED = {
    path.relative_to(_SQL).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(_SQL.glob("*/*.sql"))
}
"""The files with functions, triggers and views, which are part of the schema.

Each folder is named after the event of the metadata that executes its files: ``before_create`` or
``after_create`` of the tables. No file depends on another of its folder.
"""
for _path, _statements in INSTALLED.items():
    # DDL formats its text, so that a percent sign is written twice.
    _ddl = DDL(_statements.replace("%", "%%"))  # type: ignore[no-untyped-call]
    event.listen(Base.metadata, _path.partition("/")[0], _ddl)


def table_of(model: type[Base]) -> Table:
    """The model's table."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


class HistoryMixin:
    """A table with a history: ``written_in`` is the transaction that wrote the row.

    A change of ``ignored_columns`` only is not recorded. Changes of tables that are not ``logged``
    are kept but not listed in ``changes``, because they follow from changes of other tables.
    """

    ignored_columns: ClassVar[tuple[str, ...]] = ()
    logged: ClassVar[bool] = True
    written_in: Mapped[int] = mapped_column(
        BigInteger, server_default=text("current_transaction()"), sort_order=100
    )


class IdMixin(HistoryMixin):
    """A table whose primary key is a UUID; ids are in the order of creation."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())


class SearchMixin:
    """A table whose rows are found by the words in ``search``, which triggers maintain."""

    ignored_columns: ClassVar[tuple[str, ...]] = ("search",)
    search: Mapped[str] = mapped_column(TSVECTOR, sort_order=50)


class ResourceMixin(IdMixin):
    """The table of a resource of the API.

    ``version`` counts the changes of a row; ``deleted_at`` marks a deletion that can be undone.
    """

    __tablename__: str
    __table_args__: tuple[SchemaItem, ...]
    external_id: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    def __init_subclass__(cls, **options: Any) -> None:
        """Add the constraints and indexes of every resource."""
        cls.__table_args__ = (
            CheckConstraint(
                f"external_id ~ '{EXTERNAL_ID_PATTERN}'"
                f" AND char_length(external_id) <= {MAX_EXTERNAL_ID_LENGTH}",
                name="external_id",
            ),
            CheckConstraint("version >= 1", name="version"),
            # A row that was merged leads to another, so that its external id is not free.
            live_key(
                cls.__tablename__, "external_id", or_merged="redirect_to" in cls.__annotations__
            ),
            Index(None, "updated_at", "id"),
            Index(None, "created_at", "id"),
            # For the beginning of the feed; no row enters it once the history has begun.
            Index(
                f"{cls.__tablename__}_feed_beginning_idx",
                "id",
                postgresql_where="written_in = 0 AND deleted_at IS NULL",
            ),
            *cls.__table_args__,
        )
        super().__init_subclass__(**options)


def live_key(table: str, column: str, *, or_merged: bool = False) -> Index:
    """No two live rows have the same value in the column; that of a deleted row is free.

    It is one index, so that a row is found by its value whether it is deleted or not.
    """
    holds_it = (
        "deleted_at IS NULL OR redirect_to IS NOT NULL" if or_merged else "deleted_at IS NULL"
    )
    return Index(
        f"{table}_{column}{LIVE_KEY}",
        column,
        # As PostgreSQL writes it, because Alembic compares the texts.
        text(f"(\nCASE\n    WHEN {holds_it} THEN NULL\n    ELSE id\nEND)"),
        unique=True,
        postgresql_nulls_not_distinct=True,
        postgresql_where=f"{column} IS NOT NULL",
    )


def merged_rows() -> tuple[SchemaItem, ...]:
    """The rules of a table whose rows can be merged: ``redirect_to`` is the row that remains."""
    return (
        CheckConstraint("redirect_to IS NULL OR deleted_at IS NOT NULL", name="redirect_deleted"),
        CheckConstraint("redirect_to <> id", name="redirect_to_another"),
        Index(None, "redirect_to"),
    )


def one_of(column: str, terms: type[StrEnum]) -> CheckConstraint:
    """The column holds a term of the vocabulary."""
    return CheckConstraint(f"{column} = ANY ({array_literal(terms)})", name=column)


def array_literal(terms: Iterable[str]) -> str:
    """The terms, which need no quotes in it, as one literal of an array.

    PostgreSQL reads its form of a constraint anew whenever a statement inserts rows, and a list of
    literals takes it several times as long.
    """
    return f"'{{{','.join(terms)}}}'"


def not_blank(column: str) -> CheckConstraint:
    """A value in the column is more than white space."""
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_not_blank")


def dated(name: str) -> tuple[SchemaItem, ...]:
    """A date, ``name_edtf`` and its days ``name``: both or neither; the years are 1 to 9999."""
    return (CheckConstraint(f"is_dated({name}_edtf, {name})", name=name),)


def relative(name: str) -> tuple[SchemaItem, ...]:
    """A date with ``name_anchor_id``, ``name_duration`` and ``name_modifier`` if it is relative."""
    anchor, duration, modifier = f"{name}_anchor_id", f"{name}_duration", f"{name}_modifier"
    return (
        *dated(name),
        CheckConstraint(f"{duration} ~ '{DURATION_PATTERN}'", name=duration),
        one_of(modifier, TimeModifier),
        CheckConstraint(
            f"is_relative({name}_edtf, {anchor}, {duration}, {modifier})", name=f"{name}_relative"
        ),
        Index(None, anchor),
    )


def is_sha256(column: str) -> CheckConstraint:
    """The column holds a SHA-256 in lower-case hexadecimal digits."""
    return CheckConstraint(f"{column} ~ '^[0-9a-f]{{64}}$'", name=column)


def trigram_index(table: str, column: str) -> Index:
    """An index for comparisons with a part of the text, and for similarity."""
    return Index(
        f"{table}_{column}_trgm_idx",
        column,
        postgresql_using="gin",
        postgresql_ops={column: "gin_trgm_ops"},
    )
