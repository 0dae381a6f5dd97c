"""Writing sources, with who made them, what copies were held and what they rest on."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services.dates import reckon_again
from hksz_db.services.references import Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, create_whole, dated

_SHAPE = Shape(
    nested={
        "contributors": Shape({"entity": "entities"}),
        "relations": Shape({"to": "sources"}),
    }
)


def create(session: Session, fields: Row) -> UUID:
    """Add a source with its contributors, captures and relations."""
    id = resolve(session, fields, _SHAPE).new_id
    create_whole(session, "sources", {"id": id, **_columns(fields)}, list(_children(fields)))
    return id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change a source; a list that is given replaces the one that is there.

    What is dated by the source gets its dates anew; ``Conflict`` where one has none any more.
    """
    resolve(session, fields, _SHAPE)
    children = list(_children(fields))
    changed = change_whole(session, "sources", id, versions, _columns(fields), children)
    if changed and "issued_edtf" in fields:
        reckon_again(session, id, fields["issued_edtf"])
    return changed


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
