"""The words of many claims are renewed in batches, and those of older rows after an upgrade."""

import pytest

from hksz_db.database import Session, run
from hksz_db.services import searches
from hksz_db.services.searches import renew_searches

MANY = 310
FOUND = "SELECT count(*) FROM claims WHERE search @@ search_query(ARRAY[$1], true)"


@pytest.fixture
def entities(session: Session) -> list[str]:
    """The ids of two entities. The first is the claimant of many claims, and linked to as many."""
    found = []
    for name in ("Zeppelinone", "Zeppelintwo"):
        ((id,),) = run(
            session,
            "WITH made AS ("
            " INSERT INTO entities (kind, name, name_language, created_at)"
            " VALUES ('place', $1, 'en', now() - interval '1 day') RETURNING id"
            "), named AS ("
            " INSERT INTO entity_names (entity_id, name, language, kind)"
            " SELECT id, $1, 'en', 'preferred' FROM made"
            ") SELECT id FROM made",
            name,
        )
        found.append(id)
    for linked in (False, True):
        run(
            session,
            "WITH made AS ("
            " INSERT INTO claims (statement, language, modality, claimant_id, claimant_as_stated)"
            " SELECT 'Number ' || n, 'en', 'actual', CASE WHEN $2 THEN NULL ELSE $1::uuid END, 'x'"
            " FROM generate_series(1, $3::int) AS n RETURNING id"
            ") INSERT INTO claim_entities (claim_id, entity_id, role)"
            " SELECT id, $1, 'subject' FROM made WHERE $2",
            *(found[0], linked, MANY),
        )
    work_off(session)
    assert count(session, "zeppelinone") == 2 * MANY
    return found


def work_off(session: Session) -> int:
    total = 0
    while number := renew_searches(session):
        total += number
    return total


def count(session: Session, word: str) -> int:
    return int(run(session, FOUND, f"'{word}'")[0][0])


def test_new_names_of_many_claims_wait_in_the_queue(session: Session, entities: list[str]) -> None:
    run(
        session,
        "INSERT INTO entity_names (entity_id, name, language, kind)"
        " VALUES ($1, '飛艇', 'zh-Hant', 'preferred')",
        entities[0],
    )
    before = run(session, "SELECT id, version, written_in FROM claims ORDER BY id")
    assert count(session, "飛") == 0
    # Half of them at a time; later batches go on after the last.
    assert renew_searches(session) == searches._AT_ONCE
    assert count(session, "飛") == searches._AT_ONCE
    work_off(session)
    assert count(session, "飛") == 2 * MANY
    # No version of a claim is made, and no transaction has written it.
    assert run(session, "SELECT id, version, written_in FROM claims ORDER BY id") == before


def test_many_moved_links_wait_in_the_queue(session: Session, entities: list[str]) -> None:
    run(
        session,
        "UPDATE claim_entities SET entity_id = $2 WHERE entity_id = $1",
        *entities,
    )
    assert count(session, "zeppelintwo") == 0
    work_off(session)
    assert count(session, "zeppelintwo") == count(session, "zeppelinone") == MANY


@pytest.mark.usefixtures("entities")
def test_rows_of_an_earlier_version_are_renewed(session: Session) -> None:
    run(
        session,
        "INSERT INTO sources (csl_type, title, language) VALUES ('report', '飛艇', 'zh-Hant')",
    )
    words = {}
    for table in ("entity_names", "sources", "claims"):
        words[table] = run(session, f"SELECT id, search FROM {table} ORDER BY id")
        run(session, f"UPDATE {table} SET search = to_tsvector('english', 'old')")
        run(session, "INSERT INTO stale_searches (resource, waits_for) VALUES ($1, 0)", table)
    assert count(session, "zeppelinone") == 0
    assert work_off(session) > sum(map(len, words.values()))
    for table, expected in words.items():
        assert run(session, f"SELECT id, search FROM {table} ORDER BY id") == expected
    assert run(session, "SELECT 1 FROM stale_searches WHERE waits_for = 0") == []


def test_claims_wait_until_the_names_of_an_earlier_version_are_renewed(session: Session) -> None:
    run(session, "DELETE FROM stale_searches")
    for resource in ("claims", "entity_names"):
        run(session, "INSERT INTO stale_searches (resource, waits_for) VALUES ($1, 0)", resource)
    worked = []
    while left := run(session, "SELECT resource, done_to FROM stale_searches ORDER BY resource"):
        renew_searches(session)
        after = run(session, "SELECT resource, done_to FROM stale_searches ORDER BY resource")
        worked += [resource for resource, done in left if (resource, done) not in after]
    assert worked == sorted(worked, reverse=True)
    assert set(worked) == {"claims", "entity_names"}


def test_an_entry_that_fails_is_put_off(session: Session) -> None:
    run(session, "DELETE FROM stale_searches")
    add = "INSERT INTO stale_searches (resource, waits_for) VALUES ($1, 0)"
    for resource in ("no_such_table", "sources", "claims"):
        run(session, add, resource)
    work_off(session)
    left = "SELECT resource, retry_at > now() + interval '50 s' FROM stale_searches"
    assert run(session, left) == [("no_such_table", True)]
    run(session, "UPDATE stale_searches SET resource = 'sources', retry_at = now()")
    work_off(session)
    assert run(session, left) == []


def test_names_that_cannot_be_renewed_hold_up_all_claims_only(
    session: Session, entities: list[str]
) -> None:
    run(session, "DELETE FROM stale_searches")
    run(
        session,
        "INSERT INTO stale_searches (resource, entity_id, waits_for, retry_at) VALUES"
        " ('entity_names', NULL, 0, now() + interval '1 hour'),"
        " ('claims', NULL, 0, NULL), ('claims', $1, 0, NULL)",
        entities[0],
    )
    work_off(session)
    left = run(session, "SELECT resource, entity_id FROM stale_searches ORDER BY id")
    assert left == [("entity_names", None), ("claims", None)]


@pytest.mark.slow
def test_names_beyond_the_limit_of_the_index_are_left_out(session: Session) -> None:
    ((id,),) = run(
        session,
        "INSERT INTO entities (kind, name, name_language) VALUES ('place', 'Limit', 'en')"
        " RETURNING id",
    )
    run(
        session,
        "INSERT INTO entity_names (entity_id, name, language, kind)"
        " SELECT $1, CASE n WHEN 0 THEN 'Limit' ELSE (SELECT string_agg(md5(n || ' ' || m), ' ')"
        "  FROM generate_series(1, 9) AS m) END, 'en', 'alias'"
        " FROM generate_series(0, 5000) AS n",
        id,
    )
    run(
        session,
        "INSERT INTO claims (statement, language, modality, claimant_id)"
        " VALUES ('Parks are opening.', 'EN-GB', 'actual', $1)",
        id,
    )
    assert count(session, "opened") == 1
    ((size,),) = run(
        session,
        "SELECT pg_column_size(search::text::tsvector) FROM claims WHERE claimant_id = $1",
        id,
    )
    assert 850_000 < size < 1_000_000
