"""What every table shares."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    DateTime,
    Index,
    MetaData,
    Text,
    Uuid,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from hksz_db.domain.relative_dates import DURATION_PATTERN, WEEKDAYS
from hksz_db.domain.vocabulary import TimeModifier

EXTERNAL_ID_PATTERN = "^[a-z][a-z0-9.-]*:[A-Za-z0-9][A-Za-z0-9._~/-]*$"


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


INSTALLED: list[str] = []
"""The statements that create functions, triggers and views, beside those of the history."""


def install(*statements: str, before_tables: bool = False) -> None:
    """Make the statements part of the schema: run after its tables are created, or before."""
    when = "before_create" if before_tables else "after_create"
    for statement in statements:
        # DDL formats its text: a percent sign is written twice.
        event.listen(Base.metadata, when, DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]
    INSTALLED.extend(statements)


# A trusted extension: the owner of the database may create it.
install("CREATE EXTENSION IF NOT EXISTS pg_trgm", before_tables=True)


class Kept:
    """A row whose history is kept: ``written_in`` is the transaction that made it what it is."""

    written_in: Mapped[int] = mapped_column(
        BigInteger, server_default=text("current_transaction()"), sort_order=100
    )


class Identified(Kept):
    """A row with a key of its own, in the order of creation."""

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())


class Resource(Identified):
    """A row that the API serves.

    ``version`` counts its changes, ``deleted_at`` marks a deletion that can be undone.
    """

    external_id: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]


def resource_rules(table: str) -> tuple[SchemaItem, ...]:
    """The constraints and indexes that every resource has."""
    return (
        CheckConstraint(
            f"external_id ~ '{EXTERNAL_ID_PATTERN}' AND char_length(external_id) <= 200",
            name="external_id",
        ),
        CheckConstraint("version >= 1", name="version"),
        Index(f"{table}_updated_at_id_idx", "updated_at", "id"),
        Index(f"{table}_created_at_id_idx", "created_at", "id"),
        # What the feed begins with: nothing enters it once the history has begun.
        Index(
            f"{table}_feed_beginning_idx",
            "id",
            postgresql_where="written_in = 0 AND deleted_at IS NULL",
        ),
    )


def one_of(column: str, terms: type[StrEnum]) -> CheckConstraint:
    """The column holds a term of the vocabulary."""
    return CheckConstraint(f"{column} IN ({quoted(terms)})", name=column)


def quoted(terms: Iterable[StrEnum]) -> str:
    """The terms as SQL literals."""
    return ", ".join(f"'{term}'" for term in terms)


def not_blank(column: str) -> CheckConstraint:
    """The column, where it is set, holds more than white space."""
    return CheckConstraint(f"btrim({column}) <> ''", name=f"{column}_not_blank")


def dated(edtf: str, period: str) -> tuple[CheckConstraint, ...]:
    """An EDTF expression and the days it covers come together, within the years 1 to 9999."""
    return (
        CheckConstraint(f"({edtf} IS NULL) = ({period} IS NULL)", name=f"{period}_with_edtf"),
        CheckConstraint(
            f"NOT isempty({period}) AND lower({period}) >= '0001-01-01'"
            f" AND upper({period}) <= '10000-01-01'",
            name=f"{period}_in_calendar",
        ),
    )


def relative(edtf: str, name: str) -> tuple[SchemaItem, ...]:
    """How the date was worked out: ``name_anchor_id``, ``name_duration``, ``name_modifier``."""
    anchor, duration, modifier = f"{name}_anchor_id", f"{name}_duration", f"{name}_modifier"
    return (
        CheckConstraint(f"{duration} ~ '{DURATION_PATTERN}'", name=duration),
        one_of(modifier, TimeModifier),
        CheckConstraint(
            f"({anchor} IS NULL) = ({duration} IS NULL)", name=f"{duration}_with_anchor"
        ),
        CheckConstraint(
            f"{modifier} IS NULL OR {duration} IS NOT NULL", name=f"{modifier}_with_duration"
        ),
        CheckConstraint(f"{duration} IS NULL OR {edtf} IS NOT NULL", name=f"{duration}_with_edtf"),
        CheckConstraint(
            f"{modifier} NOT IN ({quoted(WEEKDAYS)}) OR {duration} LIKE '%W'",
            name=f"{name}_weekday",
        ),
        Index(None, anchor),
    )


def is_sha256(column: str) -> CheckConstraint:
    """The column holds a SHA-256 in lower-case hexadecimal."""
    return CheckConstraint(f"{column} ~ '^[0-9a-f]{{64}}$'", name=column)
