"""``python -m benchmarks.pages``: measures the page of a claim against its JSON document.

Both are requested in turns for each claim of the seeds, the document with all that the page embeds.
"""

import argparse
import http.client
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import median

from benchmarks.dataset import new_key
from benchmarks.questions import PATH, Ask
from benchmarks.servers import HOST, Server, this_service
from hksz_db import embedded
from hksz_db.queries.registry import RESOURCES

_EMBEDDED = ",".join(RESOURCES["claims"].embeds)
_AIM = 2.0


def main(arguments: Sequence[str]) -> int:
    """Measure, print the results, and return 1 if a page takes too long."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is requested (5)")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with (
            embedded.running(folder / "home") as database,
            this_service(database.url(), "", folder) as bare,
        ):
            server = Server(bare.name, bare.port, new_key(database.url()))
            pairs = _pairs(server, rounds)
    documents, pages = (sorted(times) for times in zip(*pairs, strict=True))
    ratio = median(page / document for document, page in pairs)
    print(f"document: {median(documents) * 1000:.1f} ms, page: {median(pages) * 1000:.1f} ms")
    print(f"ratio of the first bytes: {ratio:.2f} (aim: at most {_AIM:g})")
    return 1 if ratio > _AIM else 0


def _pairs(server: Server, rounds: int) -> list[tuple[float, float]]:
    """The times of the document and of the page of each claim, after a round to warm up."""
    asked = server.answer(Ask("GET", f"{PATH}?per_page=100&select=id"))
    ids = [claim["id"] for claim in asked["data"]]
    with closing(http.client.HTTPConnection(HOST, server.port)) as connection:
        return [
            (
                _first_byte(connection, f"{PATH}/{id}?include={_EMBEDDED}"),
                _first_byte(connection, f"/claims/{id}"),
            )
            for _ in range(rounds + 1)
            for id in ids
        ][len(ids) :]


def _first_byte(connection: http.client.HTTPConnection, path: str) -> float:
    """The seconds until the answer begins."""
    begun = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    taken = time.perf_counter() - begun
    response.read()
    assert response.status == http.client.OK, path
    return taken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
