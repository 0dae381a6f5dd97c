"""Loading a dump makes an equal database, or changes nothing."""

import gzip
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from app import create_app
from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.exchange import dumps
from hksz_db.exchange.dumps import LEDGER, read_catalog
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.slow

# The seeds lack reference cycles, a sequence, a trigger and some types.
MORE = """
    CREATE TABLE past.added (
        number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        before_number bigint REFERENCES past.added (number),
        body jsonb, bytes bytea, days daterange, span interval, names text[], exact numeric,
        at timestamptz, doubled numeric GENERATED ALWAYS AS (exact * 2) STORED,
        "a ""column""!" text
    );
    CREATE TABLE "left" (id serial PRIMARY KEY, right_id int);
    CREATE TABLE "right" (
        name text PRIMARY KEY, id int UNIQUE, left_id int REFERENCES "left" (id)
    );
    ALTER TABLE "left" ADD FOREIGN KEY (right_id) REFERENCES "right" (id);
    CREATE TABLE keyless (word text, number int);
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'a trigger ran'; END $$;
"""
ROWS = r"""
    INSERT INTO past.added
        (before_number, body, bytes, days, span, names, exact, at, "a ""column""!")
    VALUES
        (3, '{"b": 1.50, "a": [null, "\n"]}', '\x00ff', '[2010-01-01,)', '1 mon 2 days',
         '{"a,b",NULL}', 0.10, '2024-01-24 08:00:00.000001+08', E'a\nb\\"深圳'),
        (NULL, NULL, NULL, 'empty', NULL, '{}', 12345678901234567890.0001000, 'infinity', ''),
        (2, '"text"', '', NULL, '-00:00:01', '{{a,b},{c,d}}', 'NaN', '0001-01-01', NULL);
    INSERT INTO "left" (right_id) VALUES (NULL), (NULL);
    INSERT INTO "right" VALUES ('ß', 1, 2), ('Z', 2, 1), ('a', 3, NULL);
    UPDATE "left" SET right_id = 3 - id;
    INSERT INTO keyless VALUES ('b', 1), ('a', 2), ('b', 1), (NULL, NULL);
"""
TRIGGERS = """
    CREATE TRIGGER refuse BEFORE INSERT ON past.added
        FOR EACH ROW EXECUTE FUNCTION refuse();
    CREATE TRIGGER refuse BEFORE INSERT ON keyless FOR EACH STATEMENT EXECUTE FUNCTION refuse();
"""


@pytest.fixture(scope="module")
def used_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with all seeds, and with rows that were changed, merged and deleted."""
    with make_database(all_seeds) as url:
        database = Database(lambda: url)
        with writing(database) as session:
            key = api_keys.create(session, "editor", [Scope.ADMIN])
        client = create_app(Settings(log_level="error"), database).test_client()
        head = {"Authorization": f"Bearer {key}", "If-Match": "*"}

        def send(method: str, path: str, body: object = None) -> str:
            answer = client.open(f"/v1/{path}", method=method, json=body, headers=head)
            assert answer.status_code < 300, answer.text
            return str(json.loads(answer.data)["id"]) if answer.data else ""

        twin = {
            "kind": "organisation",
            "names": [{"name": "HKPC 生產力局", "language": "zh", "kind": "preferred"}],
        }
        merged = send("POST", "entities", twin)
        claim = {"statement": "Forty firms “moved”.", "claimant_id": merged, "topics": ["firms"]}
        edited = send("POST", "claims", claim)
        send("PATCH", f"claims/{edited}", {"statement": "Fifty firms moved.", "due_edtf": "2030"})
        hkpc = send("POST", f"entities/{merged}/merge", {"into_external_id": "hksz:hkpc"})
        gone = send("POST", "claims", {**claim, "claimant_id": hkpc})
        send("DELETE", f"claims/{gone}")
        with psycopg.connect(url) as connection:
            connection.execute(f"{MORE}{ROWS}{TRIGGERS}".encode())
        yield url
        database.close()


@pytest.fixture
def empty(make_database: MakeDatabase) -> Iterator[str]:
    """A migrated database without rows."""
    with make_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute(f"{MORE}{TRIGGERS}".encode())
        yield url


def _dump(url: str, *, compressed: bool = False, with_keys: bool = False) -> bytes:
    file = io.BytesIO()
    database = Database(lambda: url)
    seen: list[int] = []
    rows = dumps.dump(
        database,
        file,
        compressed=compressed,
        with_keys=with_keys,
        begun=lambda _: seen.append,
    )
    assert sum(seen) == rows
    return file.getvalue()


def _load(url: str, path: Path) -> dumps.Checked:
    read: list[int] = []
    checked = dumps.check(path, read.append)
    assert sum(read) == path.stat().st_size
    loaded: list[int] = []
    dumps.load(Database(lambda: url), path, checked, loaded.append)
    assert sum(loaded) == checked.rows
    return checked


@pytest.fixture(scope="module")
def dumped(used_url: str) -> bytes:
    return _dump(used_url, with_keys=True)


@pytest.fixture
def file(dumped: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "dump.ndjson"
    path.write_bytes(dumped)
    return path


def _content(url: str) -> dict[str, list[str]]:
    """Every row of every table as text, including generated columns."""
    found = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables"
            " WHERE schemaname IN ('public', 'past') ORDER BY 1, 2"
        ).fetchall()
        for table in tables:
            query = SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(Identifier(*table))
            found[".".join(table)] = [row for (row,) in connection.execute(query)]
    return found


def test_loaded_rows_equal_dumped_rows(used_url: str, empty: str, file: Path) -> None:
    before = _content(used_url)
    assert all(before[f"public.{name}"] for name in ("entity_merges", "seed_items", "claim_bands"))
    assert len(before["past.added"]) == 3
    _load(empty, file)
    assert _content(empty) == before


def test_dump_of_a_loaded_database_is_the_same_file(dumped: bytes, empty: str, file: Path) -> None:
    _load(empty, file)
    assert _dump(empty, with_keys=True) == dumped


def test_loaded_database_gives_the_same_answers(used_url: str, empty: str, file: Path) -> None:
    _load(empty, file)
    databases = [Database(partial(str, url)) for url in (used_url, empty)]
    one, other = (
        create_app(Settings(log_level="error"), database).test_client() for database in databases
    )
    asked = 0
    for resource in RESOURCES:
        listed = one.get(f"/v1/{resource}?per_page=100")
        assert other.get(f"/v1/{resource}?per_page=100").data == listed.data
        for row in json.loads(listed.data)["data"]:
            path = f"/v1/{resource}/{row['id']}"
            first, second = one.get(path), other.get(path)
            assert (first.data, first.headers["ETag"]) == (second.data, second.headers["ETag"])
            asked += 1
    assert asked > 200
    for database in databases:
        database.close()


def test_sequences_and_constraints_continue(empty: str, file: Path) -> None:
    _load(empty, file)
    with psycopg.connect(empty) as connection:
        connection.execute("ALTER TABLE past.added DISABLE TRIGGER USER")
        made = connection.execute("INSERT INTO past.added DEFAULT VALUES RETURNING number")
        assert made.fetchall() == [(4,)]
        # Foreign keys are checked immediately again.
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute('INSERT INTO "left" (right_id) VALUES (17)')


def test_triggers_are_enabled_again(empty: str, file: Path) -> None:
    _load(empty, file)
    with psycopg.connect(empty) as connection:
        with pytest.raises(psycopg.errors.RaiseException, match="a trigger ran"):
            connection.execute("INSERT INTO keyless VALUES ('a', 1)")
        connection.rollback()
        connection.execute("UPDATE claims SET statement = 'Firms moved away.'")
        bands = connection.execute("SELECT count(DISTINCT band) < 20 FROM claim_bands").fetchall()
        assert bands == [(True,)]


def _schema(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " UNION ALL SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)"
            " FROM pg_index WHERE indisvalid AND indrelid >= 16384"
            " UNION ALL SELECT tgname, tgenabled::text || tgrelid::regclass FROM pg_trigger"
            " WHERE NOT tgisinternal ORDER BY 1, 2"
        ).fetchall()


def test_loading_does_not_change_the_schema(empty: str, file: Path) -> None:
    before = _schema(empty)
    _load(empty, file)
    assert _schema(empty) == before


def test_existing_keys_stay_if_the_dump_has_none(used_url: str, empty: str, tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(_dump(used_url))
    assert b"key_sha256" not in path.read_bytes()
    database = Database(lambda: empty)
    with writing(database) as session:
        api_keys.create(session, "here", [Scope.ADMIN])
    database.close()
    _load(empty, path)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT label FROM api_keys").fetchall() == [("here",)]


def test_keys_are_dumped_on_request(used_url: str, empty: str, file: Path) -> None:
    _load(empty, file)
    assert _content(empty)["public.api_keys"] == _content(used_url)["public.api_keys"] != []


def test_compressed_dump_is_deterministic(
    used_url: str, dumped: bytes, empty: str, tmp_path: Path
) -> None:
    packed = _dump(used_url, compressed=True, with_keys=True)
    assert packed == _dump(used_url, compressed=True, with_keys=True)
    assert len(packed) < len(dumped) / 2
    assert gzip.decompress(packed) == dumped
    path = tmp_path / "whatever"
    path.write_bytes(packed)
    _load(empty, path)
    assert _dump(empty, with_keys=True) == dumped


def test_first_and_last_line_describe_the_dump(dumped: bytes, used_url: str) -> None:
    first, *rows, last = map(json.loads, dumped.splitlines())
    head, end = first["hksz_dump"], last["end"]
    assert head["version"] == 1
    with psycopg.connect(used_url) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert (head["revision"],) == revision
    kept = {"past.added_number_seq": [3, True], "left_id_seq": [2, True]}
    assert head["sequences"].items() >= kept.items()
    assert head["sequences"].keys() - kept.keys() == {"changes_id_seq", "transaction_numbers"}
    assert head["tables"]["keyless"] == ["word", "number"]
    assert "doubled" not in head["tables"]["past.added"]
    assert not {"alembic_version", "idempotency_keys", "sessions"} & head["tables"].keys()
    counts = dict.fromkeys(head["tables"], 0)
    for row in rows:
        ((table, values),) = row.items()
        assert list(values) == head["tables"][table]
        counts[table] += 1
    assert counts == end["rows"]


def test_tables_come_after_those_that_they_reference(used_url: str) -> None:
    with psycopg.connect(used_url) as connection:
        found = read_catalog(connection, with_keys=True)
    place = {table.oid: number for number, table in enumerate(found.tables)}
    references = {table.oid: table.references for table in found.tables}

    def reached(oids: frozenset[int]) -> frozenset[int]:
        further = oids.union(*(references[oid] for oid in oids))
        return oids if further == oids else reached(further)

    circular = {oid for oid, to in references.items() if oid in reached(to - {oid})}
    checked = 0
    for number, table in enumerate(found.tables):
        if circular.isdisjoint(reached(frozenset({table.oid}))):
            assert all(place[to] <= number for to in table.references)
            checked += bool(table.references)
    assert checked


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "cut before the end": lambda data: data[: data.rindex(b'{"end"')],
    "cut within the end": lambda data: data[:-20],
    "without the last line break": lambda data: data[:-1],
    "cut within a row": lambda data: data[: len(data) // 2],
    "a row is missing": lambda data: b"".join(
        line for n, line in enumerate(data.splitlines(keepends=True)) if n != 5
    ),
    "a row is there twice": lambda data: data.replace(
        data.splitlines(keepends=True)[5], data.splitlines(keepends=True)[5] * 2, 1
    ),
    "another value": lambda data: data.replace(b'"version":1', b'"version":2', 1),
    "another sequence": lambda data: data.replace(b"[3,true]", b"[1,true]", 1),
    "more after the end": lambda data: data + b'{"claims":{}}\n',
    "a line that is none": lambda data: data.replace(b"\n", b"\nno row\n", 1),
    "of another kind": lambda data: b'{"hello":1}\n' + data,
    "of another form": lambda data: data.replace(b'"version":1,"rev', b'"version":2,"rev', 1),
    "packed and cut": lambda data: gzip.compress(data)[:-10],
    "packed and damaged": lambda data: gzip.compress(data)[:5000] + b"x" * 100 + b"\n",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_file_is_refused(damage, dumped: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(DAMAGES[damage](dumped))
    with pytest.raises(dumps.Unloadable):
        dumps.check(path, lambda _: None)


def test_file_that_changes_while_loading_loads_nothing(
    empty: str, file: Path, dumped: bytes
) -> None:
    checked = dumps.check(file, lambda _: None)
    file.write_bytes(dumped.replace(b'"Fifty firms', b'"Sixty firms', 1))
    before = _content(empty)
    with pytest.raises(dumps.Unloadable, match="changed"):
        dumps.load(Database(lambda: empty), file, checked, lambda _: None)
    assert _content(empty) == before


def test_rows_that_violate_a_constraint_load_nothing(
    empty: str, dumped: bytes, tmp_path: Path
) -> None:
    # A complete file, but the claims have no claimants.
    head, *rows, _ = dumped.splitlines(keepends=True)
    kept = [row for row in rows if not row.startswith(b'{"entities"')]
    path = _sealed(tmp_path, head, kept)
    before = _content(empty)
    with pytest.raises(dumps.Unloadable, match=r"Nothing was loaded: .*foreign key"):
        _load(empty, path)
    assert _content(empty) == before


def _sealed(folder: Path, head: bytes, rows: list[bytes]) -> Path:
    counts = dict.fromkeys(json.loads(head)["hksz_dump"]["tables"], 0)
    for row in rows:
        counts[next(iter(json.loads(row)))] += 1
    digest = hashlib.sha256(b"".join([head, *rows])).hexdigest()
    path = folder / "made"
    path.write_bytes(
        b"".join([head, *rows]) + dumps.line("end", {"rows": counts, "sha256": digest})
    )
    return path


def test_database_with_rows_is_refused(empty: str, file: Path) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute(
            "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
            " VALUES ('k', 'l', 'count', 'flow', true)"
        )
        connection.execute("INSERT INTO seed_items VALUES ('f', 'x', repeat('0', 64))")
    before = _content(empty)
    with pytest.raises(dumps.Unloadable, match="not empty: there are rows in metrics, seed_items"):
        _load(empty, file)
    assert _content(empty) == before


def test_new_database_is_empty(make_database: MakeDatabase) -> None:
    with make_database() as url, psycopg.connect(url) as connection:
        found = read_catalog(connection, with_keys=True).tables
        others = [table for table in found if table.name not in LEDGER]
        assert others
        for table in others:
            assert connection.execute(SQL("SELECT FROM {}").format(table.sql)).fetchall() == []


def test_another_revision_is_refused(empty: str, file: Path) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of_the_future'")
    with pytest.raises(dumps.Unloadable, match="is at of_the_future: migrate it to"):
        _load(empty, file)


def test_database_without_a_schema_is_refused(make_database: MakeDatabase, file: Path) -> None:
    with make_database("empty") as url, pytest.raises(dumps.Unloadable, match="no schema yet"):
        _load(url, file)


def test_other_tables_are_refused(empty: str, file: Path) -> None:
    with psycopg.connect(empty) as connection:
        connection.execute("ALTER TABLE keyless ADD COLUMN more int")
    with pytest.raises(dumps.Unloadable, match="other tables or columns"):
        _load(empty, file)


def test_dump_is_one_snapshot(used_url: str, dumped: bytes) -> None:
    database = Database(lambda: used_url)
    file = io.BytesIO()

    def begun(_: int) -> Callable[[int], None]:
        with psycopg.connect(used_url) as connection:
            connection.execute("CREATE TABLE late (id int)")
            connection.execute("INSERT INTO late VALUES (1)")
        return lambda _: None

    dumps.dump(database, file, compressed=False, with_keys=True, begun=begun)
    with psycopg.connect(used_url) as connection:
        connection.execute("DROP TABLE late")
    assert file.getvalue() == dumped
