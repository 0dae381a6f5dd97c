"""Writes the generated parts of the reference, and ``deploy/``: ``python -m docs.generate``.

A page holds its generated parts between ``<!-- generated: NAME -->`` and ``<!-- end -->``. The rest
of it is written by hand. A test fails when a part differs from what this module makes of the code.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from enum import StrEnum
from inspect import getmembers, isclass
from pathlib import Path
from typing import Any

import click
from flask import Flask
from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from app import create_app
from benchmarks.budget import budget
from docs import monitoring
from hksz_db.api.problems import MEANINGS
from hksz_db.commands import register_commands
from hksz_db.database import Database
from hksz_db.domain import vocabulary
from hksz_db.exchange.exporting import FORMATS, formats_for
from hksz_db.exchange.reading import READERS
from hksz_db.http.costs import WEIGHED
from hksz_db.http.metrics import METRICS
from hksz_db.models import HISTORY_TABLES, Base
from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.readable import Queryable, Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.registry import WRITERS
from hksz_db.settings import Settings, variable
from schemas.fields import Term
from schemas.filters import Filter

COMMAND = "python -m docs.generate"
REFERENCE = Path(__file__).parent / "reference"
_PART = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every reference page as it should be, with its generated parts made anew.

    Raises ``KeyError`` for a part that no function makes.
    """
    made: dict[str, str] = {}

    def part(found: re.Match[str]) -> str:
        name = found[2]
        made[name] = _PARTS[name]()
        return f"{found[1]}\n{made[name]}\n\n{found[3]}"

    written = {
        path: _PART.sub(part, path.read_text(encoding="utf-8"))
        for path in sorted(REFERENCE.glob("*.md"))
    }
    if absent := _PARTS.keys() - made.keys():
        raise KeyError(f"No reference page holds the part {min(absent)}.")
    return written


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headings), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _plain(text: str | None) -> str:
    """The first paragraph of a docstring, as Markdown on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split()).replace("``", "`")


def _settings() -> str:
    return _table(
        ("setting", "default", "values", "description"),
        (
            (
                f"`{variable(item.name)}`",
                item.metadata["shown"] or f"`{_spelt(item.default)}`",
                _accepted(item.metadata["read"]),
                item.metadata["description"],
            )
            for item in fields(Settings)
        ),
    )


def _spelt(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accepted(read: Callable[[str], Any]) -> str:
    # The message that refuses a value says which values there are.
    try:
        read("")
    except ValueError as error:
        return str(error).removeprefix("must be ")
    return ""


def _commands() -> str:
    app = Flask("hksz")
    register_commands(app)
    return "\n\n".join(
        f"## {name}\n\n```text\n{text}\n```" for name, text in sorted(_help(app.cli, "flask"))
    )


def _help(group: click.Group, prefix: str) -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        path = f"{prefix} {name}"
        if isinstance(command, click.Group):
            yield from _help(command, path)
        else:
            context = click.Context(command, info_name=path, terminal_width=88)
            yield path, "\n".join(map(str.rstrip, command.get_help(context).splitlines()))


_LISTS: tuple[Queryable, ...] = (*RESOURCES.values(), COMPARISONS)


def _calls() -> str:
    app = create_app(Settings(log_level="error"), Database(lambda: ""))
    document = app.test_client().get("/openapi.json").json
    assert document
    rows: dict[tuple[str, str], str] = {}
    every, of_one = [], []
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            if method in {"get", "post", "patch", "delete"}:
                rows[method.upper(), path] = call["summary"]
    for (method, path), summary in rows.items():
        _, _, name, *rest = path.split("/")
        alike = [f"/v1/{each}/{'/'.join(rest)}".rstrip("/") for each in RESOURCES]
        if path not in alike or not all((method, other) in rows for other in alike):
            of_one.append((f"`{method} {path}`", summary))
        elif name == "claims":
            general = re.sub(r"\bclaim(s?)\b", r"row\1", summary)
            every.append((f"`{method} {path.replace('claims', 'R', 1)}`", general))
    return "\n\n".join(_table(("call", "summary"), found) for found in (every, of_one))


def _resources() -> str:
    return _table(
        ("resource", "scope to write", "`q`", "`include`", "included in a list", "in a read by id"),
        (
            (
                f"`{each.name}`",
                f"`{WRITERS[each.name].scope}`",
                "yes" if each.search else "",
                _code(each.embeds),
                _code(each.default_embeds),
                _code(each.read_embeds),
            )
            for each in RESOURCES.values()
        ),
    )


def _operators() -> str:
    found: dict[str, tuple[str, set[str]]] = {}
    for each in _LISTS:
        for known in each.filters.values():
            meaning = known.field.metadata["description"].removeprefix(f"{known.name} ")
            found.setdefault(known.operator, (meaning, set()))[1].add(_value(known))
    return _table(
        ("operator", "parameter", "the field", "value"),
        (
            (
                f"`{operator}`",
                "`name`" if operator == "eq" else f"`name__{operator}`",
                meaning,
                ", ".join(sorted(values)),
            )
            for operator, (meaning, values) in sorted(found.items())
        ),
    )


_VALUES = {
    "DecimalString": "number",
    "Edtf": "EDTF date",
    "EdtfBound": "EDTF date",
    "ExternalId": "external id",
    "Moment": "timestamp",
    "BreakdownText": "`dimension:category`",
    "QueryBoolean": "`true` or `false`",
    "QueryInteger": "whole number",
    "QueryLanguage": "language tag",
    "Term": "term",
    "Text": "text",
    "Uuid": "id",
    "ValueList": "list",
}


def _value(known: Filter) -> str:
    return _VALUES[type(known.field).__name__]


def _filters() -> str:
    return "\n\n".join(
        f"### {each.name}\n\n{_filters_of(each)}\n\n{_orders(each)}" for each in _LISTS
    )


def _filters_of(listed: Queryable) -> str:
    names: dict[str, list[Filter]] = {}
    for known in listed.filters.values():
        names.setdefault(known.name, []).append(known)
    return _table(
        ("filter", "value", "operators"),
        (
            (f"`{name}`", _of(alike), _code(known.operator for known in alike))
            for name, alike in names.items()
        ),
    )


def _of(alike: list[Filter]) -> str:
    """The kind of value; that of a closed vocabulary with a link to its terms."""
    first = alike[0].field
    if isinstance(first, Term):
        return f"[{first.model}](#{first.model.lower()})"
    return _value(alike[0])


def _orders(listed: Queryable) -> str:
    parts = [f"Sort keys: {_code(listed.sorts)}." if listed.sorts else ""]
    if isinstance(listed, Readable):
        parts.append(f"Groups: {_code(listed.groups)}.")
        parts.append(f"Export formats: {_code(formats_for(listed))}.")
    else:
        assert listed is COMPARISONS
    return " ".join(filter(None, parts)) or "The order is fixed."


def _statuses() -> str:
    return _table(
        ("status", "meaning"),
        ((str(status), meaning) for status, meaning in MEANINGS.items()),
    )


def _weights() -> str:
    return _table(("units", "request"), ((str(int(each)), what) for each, what in WEIGHED.items()))


def _metrics() -> str:
    return _table(
        ("metric", "kind", "labels", "meaning"),
        ((f"`{each.name}`", each.kind, _code(each.labels), each.about) for each in METRICS),
    )


def _alerts() -> str:
    return "\n\n".join(
        f"### {each.name}\n\n{each.severity.capitalize()}, after {each.minutes} min of"
        f" `{each.condition}`.\n\n{_shown(each.summary)} {each.action}"
        for each in monitoring.ALERTS
    )


def _shown(summary: str) -> str:
    """A summary without the form in which Prometheus fills in a label."""
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", r"*\1*", summary)


def _vocabularies() -> str:
    terms: list[type[StrEnum]] = [
        each for _, each in getmembers(vocabulary, isclass) if issubclass(each, StrEnum) and [*each]
    ]
    return "\n\n".join(
        f"### {each.__name__}\n\n{_plain(each.__doc__)}\n\n{_code(each)}" for each in terms
    )


def _exports() -> str:
    return _table(
        ("format", "media type", "suffix", "resources", "`select` and `include`"),
        (
            (
                f"`{form.name}`",
                f"`{form.media_type}`",
                f"`{form.suffix}`",
                _code(each.name for each in RESOURCES.values() if form.fields(each)),
                "no" if form.choices is None else "yes",
            )
            for form in FORMATS.values()
        ),
    )


def _imports() -> str:
    return _table(
        ("format", "file names end in", "namespace of new ids", "resources", "options of its own"),
        (
            (
                f"`{reader.name}`",
                _code(reader.suffixes),
                f"`{reader.namespace}`",
                _code(reader.resources or RESOURCES),
                _code(
                    (
                        *_COLUMN_OPTIONS * reader.takes_columns,
                        *["--set"] * bool(reader.constants),
                        *["--skip"] * reader.takes_skipped,
                    )
                ),
            )
            for reader in READERS.values()
        ),
    )


_COLUMN_OPTIONS = ("--map", "--set", "--mapping", "--delimiter", "--decimal", "--no-quotes")


def _tables() -> str:
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    return "\n\n".join(
        _table_of(table, models[table].__doc__)
        for table in sorted(Base.metadata.tables.values(), key=lambda table: table.name)
    )


def _table_of(table: Table, about: str | None) -> str:
    history = "It has a history." if table.name in HISTORY_TABLES else "It has no history."
    rows = ((f"`{column.name}`", _type(column), _rules(column)) for column in table.columns)
    columns = _table(("column", "type", "rules"), rows)
    return f"### {table.name}\n\n{_plain(about)} {history}\n\n{columns}"


def _type(column: Column[Any]) -> str:
    return f"`{column.type.compile(dialect=postgresql.dialect()).lower()}`"  # type: ignore[no-untyped-call]


def _rules(column: Column[Any]) -> str:
    rules = []
    if column.primary_key:
        rules.append("primary key")
    elif not column.nullable:
        rules.append("not null")
    if column.computed is not None:
        rules.append("generated")
    targets = sorted({key.column.table.name for key in column.foreign_keys})
    rules += [f"→ [{target}](#{target})" for target in targets]
    return ", ".join(rules)


def _times() -> str:
    known = budget()
    rows = [(each.what, _duration(each.ms), each.reason) for each in known.exceptions]
    return _table(("reads", "take at most", "because"), rows) + (
        f"\n\nAll other reads are to take at most {_duration(known.usual_ms)}."
    )


def _duration(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


_PARTS: Mapping[str, Callable[[], str]] = {
    "settings": _settings,
    "commands": _commands,
    "calls": _calls,
    "resources": _resources,
    "operators": _operators,
    "filters": _filters,
    "times": _times,
    "statuses": _statuses,
    "weights": _weights,
    "metrics": _metrics,
    "alerts": _alerts,
    "vocabularies": _vocabularies,
    "export-formats": _exports,
    "import-formats": _imports,
    "tables": _tables,
}


def main() -> None:
    """Write the pages and files that differ, and name them."""
    for path, text in {**pages(), **monitoring.files()}.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            click.echo(path.relative_to(Path.cwd()))


if __name__ == "__main__":
    main()
