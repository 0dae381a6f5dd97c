"""Times as their readers see them, with the source from whose date they were reckoned."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, type_coerce

from hksz_db.models import Source
from hksz_db.queries.documents import Group, One, period
from hksz_db.queries.resources import table_of


def relative_period(
    row: FromClause, name: str, as_stated: ColumnElement[Any] | None = None
) -> Group:
    """The time in the columns ``name_edtf`` and ``name``, which may be relative."""
    absolute = period(row.c[f"{name}_edtf"], row.c[name], as_stated)
    return Group({**absolute.fields, "relative": _relative(row, name)})


def _relative(row: FromClause, name: str) -> One:
    anchors = table_of(Source).alias()
    anchor = {column: anchors.c[column] for column in ("id", "external_id", "title")}
    # Never null where there is an anchor.
    duration = type_coerce(row.c[f"{name}_duration"], Text())
    return One(
        anchors,
        anchors.c.id == row.c[f"{name}_anchor_id"],
        {"anchor": Group(anchor), "duration": duration, "modifier": row.c[f"{name}_modifier"]},
    )
