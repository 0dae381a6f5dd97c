"""A PostgreSQL server of a drill, which listens on loopback."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from hksz_db.database import Database, driver_url
from hksz_db.domain.vocabulary import Scope
from hksz_db.embedded.cluster import INITDB_OPTIONS, SUPERUSER
from hksz_db.preparing import upgrade
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from tests.operating.places import Failed, Place, children, ending, free_port, kill, wait_until

NAME = "hksz"
_HBA = """\
local all all trust
host all all 127.0.0.1/32 trust
host replication all 127.0.0.1/32 trust
"""
_START_S = 60.0


class Postgres:
    """A server whose data are in a folder; ``settings`` are those of PostgreSQL."""

    def __init__(self, place: Place, data: Path, settings: Mapping[str, str] | None = None) -> None:
        self.place = place
        self.data = data
        self.port = free_port()
        self._settings = {"timezone": "UTC", "jit": "off", **(settings or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def initialise(self, *options: object) -> None:
        """Make the data."""
        self.place.run("initdb", "--no-sync", f"--pgdata={self.data}", *INITDB_OPTIONS, *options)
        (self.data / "pg_hba.conf").write_text(_HBA)

    def url(self, database: str = NAME, user: str = SUPERUSER) -> str:
        """The URL of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        program = self.place.programs / "postgres"
        self.process = self.place.start(
            f"postgres-{self.data.name}", program, "-D", self.data, *options
        )
        wait_until(self._answers, _START_S, f"an answer of PostgreSQL in {self.data}")

    def _answers(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise Failed(f"PostgreSQL in {self.data} has ended")
        try:
            self.place.run("pg_isready", "-q", "-h", "127.0.0.1", "-p", self.port)
        except Failed:
            return False
        return True

    def kill(self) -> None:
        """End all its processes at once."""
        assert self.process
        kill(self.process.pid, *children(self.process.pid))
        self.process.wait()

    @contextmanager
    def running(self) -> Iterator["Postgres"]:
        """Start the server, and end it after the block unless it has ended."""
        self.start()
        try:
            yield self
        finally:
            assert self.process
            if self.process.poll() is None:
                self.place.run("pg_ctl", "stop", "-s", "-m", "fast", "-D", self.data)
            with ending(self.process):
                pass

    def query(self, sql: str, database: str = NAME) -> list[tuple[object, ...]]:
        """Run a statement as superuser; its rows, if any."""
        return query(self.url(database), sql)


def query(url: str, sql: str) -> list[tuple[object, ...]]:
    """Run a statement; its rows, if any."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(sql.encode())
        return found.fetchall() if found.description else []


def create_empty(admin_url: str, password: str = "") -> None:
    """Create the role and the database of the service, without tables."""
    query(admin_url, f"CREATE ROLE {NAME} LOGIN PASSWORD '{password}'")
    query(admin_url, f"CREATE DATABASE {NAME} OWNER {NAME}")


def create_database(admin_url: str, owner_url: str, password: str = "") -> str:
    """Create the role and the database of the service with its tables; a key with all scopes."""
    create_empty(admin_url, password)
    upgrade(driver_url(owner_url))
    return new_key(owner_url)


def new_key(url: str) -> str:
    """Create a key with all scopes."""
    database = Database(lambda: url)
    with writing(database) as session:
        key = api_keys.create(session, "drill", [Scope.ADMIN])
    database.close()
    return key


@contextmanager
def running(
    place: Place, name: str, settings: Mapping[str, str] | None = None
) -> Iterator[Postgres]:
    """A new server without a database of the service, during the block."""
    server = Postgres(place, place.new_folder(name), settings)
    server.initialise()
    with server.running():
        yield server


@contextmanager
def prepared(
    place: Place, name: str, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[Postgres, str]]:
    """A new server with an empty database of the service, and a key for it, during the block."""
    with running(place, name, settings) as server:
        yield server, create_database(server.url("postgres"), server.url(user=NAME))
