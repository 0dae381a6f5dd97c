"""Failover of a cluster of three servers that Patroni manages with etcd."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.operating.load import Outcome, under_load
from tests.operating.places import (
    PATRONI,
    ROOT,
    Failed,
    Place,
    children,
    ending,
    free_port,
    kill,
    wait_until,
)
from tests.operating.postgres import NAME, create_database
from tests.operating.services import Service, serving

CONFIGURATION = ROOT / "deploy/patroni/patroni.yml"
_NODES = 3
_WHOLE_S = 120.0
_PASSWORD = "drill"
_BEFORE_S = 4.0
_AFTER_S = 6.0
# Longer than the ttl of the configuration.
_AWAY_S = 26.0
_Process = subprocess.Popen[bytes]


@dataclass
class Node:
    """A server and the Patroni that manages it; ``variables`` are settings of Patroni."""

    name: str
    data: Path
    port: int
    api: int
    variables: Mapping[str, str]
    process: _Process | None = None

    def postgres(self) -> list[int]:
        """The processes of its server."""
        with suppress(OSError):
            pid = int((self.data / "postmaster.pid").read_text().partition("\n")[0])
            return [pid, *children(pid)]
        return []

    def kill(self) -> None:
        """End Patroni and the server at once, as if the machine had lost its power."""
        assert self.process
        kill(self.process.pid, *self.postgres())
        self.process.wait()


@dataclass
class Cluster:
    """The nodes and their etcd; what ``stack`` ends was started for them."""

    place: Place
    nodes: list[Node]
    python: Path
    start_etcd: Callable[[], _Process]
    stack: ExitStack
    etcd: _Process

    def members(self) -> list[dict[str, Any]]:
        """What the first node that answers says of all."""
        for node in self.nodes:
            address = f"http://127.0.0.1:{node.api}/cluster"
            with suppress(OSError, ValueError), urllib.request.urlopen(address, timeout=3) as found:
                return list(json.load(found)["members"])
        return []

    def leader(self) -> Node:
        """The node that takes writes. Raises ``Failed`` if there is none."""
        names = [each["name"] for each in self.members() if each["role"] == "leader"]
        for node in self.nodes:
            if node.name in names:
                return node
        raise Failed("the cluster has no leader")

    def is_whole(self) -> bool:
        """Whether the leader has a synchronous standby, and all others follow it."""
        working = [each for each in self.members() if each["state"] in {"running", "streaming"}]
        return sorted(each["role"] for each in working) == ["leader", "replica", "sync_standby"]

    def url(self) -> str:
        """The URL of whichever server takes writes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{NAME}:{_PASSWORD}@{hosts}/{NAME}?target_session_attrs=read-write"

    def start(self, node: Node) -> None:
        """Start the Patroni of a node, which starts its server."""
        command = (self.python, "-m", "patroni", CONFIGURATION)
        started = self.place.start(node.name, *command, **node.variables)
        node.process = self.stack.enter_context(ending(started))

    def make_whole(self) -> None:
        """Wait until it is whole. Raises ``Failed``."""
        wait_until(self.is_whole, _WHOLE_S, "a leader with two standbys")

    def switch_over(self) -> None:
        """Hand over to the synchronous standby, as an operator does before maintenance."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.leader().api}/switchover",
            json.dumps({"leader": self.leader().name}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60):
            pass

    def stop_etcd(self) -> None:
        """End etcd at once."""
        kill(self.etcd.pid)
        self.etcd.wait()

    def restart_etcd(self) -> None:
        """Start etcd again on its data."""
        self.etcd = self.stack.enter_context(ending(self.start_etcd()))


@contextmanager
def cluster(place: Place) -> Iterator[tuple[Cluster, Service]]:
    """A cluster and a service on it, during the block. Raises ``Skipped``."""
    python, environment = place.python("patroni", PATRONI)
    start_etcd, etcd_address = _etcd(place)
    nodes = [
        _node(place, f"node{number}", {**environment, "PATRONI_ETCD3_HOSTS": etcd_address})
        for number in range(1, _NODES + 1)
    ]
    with ExitStack() as stack:
        etcd = stack.enter_context(ending(start_etcd()))
        made = Cluster(place, nodes, python, start_etcd, stack, etcd)
        for node in nodes:
            made.start(node)
        made.make_whole()
        admin = f"postgresql://postgres:{_PASSWORD}@127.0.0.1:{made.leader().port}/postgres"
        key = create_database(admin, made.url(), _PASSWORD)
        service = stack.enter_context(serving(made.url(), key, place.folder))
        yield made, service


def _etcd(place: Place) -> tuple[Callable[[], _Process], str]:
    """How to start etcd, and where it will listen."""
    program = place.debian("etcd-server", "etcd")
    data = place.new_folder("etcd")
    clients, peers = (f"127.0.0.1:{free_port()}" for _ in range(2))
    command = (
        *(program, "--name=drill", f"--data-dir={data}"),
        *(f"--listen-client-urls=http://{clients}", f"--advertise-client-urls=http://{clients}"),
        f"--listen-peer-urls=http://{peers}",
        f"--initial-advertise-peer-urls=http://{peers}",
        f"--initial-cluster=drill=http://{peers}",
    )
    return lambda: place.start("etcd", *command), clients


def _node(place: Place, name: str, variables: Mapping[str, str]) -> Node:
    folder = place.new_folder(name)
    data, port, api = folder / "data", free_port(), free_port()
    own = {
        "NAME": name,
        "RESTAPI_LISTEN": f"127.0.0.1:{api}",
        "RESTAPI_CONNECT_ADDRESS": f"127.0.0.1:{api}",
        "POSTGRESQL_LISTEN": f"127.0.0.1:{port}",
        "POSTGRESQL_CONNECT_ADDRESS": f"127.0.0.1:{port}",
        "POSTGRESQL_DATA_DIR": str(data),
        "POSTGRESQL_BIN_DIR": str(place.programs),
        "POSTGRESQL_PGPASS": str(folder / "pgpass"),
        "SUPERUSER_PASSWORD": _PASSWORD,
        "REPLICATION_PASSWORD": _PASSWORD,
        "REWIND_PASSWORD": _PASSWORD,
    }
    named = {f"PATRONI_{variable}": value for variable, value in own.items()}
    return Node(name, data, port, api, {**variables, **named})


def _drill(made: Cluster, service: Service, act: Callable[[], None], note: str) -> Outcome:
    """Act while clients work, wait until the cluster is whole, and compare."""
    made.make_whole()
    with under_load(service) as load:
        time.sleep(_BEFORE_S)
        act()
        time.sleep(_AFTER_S)
    return load.outcome(made.url(), note)


def server_killed(made: Cluster, service: Service) -> Outcome:
    """The processes of the leading server are killed; its Patroni lives."""
    return _drill(made, service, lambda: kill(*made.leader().postgres()), "Patroni, 3 servers")


def node_dead(made: Cluster, service: Service) -> Outcome:
    """The leading node dies with its Patroni; it joins again afterwards."""
    dead = made.leader()

    def die() -> None:
        dead.kill()
        wait_until(lambda: _leads_another(made, dead), _WHOLE_S, "another leader")

    outcome = _drill(made, service, die, "Patroni, ttl 20 s")
    made.start(dead)
    return outcome


def _leads_another(made: Cluster, dead: Node) -> bool:
    with suppress(Failed):
        return made.leader() is not dead
    return False


def switchover(made: Cluster, service: Service) -> Outcome:
    """An operator hands over to the standby."""
    return _drill(made, service, made.switch_over, "Patroni")


def etcd_away(made: Cluster, service: Service) -> Outcome:
    """The store of the cluster's state is away for longer than a leader may lead without it."""

    def take_away() -> None:
        made.stop_etcd()
        time.sleep(_AWAY_S)
        made.restart_etcd()

    return _drill(made, service, take_away, f"{_AWAY_S:.0f} s, failsafe_mode")
