"""A small database with references of every kind, and all its documents."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from hksz_db.database import Database, Prepared, Session, prepare, run
from hksz_db.domain.chronology import parse
from hksz_db.queries.pages import as_json
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.batches import create, update
from hksz_db.services.rows import Row

Documents = dict[tuple[str, UUID], bytes]


def statements() -> Mapping[str, Prepared]:
    """For each resource, the statement that reads all documents as a read by id returns them."""
    found = {}
    for name, readable in RESOURCES.items():
        id, deleted_at = readable.table.c.id, readable.table.c.deleted_at
        document = as_json(readable, (*readable.fields, *readable.read_embeds))
        found[name] = prepare(select(id, document).where(deleted_at.is_(None)))
    return found


STATEMENTS = statements()


def documents(database: Database, statements: Mapping[str, Prepared] = STATEMENTS) -> Documents:
    """All documents by resource and id."""
    return {
        (name, id): document
        for name, statement in statements.items()
        for id, document in database.read(statement, {})
    }


def name(text: str) -> dict[str, str]:
    return {"name": text, "language": "en", "kind": "preferred"}


def populate(session: Session) -> None:
    """Write a few rows of each resource that refer to each other in every possible way."""
    create(session, "units", {"code": "1", "label": "one"})
    create(session, "units", {"code": "HKD", "label": "dollar"})
    for n in range(2):
        made = {"key": f"metric-{n}", "label": f"Metric {n}", "dimension": "count"}
        create(session, "metrics", {**made, "accumulation": "flow", "nonnegative": True})
    people = [
        create(
            session,
            "entities",
            {
                "kind": ("organisation", "organisation", "place")[n % 3],
                "names": [name(f"Body {n}"), {**name(f"B{n}"), "kind": "alias"}],
                "identifiers": [{"scheme": "wikidata", "value": f"Q{n}"}],
            },
        )
        for n in range(5)
    ]
    works: list[UUID] = []
    for n in range(6):
        relations = [{"kind": "copy_of", "to_id": work} for work in works[-1:]]
        if n == 4:
            relations = [{"kind": "replies_to", "to_id": works[3]}]
        if n == 5:
            relations.append({"kind": "quotes", "to_id": works[0]})
        work: Row = {
            "csl_type": ("report", "webpage")[n % 2],
            "title": f"Work {n}",
            "issued_edtf": parse(f"2020-01-0{n + 1}"),
            "contributors": [{"entity_id": people[n % 5], "role": "author"}],
            "captures": [{"normalization": "nfc-ws1", "char_length": 9, "text_sha256": f"{n:064}"}],
            "relations": relations if n in {1, 3, 4, 5} else [],
        }
        works.append(create(session, "sources", work))
    ((first,), (second,)) = run(session, "SELECT id FROM metrics ORDER BY id")
    said: list[UUID] = []
    passages: list[UUID] = []
    for n in range(6):
        claim: Row = {
            "statement": f"Statement {n}.",
            "language": "en",
            "modality": ("planned", "actual")[n % 2],
            "status": ("submitted", "accepted")[n % 2],
            "claimant_id": people[n % 5],
            "reported_by_id": people[(n + 1) % 5],
            "time_relative": {"anchor_id": works[n], "duration": "-P1Y", "modifier": None},
            "due_relative": {"anchor_id": works[5 - n], "duration": "P1Y", "modifier": None},
            "topics": [f"topic-{n}"],
            "entities": [{"entity_id": people[(n + 2) % 5], "role": "subject"}],
            "relations": [{"kind": "refines", "to_id": said[-1]}] if said else [],
            "figures": [
                {
                    "metric_id": (first, second)[n % 2],
                    "subject_id": people[(n + 3) % 5],
                    "as_stated": "some",
                    "comparator": "eq",
                    "amount": Decimal(n),
                    "unit_code": "1",
                    "period_relative": {
                        "anchor_id": works[n],
                        "duration": "-P1Y",
                        "modifier": None,
                    },
                }
            ],
            "evidence": [
                {
                    "source_id": works[(n + shift) % 6],
                    "stance": stance,
                    "status": "submitted" if stance == "disputes" else "accepted",
                    **({"derived_from_id": passages[n - 1]} if passages and not shift else {}),
                }
                for shift, stance in enumerate(("asserts", "supports", "disputes"))
            ],
        }
        said.append(create(session, "claims", claim))
        sql = "SELECT id FROM evidence WHERE claim_id = $1 AND stance = 'asserts'"
        passages.append(run(session, sql, said[-1])[0][0])
    for n, person in enumerate(people):
        other = {"kind": "partner_of", "object_id": people[(n + 1) % 5], "claim_id": said[n]}
        update(session, "entities", person, None, {"relations": [other]})
