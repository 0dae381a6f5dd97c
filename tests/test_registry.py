"""A resource is declared in its modules, and not in tables of all resources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hksz_db.queries.registry import RESOURCES

ROOT = Path(__file__).parent.parent
MODULES = [*ROOT.glob("hksz_db/**/*.py"), *ROOT.glob("schemas/*.py"), ROOT / "app.py"]
# A table may name some resources for a reason, such as those in citations.
MANY = 5


def collections(tree: ast.AST) -> Iterator[tuple[int, list[ast.expr | None]]]:
    for node in ast.walk(tree):
        match node:
            case ast.Dict(keys=keys):
                yield node.lineno, list(keys)
            case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
                yield node.lineno, list(items)


def names(items: list[ast.expr | None]) -> set[object]:
    """The constants among the items, and the first constant of each tuple among them."""
    firsts = [item.elts[0] if isinstance(item, ast.Tuple) and item.elts else item for item in items]
    return {first.value for first in firsts if isinstance(first, ast.Constant)}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_table_of_all_resources(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = [
        line for line, items in collections(tree) if len(names(items) & set(RESOURCES)) >= MANY
    ]
    assert found == [], "derive it from RESOURCES, or declare it with each resource"
