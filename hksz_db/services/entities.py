"""Writing entities, with their names, identifiers and relations."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.services.references import Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, dated, insert, owned

SHAPE = Shape(nested={"relations": Shape({"object": "entities", "claim": "claims"})})
_LANGUAGE = "en"


def create(session: Session, fields: Row) -> UUID:
    """Add an entity; it is shown under its preferred name, the English one if there is one."""
    known = resolve(session, fields, SHAPE)
    insert(session, rows(fields, known.new_id, known))
    return known.new_id


def update(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> bool:
    """Change an entity; a list that is given replaces the one that is there."""
    known = resolve(session, fields, SHAPE)
    return change_whole(session, "entities", id, versions, *changes(fields, {}, known))


def rows(fields: Row, id: UUID, _known: Resolved) -> Mapping[str, Sequence[Row]]:
    """The rows of a new entity by table."""
    return {"entities": [{"id": id, **_columns(fields)}], **owned(id, _children(fields))}


def changes(fields: Row, _before: Row, _known: Resolved) -> tuple[Row, list[Children]]:
    """What a change gives an entity: its columns and its lists."""
    return _columns(fields), list(_children(fields))


def _columns(fields: Row) -> Row:
    columns = chosen(fields, "external_id", "kind", "description")
    if "names" in fields:
        preferred = [name for name in fields["names"] if name["kind"] == "preferred"]
        shown = min(preferred, key=lambda name: name["language"].lower() != _LANGUAGE)
        columns |= {"name": shown["name"], "name_language": shown["language"]}
    return columns


def _children(fields: Row) -> Iterator[Children]:
    if "names" in fields:
        yield Children("entity_names", "entity_id", fields["names"])
    if "identifiers" in fields:
        yield Children("entity_identifiers", "entity_id", fields["identifiers"])
    if "relations" in fields:
        rows = [_relation(relation) for relation in fields["relations"]]
        yield Children("entity_relations", "subject_id", rows)


def _relation(relation: Row) -> Row:
    plain = chosen(relation, "kind", "object_id", "qualifier")
    return {**plain, "claim_id": relation.get("claim_id"), **dated(relation, "during")}
