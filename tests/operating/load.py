"""Writers, a reader and a follower of the feed during a drill, and what became of their writes."""

import http.client
import json
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

from tests.operating.places import Failed
from tests.operating.postgres import query
from tests.operating.services import Service

WRITERS = 4
_TIMEOUT_S = 60.0
_PAUSE_S = 0.02
_RETRY_S = 0.2
# How long writers and the follower may take to finish after the drill.
_FINISH_S = 60.0
NO_ANSWER = "closed"
# What a document by id, and so one in the feed, has.
_INCLUDED = "entities,figures,evidence,statements,sources,corroboration"


@dataclass(frozen=True)
class Outcome:
    """What a drill has shown: times in seconds, errors by status (or ``closed``: no answer).

    ``differing`` is the number of documents in which a follower of the feed differs from the
    database.
    """

    acknowledged: int
    lost: int
    doubled: int
    longest_gap_s: float
    write_errors: Mapping[str, int]
    read_errors: Mapping[str, int]
    differing: int
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is lost or doubled, and every error invites a retry.

        409 is the answer to a write that is repeated while the first request is still processed.
        """
        allowed = {"503", "409", NO_ANSWER}
        errors = {*self.write_errors, *self.read_errors}
        wrong = self.lost or self.doubled or self.differing or errors - allowed
        return bool(self.acknowledged) and not wrong


@dataclass(frozen=True)
class Acknowledged:
    """The id of a claim, and the time at which its writer had the answer."""

    id: str
    at: float


@dataclass
class Load:
    """The clients of one drill; ``acknowledged`` has what was answered for each statement."""

    service: Service
    run: str
    stopped: threading.Event = field(default_factory=threading.Event)
    acknowledged: dict[str, Acknowledged] = field(default_factory=dict)
    errors: dict[str, Counter[str]] = field(
        default_factory=lambda: {kind: Counter() for kind in ("write", "read", "feed")}
    )
    mirror: dict[str, Any] = field(default_factory=dict)
    cursor: str = "now"
    faults: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> tuple[str, Any]:
        """Send a request on a connection of its own; its status and document."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=_TIMEOUT_S)
        try:
            connection.request(
                method,
                path,
                body=None if body is None else json.dumps(body),
                headers={**sent, **(headers or {})},
            )
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            return "silent", None
        except (OSError, http.client.HTTPException):
            return NO_ANSWER, None
        finally:
            connection.close()
        return str(answer.status), json.loads(content)

    def write(self, writer: int) -> None:
        """Create claims, each until it is acknowledged, until the load is stopped."""
        for number in count():
            statement = f"{self.run}writer {writer} has written {number}."
            if self.stopped.is_set() or not self._create(statement):
                return
            time.sleep(_PAUSE_S)

    def _create(self, statement: str) -> bool:
        headers = {
            "Authorization": f"Bearer {self.service.key}",
            "Idempotency-Key": str(uuid.uuid4()),
        }
        claim = {"statement": statement, "language": "en", "claimant_as_stated": "a drill"}
        ends = 0.0
        while not ends or time.monotonic() < ends:
            status, document = self.ask("POST", "/v1/claims", claim, headers)
            if status == "201":
                self.acknowledged[statement] = Acknowledged(document["id"], time.time())
                return True
            self.errors["write"][status] += 1
            time.sleep(_RETRY_S)
            if self.stopped.is_set():
                ends = ends or time.monotonic() + _FINISH_S
        return False

    def read(self) -> None:
        """Read until the load is stopped."""
        while not self.stopped.is_set():
            status, _ = self.ask("GET", "/v1/claims?per_page=2")
            if status != "200":
                self.errors["read"][status] += 1
            time.sleep(5 * _PAUSE_S)

    def begin_to_follow(self) -> None:
        """Take the end of the feed as the beginning of the mirror, which is empty."""
        status, document = self.ask("GET", "/v1/changes?cursor=now&resource=claims")
        if status != "200":
            raise Failed(f"the feed answered {status} before the drill")
        self.cursor = document["meta"]["next_cursor"]

    def follow(self, written: threading.Event) -> None:
        """Keep a mirror until all is written and the feed has been read to its end."""
        ends = 0.0
        while not ends or time.monotonic() < ends:
            all_written = written.is_set()
            ends = ends or (time.monotonic() + _FINISH_S if all_written else 0.0)
            asked = f"cursor={self.cursor}&resource=claims&expand=true&per_page=100&wait=1"
            status, page = self.ask("GET", f"/v1/changes?{asked}")
            if status != "200":
                self.errors["feed"][status] += 1
                time.sleep(_RETRY_S)
                continue
            self.cursor = page["meta"]["next_cursor"]
            self.mirror |= {entry["id"]: entry["document"] for entry in page["data"]}
            if all_written and page["meta"]["caught_up"] and not page["data"]:
                return
        self.faults.append("the follower has not reached the end of the feed")

    def outcome(self, database_url: str, note: str = "") -> Outcome:
        """Compare what was acknowledged with the database, and the mirror with the documents."""
        if self.faults:
            raise Failed("; ".join(self.faults))
        stored = self.stored(database_url)
        documents = {each["id"]: each for each in self._documents()}
        times = sorted(each.at for each in self.acknowledged.values())
        return Outcome(
            acknowledged=len(self.acknowledged),
            lost=self.lost(stored),
            doubled=sum(len(ids) > 1 for ids in stored.values()),
            longest_gap_s=max((b - a for a, b in pairwise(times)), default=0.0),
            write_errors=self.errors["write"],
            read_errors=self.errors["read"] + self.errors["feed"],
            differing=sum(
                self.mirror.get(id_) != documents.get(id_) for id_ in documents | self.mirror
            ),
            note=note,
        )

    def stored(self, database_url: str) -> dict[str, list[str]]:
        """The ids of the claims of this run in a database, by their statements."""
        found: dict[str, list[str]] = {}
        asked = f"SELECT statement, id::text FROM claims WHERE statement ^@ '{self.run}'"
        for statement, id_ in query(database_url, asked):
            found.setdefault(str(statement), []).append(str(id_))
        return found

    def lost(self, stored: Mapping[str, list[str]], before: float = math.inf) -> int:
        """How many claims that were acknowledged before a time are not stored as they were."""
        return sum(
            stored.get(statement, [])[:1] != [answer.id]
            for statement, answer in self.acknowledged.items()
            if answer.at < before
        )

    def _documents(self) -> Iterator[Any]:
        """The claims of this run."""
        path = f"/v1/claims?per_page=100&sort=id&include={_INCLUDED}"
        cursor = ""
        while True:
            status, page = self.ask("GET", path + cursor)
            if status != "200":
                raise Failed(f"a list was answered with {status} after the drill")
            yield from (each for each in page["data"] if each["statement"].startswith(self.run))
            if page["meta"]["next_cursor"] is None:
                return
            cursor = f"&cursor={page['meta']['next_cursor']}"


_runs = count(1)


@contextmanager
def under_load(service: Service, writers: int = WRITERS) -> Iterator[Load]:
    """Let clients work during the block; afterwards, all of them have finished."""
    load = Load(service, f"In run {next(_runs)}, ")
    load.begin_to_follow()
    written = threading.Event()
    follower = threading.Thread(target=load.follow, args=(written,))
    clients = [threading.Thread(target=load.write, args=(n,)) for n in range(writers)]
    clients.append(threading.Thread(target=load.read))
    for thread in (follower, *clients):
        thread.start()
    try:
        yield load
    finally:
        load.stopped.set()
        for thread in clients:
            thread.join()
        written.set()
        follower.join()
