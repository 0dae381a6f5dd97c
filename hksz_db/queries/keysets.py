"""Keysets: the sort keys of a list, by which its pages follow one another.

A page begins after the keys of the last row of the page before, so that page 10,000 costs as much
as page 1 (Winand, "no offset").

A cursor says where a page ended. It holds the keys of the last row, a JSON array of texts and
nulls, and a checksum over them and the question. It is not a secret and grants nothing: the
checksum detects cursors that are damaged or of another question.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVarTuple

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Label,
    Select,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from hksz_db.queries.documents import Json, SqlValue, term
from hksz_db.queries.filters import Condition

_CHECKSUM_BYTES = 9
_Columns = TypeVarTuple("_Columns")


@dataclass(frozen=True)
class Key:
    """A column to sort by; rows without a value come last in both directions.

    If the column is in another table, which has exactly one row for each row of the resource,
    ``foreign_id`` is the column of that table with the id of the resource. ``absent`` says that no
    row has a value.
    """

    column: ColumnElement[Any]
    descending: bool = False
    nullable: bool = False
    foreign_id: ColumnElement[Any] | None = None
    absent: bool = False

    @property
    def ordered(self) -> SqlValue:
        """The key in ORDER BY."""
        ordered = self.column.desc() if self.descending else self.column.asc()
        # Only where it matters: otherwise an index in the plain order must still fit.
        return ordered.nulls_last() if self.nullable else ordered

    def bound(self, number: int) -> ColumnElement[Any]:
        """The value ``:c0``, ``:c1`` … that a cursor holds for the key."""
        return cast(bindparam(f"c{number}", type_=Text()), self.column.type)

    def beyond(self, value: SqlValue) -> Condition:
        """Whether a row comes after the value."""
        further = self.column < value if self.descending else self.column > value
        return or_(further, self.column.is_(None)) if self.nullable else further


@dataclass(frozen=True)
class Keyset:
    """The sort keys of a list; the last is unique.

    ``in_one_index`` is false if the keys belong to several tables.
    """

    keys: tuple[Key, ...]
    in_one_index: bool = True

    def order_by(self) -> list[SqlValue]:
        """The ORDER BY clause."""
        return [key.ordered for key in self.keys if not key.absent]

    def cursor(self) -> ColumnElement[str]:
        """The keys of a row as a JSON array of texts, which a cursor holds."""
        return cast(func.json_build_array(*(cast(key.column, Text) for key in self.keys)), Text)

    def labelled(self, prefix: str = "s") -> list[Label[Any]]:
        """The keys as columns of a subquery."""
        return [key.column.label(f"{prefix}{n}") for n, key in enumerate(self.keys)]

    def within(self, rows: FromClause, prefix: str = "s") -> "Keyset":
        """The same keys, taken from a subquery that has them as ``labelled`` columns."""
        return self.on([rows.c[f"{prefix}{n}"] for n in range(len(self.keys))])

    def on(self, columns: Sequence[ColumnElement[Any]]) -> "Keyset":
        """The same keys, taken from these columns."""
        keys = (replace(key, column=c) for key, c in zip(self.keys, columns, strict=True))
        return Keyset(tuple(keys), self.in_one_index)

    @property
    def has_parts(self) -> bool:
        """Whether some rows may lack the first key; they come last."""
        return self.keys[0].nullable

    def part(self, *, absent: bool) -> tuple["Keyset", Condition]:
        """The keys of the rows that lack the first key, or have it, and the condition on these.

        An index keeps the order of such rows in both directions.
        """
        first, *others = self.keys
        keys = (replace(first, nullable=False, absent=absent), *others)
        condition = first.column.is_(None) if absent else first.column.is_not(None)
        return Keyset(keys, self.in_one_index), condition

    def after(self, present: Sequence[bool]) -> Condition:
        """Whether a row comes after a cursor; ``present`` says which of its keys have a value."""
        values = [
            key.bound(n) if given else null()
            for n, (key, given) in enumerate(zip(self.keys, present, strict=True))
        ]
        directions = {key.descending for key in self.keys}
        if len(directions) > 1 or any(key.nullable or key.absent for key in self.keys):
            return self._after_any(values, present)
        if not self.in_one_index:
            return self._after_first(values)
        row, cursor = tuple_(*(key.column for key in self.keys)), tuple_(*values)
        return row < cursor if directions == {True} else row > cursor

    def _after_any(self, values: Sequence[SqlValue], present: Sequence[bool]) -> Condition:
        branches = []
        for n, key in enumerate(self.keys):
            if present[n]:
                equal = (
                    earlier.column == value if given else earlier.column.is_not_distinct_from(value)
                    for earlier, value, given in zip(self.keys[:n], values, present, strict=False)
                )
                branches.append(and_(*equal, key.beyond(values[n])))
        return or_(*branches)

    def _after_first(self, values: Sequence[SqlValue]) -> Condition:
        # The first condition follows from the second. It bounds the scan of the first key's index.
        condition = self.keys[-1].beyond(values[-1])
        for key, value in zip(reversed(self.keys[:-1]), reversed(values[:-1]), strict=True):
            from_it = key.column <= value if key.descending else key.column >= value
            condition = and_(from_it, or_(key.beyond(value), condition))
        return condition

    def decode(self, cursor: str, question: object) -> Sequence[str | None] | None:
        """The keys in a cursor; ``None`` unless it belongs to the question."""
        try:
            keys = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[_CHECKSUM_BYTES:]
            if encode_cursor(keys, question) != cursor:
                return None
            values = json.loads(keys)
            json.dumps(values, ensure_ascii=False).encode()  # refuses lone surrogates
        except (ValueError, RecursionError):
            return None
        if not isinstance(values, list) or len(values) != len(self.keys):
            return None
        fits = (
            isinstance(value, str) or (value is None and key.nullable)
            for value, key in zip(values, self.keys, strict=True)
        )
        return values if all(fits) else None


def encode_cursor(keys: bytes, question: object) -> str:
    """The cursor with these keys."""
    asked = json.dumps(question, default=str, sort_keys=True).encode()
    checksum = hashlib.sha256(asked + b"\0" + keys).digest()[:_CHECKSUM_BYTES]
    return base64.urlsafe_b64encode(checksum + keys).decode().rstrip("=")


def page_of(rows: Select[*_Columns], keyset: Keyset, after: Sequence[bool] | None) -> Subquery:
    """The page that ``first_of`` selects."""
    return first_of(rows, keyset, after).subquery("page")


def first_of(rows: Select[*_Columns], keyset: Keyset, after: Sequence[bool] | None) -> Select[Any]:
    """The keys of the rows of a page and of one more (``:rows``)."""
    chosen = rows.with_only_columns(*keyset.labelled(), maintain_column_froms=True)
    if after is not None:
        chosen = chosen.where(keyset.after(after))
    ordered = chosen.order_by(*keyset.order_by())
    return ordered.limit(bindparam("rows", type_=Integer()))


def numbered(page: Subquery, keyset: Keyset, joined: FromClause, body: SqlValue) -> Subquery:
    """The rows of a page with the ``body`` and ``cursor`` of each and its number ``n``, from 1."""
    keys = keyset.within(page)
    number = func.row_number().over(order_by=keys.order_by())
    columns = (
        cast(body, Text).label("body"),
        # Not before: PostgreSQL would make the cursor of each row that it sorts.
        keys.cursor().label("cursor"),
        number.label("n"),
    )
    return select(*columns).select_from(joined).subquery("numbered")


def gathered(
    numbered: Subquery,
    ranked: SqlValue | None = None,
    total: SqlValue | None = None,
    elsewhere: SqlValue | None = None,
    separator: SqlValue | None = None,
) -> Select[bytes, str | None, int | None, int | None]:
    """One row that holds a page: ``(items, cursor, ranked, total)``.

    ``items`` is the documents, joined by commas. ``cursor`` is the keys of the last of them as a
    JSON array of texts, or ``elsewhere`` if no more rows follow.
    """
    last = bindparam("rows", type_=Integer()) - literal_column("1")
    between = term(",") if separator is None else separator
    items = func.string_agg(numbered.c.body, aggregate_order_by(between, numbered.c.n))
    final = func.max(numbered.c.cursor).filter(numbered.c.n == last)
    return select(
        type_coerce(items.filter(numbered.c.n <= last), Json()),
        case((func.count() > last, final), else_=elsewhere),
        null() if ranked is None else ranked,
        null() if total is None else total,
    ).select_from(numbered)
