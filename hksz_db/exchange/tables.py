"""Tables: a document as one row of settled columns, for CSV and Parquet.

A column is a way into the document, and its name the way's steps joined by underscores, but for
the names of people and things: ``claimant`` is the claimant's name. Where the way leads through
an array, the column holds a list, a value for each element that has one. Of what a claim embeds,
the columns tell how many origins it has and what its parts are called; the parts themselves are
rows of ``figures``, ``evidence`` and ``sources``.

All columns of a resource, in their order, are in ``COLUMNS``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from hksz_db.exchange.format import Document, ExportRequest
from hksz_db.queries.resources import Readable


class Kind(Enum):
    """What a column holds; a decimal is text of digits, a date and a moment text of ISO 8601."""

    TEXT = auto()
    LIST = auto()
    INTEGER = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    DATE = auto()
    MOMENT = auto()


@dataclass(frozen=True)
class Column:
    """A column: its name, the steps that lead to its value, and what that is."""

    name: str
    path: tuple[str, ...]
    kind: Kind

    def value(self, document: Document) -> Any:
        """The column's value for a document: None where there is none, else a list or a scalar."""
        return _follow(document, self.path)


def _follow(part: Any, path: tuple[str, ...]) -> Any:
    for number, step in enumerate(path):
        if isinstance(part, list):
            found = (_follow(element, path[number:]) for element in part)
            return [value for value in found if value is not None]
        if part is None:
            return None
        part = part[step]
    return part


def columns_of(asked: ExportRequest) -> tuple[Column, ...]:
    """The columns of the fields that are asked for."""
    return tuple(column for column in COLUMNS[asked.resource] if column.path[0] in asked.fields)


def fields(readable: Readable) -> tuple[str, ...]:
    """The document's fields that the columns of a resource read."""
    read = {column.path[0] for column in COLUMNS.get(readable.name, ())}
    return tuple(name for name in readable.document if name in read)


def _columns(*parts: Iterator[Column] | Column) -> tuple[Column, ...]:
    return tuple(
        column for part in parts for column in ([part] if isinstance(part, Column) else part)
    )


def _each(kind: Kind, *names: str) -> Iterator[Column]:
    return (Column(name, (name,), kind) for name in names)


def _texts(*names: str) -> Iterator[Column]:
    return _each(Kind.TEXT, *names)


def _reference(name: str, title: str) -> Iterator[Column]:
    yield Column(f"{name}_id", (name, "id"), Kind.TEXT)
    yield Column(f"{name}_external_id", (name, "external_id"), Kind.TEXT)
    yield Column(name if title == "name" else f"{name}_{title}", (name, title), Kind.TEXT)


def _period(name: str, *others: str) -> Iterator[Column]:
    for other in (*others, "edtf"):
        yield Column(f"{name}_{other}", (name, other), Kind.TEXT)
    for end in ("earliest", "latest"):
        yield Column(f"{name}_{end}", (name, end), Kind.DATE)


def _relative(name: str) -> Iterator[Column]:
    path = (name, "relative")
    yield Column(f"{name}_relative_anchor_id", (*path, "anchor", "id"), Kind.TEXT)
    yield Column(f"{name}_relative_duration", (*path, "duration"), Kind.TEXT)
    yield Column(f"{name}_relative_modifier", (*path, "modifier"), Kind.TEXT)


def _range(name: str) -> Iterator[Column]:
    for end in ("lower", "upper"):
        yield Column(f"{name}_{end}", (name, end), Kind.DECIMAL)
        yield Column(f"{name}_{end}_inclusive", (name, f"{end}_inclusive"), Kind.BOOLEAN)


def _list(name: str, *path: str) -> Column:
    return Column(name, path or (name,), Kind.LIST)


def _common() -> Iterator[Column]:
    yield Column("version", ("version",), Kind.INTEGER)
    yield from _each(Kind.MOMENT, "created_at", "updated_at")


COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "sources": _columns(
        _texts("id", "external_id", "csl_type", "title"),
        _each(Kind.BOOLEAN, "title_supplied"),
        _texts("container_title", "url", "doi", "language"),
        _period("issued"),
        _texts("issued_note", "rights"),
        _each(Kind.MOMENT, "retracted_at"),
        _list("contributors", "contributors", "entity", "name"),
        _list("contributors_role", "contributors", "role"),
        _list("contributors_id", "contributors", "entity", "id"),
        _list("captures_text_sha256", "captures", "text_sha256"),
        _list("relations_kind", "relations", "kind"),
        _list("relations_to_id", "relations", "to", "id"),
        _common(),
    ),
    "claims": _columns(
        _texts("id", "external_id", "statement", "language"),
        _reference("claimant", "name"),
        _reference("reported_by", "name"),
        _texts("modality", "status"),
        _period("time", "as_stated"),
        _relative("time"),
        _period("due"),
        _relative("due"),
        _list("topics"),
        _list("relations_kind", "relations", "kind"),
        _list("relations_to_id", "relations", "to", "id"),
        _list("entities", "entities", "entity", "name"),
        _list("entities_role", "entities", "role"),
        _list("entities_id", "entities", "entity", "id"),
        _list("figures_as_stated", "figures", "as_stated"),
        _list("evidence_stance", "evidence", "stance"),
        _list("evidence_source_id", "evidence", "source", "id"),
        _list("evidence_source_title", "evidence", "source", "title"),
        Column("corroboration_verdict", ("corroboration", "verdict"), Kind.TEXT),
        *(
            Column(f"corroboration_{side}_{what}", ("corroboration", side, what), Kind.INTEGER)
            for side in ("for", "against")
            for what in ("sources", "origins")
        ),
        _common(),
    ),
    "entities": _columns(
        _texts("id", "external_id", "kind", "name", "description"),
        _list("names", "names", "name"),
        _list("names_language", "names", "language"),
        _list("names_kind", "names", "kind"),
        _list("identifiers_scheme", "identifiers", "scheme"),
        _list("identifiers_value", "identifiers", "value"),
        _list("relations_kind", "relations", "kind"),
        _list("relations_object", "relations", "object", "name"),
        _list("relations_object_id", "relations", "object", "id"),
        _common(),
    ),
    "figures": _columns(
        _texts("id", "external_id"),
        _reference("claim", "statement"),
        Column("claim_status", ("claim", "status"), Kind.TEXT),
        Column("metric_id", ("metric", "id"), Kind.TEXT),
        Column("metric_key", ("metric", "key"), Kind.TEXT),
        Column("metric_label", ("metric", "label"), Kind.TEXT),
        _reference("subject", "name"),
        _texts("as_stated", "comparator"),
        _each(Kind.DECIMAL, "amount", "lower_bound", "upper_bound"),
        _texts("unit_code", "dimension"),
        _range("value_range"),
        _range("plausible_range"),
        _texts("range_rule", "modality"),
        _period("period", "as_stated"),
        _relative("period"),
        _common(),
    ),
    "evidence": _columns(
        _texts("id", "external_id"),
        _reference("claim", "statement"),
        Column("claim_status", ("claim", "status"), Kind.TEXT),
        _reference("source", "title"),
        Column("source_issued_edtf", ("source", "issued_edtf"), Kind.TEXT),
        _list("source_contributors", "source", "contributors", "entity", "name"),
        _texts("stance", "directness", "interest", "derived_from_id", "capture_id"),
        _each(Kind.INTEGER, "start_char", "end_char"),
        _texts("exact_sha256", "prefix_sha256", "suffix_sha256"),
        _texts("page", "note", "status", "added_by"),
        _common(),
    ),
    "metrics": _columns(
        _texts("id", "external_id", "key", "label", "dimension", "accumulation"),
        _each(Kind.BOOLEAN, "nonnegative"),
        _common(),
    ),
    "units": _columns(
        _texts("id", "external_id", "code", "label", "dimension"),
        _each(Kind.DECIMAL, "factor"),
        _common(),
    ),
}
