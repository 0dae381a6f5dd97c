"""The links between resources are the foreign keys of the database."""

from dataclasses import replace

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.dependants import LINKS, Link

# Of a key over several columns the first names the row; the others are held equal to its own.
FOREIGN_KEYS = """
    SELECT source.relname, source_column.attname, target.relname, target_column.attname,
           confdeltype = 'c'
    FROM pg_constraint
    JOIN pg_class AS source ON source.oid = conrelid
    JOIN pg_class AS target ON target.oid = confrelid
    JOIN pg_attribute AS source_column
        ON source_column.attrelid = conrelid AND source_column.attnum = conkey[1]
    JOIN pg_attribute AS target_column
        ON target_column.attrelid = confrelid AND target_column.attnum = confkey[1]
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace
"""


def test_the_links_are_the_foreign_keys_between_resources(session: Session) -> None:
    keys = run(session, FOREIGN_KEYS)
    # Rows that go with their parent when it is dropped belong to it.
    owners = {table: (parent, column) for table, column, parent, _, cascades in keys if cascades}
    owners |= {name: (name, "id") for name in RESOURCES}
    expected = {
        Link(table, column, target, *owners[table], target_column)
        for table, column, target, target_column, cascades in keys
        if target in RESOURCES and not cascades
    }
    assert {replace(link, part=False) for link in LINKS} == expected
    assert len(set(LINKS)) == len(LINKS)


def test_parts_are_what_a_claim_embeds() -> None:
    parts = {(link.table, link.target) for link in LINKS if link.part}
    assert parts == {("figures", "claims"), ("evidence", "claims")}
