"""Writing sources, with who made them, what copies were held and what they rest on."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services.dates import reckon_again
from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, dated, insert, owned

SHAPE = Shape(
    nested={
        "contributors": Shape({"entity": "entities"}),
        "relations": Shape({"to": "sources"}),
    }
)


def create(session: Session, fields: Row) -> UUID:
    """Add a source with its contributors, captures and relations."""
    known = resolve(session, fields, SHAPE)
    insert(session, rows(fields, known.new_id, known))
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a source; a list that is given replaces the one that is there.

    What is dated by the source gets its dates anew; ``Conflict`` where one has none any more.
    """
    known = resolve(session, fields, SHAPE)
    changed = change_whole(session, "sources", id, versions, *changes(fields, {}, known))
    if changed and "issued_edtf" in fields:
        reckon_again(session, id, fields["issued_edtf"])
    return changed


def rows(fields: Row, id: UUID, _known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The rows of a new source by table."""
    return {"sources": [{"id": id, **_columns(fields)}], **owned(id, _children(fields))}


def changes(fields: Row, _before: Row, _known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives a source: its columns and its lists."""
    return _columns(fields), list(_children(fields))


def _columns(fields: Row) -> Row:
    plain = chosen(
        fields,
        "external_id",
        "csl_type",
        "title",
        "title_supplied",
        "container_title",
        "url",
        "doi",
        "language",
        "issued_note",
        "rights",
        "retracted_at",
    )
    return {**plain, **dated(fields, "issued")}


def _children(fields: Row) -> Iterator[Children]:
    if "contributors" in fields:
        rows = [{**row, "ordinal": n} for n, row in enumerate(fields["contributors"], start=1)]
        yield Children("source_contributors", "source_id", rows)
    if "captures" in fields:
        yield Children("source_captures", "source_id", fields["captures"], key=("text_sha256",))
    if "relations" in fields:
        yield Children("source_relations", "from_id", fields["relations"])
