"""Cells: the values at paths of a document, as columns of a query."""

from typing import Any, cast

import pytest
from sqlalchemy import ColumnClause, Integer, Text, column, func, literal, select, true, values
from sqlalchemy.dialects.postgresql import JSONB

from hksz_db.database import Database, prepare
from hksz_db.queries.cells import cells
from hksz_db.queries.documents import First, Group, Many, Node, One, Values

_ROW = select(literal(2).label("id")).subquery("one_row")
_ITEMS = values(column("n", Integer), column("name", Text), name="items").data(
    [(1, "b"), (2, None), (3, "a")]
)
_NAMED = {"name": _ITEMS.c.name, "n": _ITEMS.c.n}
_OBJECT = func.jsonb_build_object("b", "2", "B", "1", type_=JSONB)
_FIELDS: dict[str, Node] = {
    "id": _ROW.c.id,
    "object": _OBJECT,
    "group": Group({"id": _ROW.c.id, "true": true()}),
    "one": One(_ITEMS, _ITEMS.c.n == _ROW.c.id + 1, _NAMED),
    "none": One(_ITEMS, _ITEMS.c.n > 3, _NAMED),
    "many": Many(_ITEMS, _ITEMS.c.n <= 3, _NAMED, (_ITEMS.c.n.desc(),)),
    "empty": Many(_ITEMS, _ITEMS.c.n > 3, _NAMED, (_ITEMS.c.n,)),
    "values": Values(cast("ColumnClause[int]", _ITEMS.c.n), _ITEMS.c.n > 1),
    "first": First(_ITEMS, true(), _NAMED, (_ITEMS.c.n,), 1),
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", "2"),
        ("object", "B:1,b:2"),
        ("group.true", "true"),
        ("one.name", "a"),
        ("none.name", None),
        ("many.name", ["a", "b"]),
        ("many.n", ["3", "2", "1"]),
        ("empty.name", []),
        ("values", ["2", "3"]),
    ],
)
def test_the_value_at_a_path(path: str, value: Any, database: Database) -> None:
    statement = prepare(cells(_FIELDS, _ROW, [tuple(path.split("."))]))
    assert database.read(statement, {}) == [(value,)]


def test_what_is_cut_off_has_no_cells() -> None:
    with pytest.raises(TypeError, match="First has no cells"):
        cells(_FIELDS, _ROW, [("first", "data")])
