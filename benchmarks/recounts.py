"""``python -m benchmarks.recounts``: measures changes that bear on many claims.

A source is evidence for every claim. It is retracted and made a copy, and its publisher gets an
owner, over HTTP. Meanwhile, and while the claims are counted anew, another client writes evidence.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.servers import HOST, NotServing, Server, this_service
from hksz_db import embedded
from hksz_db.database import Database, driver_url
from hksz_db.domain.vocabulary import Scope
from hksz_db.preparing import upgrade
from hksz_db.services import api_keys
from hksz_db.services.writing import writing

_WORLD = """
    CREATE TEMP TABLE made AS SELECT uuidv7() AS press, uuidv7() AS owner, uuidv7() AS wide,
        uuidv7() AS other, uuidv7() AS spare;
    INSERT INTO entities (id, kind, name, name_language)
    SELECT id, 'organisation', 'An organisation', 'en' FROM made, unnest(ARRAY[press, owner]) AS id;
    INSERT INTO entity_names (entity_id, name, language, kind, search)
    SELECT id, name, name_language, 'preferred', search_vector(name, 'und') FROM entities;
    INSERT INTO sources (id, csl_type, title, search)
    SELECT id, 'report', 'A source', search_vector('A source', 'und')
    FROM made, unnest(ARRAY[wide, other, spare]) AS id;
    INSERT INTO source_contributors (source_id, entity_id, role, ordinal)
    SELECT wide, press, 'publisher', 1 FROM made;
    INSERT INTO claims (statement, language, claimant_id, modality, search)
    SELECT 'Claim ' || n, 'en', owner, 'actual', search_vector('Claim ' || n, 'en')
    FROM made, generate_series(1, {claims}) AS n;
    INSERT INTO evidence (claim_id, source_id, stance, status)
    SELECT claims.id, source, 'asserts', 'accepted'
    FROM made, unnest(ARRAY[wide, other]) AS source, claims;
"""
_MOMENT_S = 2
_UNDISTURBED_S = 40


class Writer:
    """A client that writes evidence without pause, and remembers how long it waited."""

    def __init__(self, server: Server, claims: Sequence[str], source: str) -> None:
        self._server = server
        self._claims = claims
        self._source = source
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._waits: list[float] = []

    def _write(self) -> None:
        number = 0
        while not self._ended.is_set():
            body = {"source_id": self._source, "stance": "supports", "page": str(number)}
            claim = self._claims[number * 7919 % len(self._claims)]
            begun = time.perf_counter()
            _send(self._server, "POST", f"/v1/claims/{claim}/evidence", body)
            with self._lock:
                self._waits.append(time.perf_counter() - begun)
            number += 1

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write during the block."""
        thread = threading.Thread(target=self._write)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def waited(self) -> tuple[float, float, int]:
        """The median and the longest wait since the last call in milliseconds, and their number."""
        with self._lock:
            waits, self._waits = sorted(self._waits), []
        return waits[len(waits) // 2] * 1000, waits[-1] * 1000, len(waits)


def _send(server: Server, method: str, path: str, body: dict[str, Any]) -> None:
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"}
    if method == "PATCH":
        headers["If-Match"] = "*"
    with closing(http.client.HTTPConnection(HOST, server.port, timeout=60)) as connection:
        connection.request(method, path, json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read().decode()
    if not 200 <= response.status < 300:
        raise NotServing(f"{method} {path} is answered with {response.status}: {text}")


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a line for each change."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recounts", description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(folder / "home") as database:
            url = database.url()
            upgrade(driver_url(url))
            ids, claims = _populate(database.url(superuser=True), options.claims)
            with this_service(url, _key(url), folder) as server:
                _measure(url, server, ids, claims)
    return 0


def _populate(superuser_url: str, claims: int) -> tuple[dict[str, str], list[str]]:
    with psycopg.connect(superuser_url) as connection:
        # Triggers would count each claim before there are statistics for the plans.
        connection.execute("SET session_replication_role = replica")
        connection.execute(_WORLD.format(claims=claims).encode())
        cursor = connection.execute("SELECT press, owner, wide, other, spare FROM made")
        row = cursor.fetchone()
        assert row is not None
        names = ("press", "owner", "wide", "other", "spare")
        ids = dict(zip(names, map(str, row), strict=True))
        found = connection.execute("SELECT id FROM claims ORDER BY id").fetchall()
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("SELECT recount_claims(ARRAY(SELECT id FROM claims))")
        connection.execute("VACUUM (ANALYZE)")
    return ids, [str(id) for (id,) in found]


def _key(url: str) -> str:
    database = Database(lambda: url)
    with writing(database) as session:
        key = api_keys.create(session, "benchmark", list(Scope))
    database.close()
    return key


def _measure(url: str, server: Server, ids: dict[str, str], claims: Sequence[str]) -> None:
    wide, press = f"/v1/sources/{ids['wide']}", f"/v1/entities/{ids['press']}"
    copied = {"relations": [{"kind": "copy_of", "to_id": ids["other"]}]}
    owned = {"relations": [{"kind": "owned_by", "object_id": ids["owner"]}]}
    changes: list[tuple[str, str, dict[str, Any]]] = [
        ("the source is retracted", wide, {"retracted_at": "2024-05-01T00:00:00Z"}),
        ("it stands again", wide, {"retracted_at": None}),
        ("it is made a copy", wide, copied),
        ("it is no copy", wide, {"relations": []}),
        ("its publisher gets an owner", press, owned),
    ]
    print(
        f"{'':30}{'change':>9}{'writer, median':>16}{'longest':>9}{'recounted':>11}{'longest':>9}"
    )
    writer = Writer(server, claims, ids["spare"])
    with writer.writing(), psycopg.connect(url, autocommit=True) as connection:
        # Disks and other processes delay some of many writes, too.
        time.sleep(_UNDISTURBED_S)
        usual, longest, _ = writer.waited()
        print(f"{'no change':30}{'':9}{usual:13.1f} ms{longest:6.0f} ms", flush=True)
        for title, path, body in changes:
            time.sleep(_MOMENT_S)
            usual, _, _ = writer.waited()
            begun = time.perf_counter()
            _send(server, "PATCH", path, body)
            took = time.perf_counter() - begun
            time.sleep(_MOMENT_S / 4)
            _, longest, _ = writer.waited()
            while connection.execute("SELECT FROM recounts LIMIT 1").fetchall():
                time.sleep(0.1)
            recounted = time.perf_counter() - begun
            _, later, _ = writer.waited()
            print(
                f"{title:30}{took * 1000:6.0f} ms{usual:13.1f} ms{longest:6.0f} ms"
                f"{recounted:9.0f} s{later:6.0f} ms",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
