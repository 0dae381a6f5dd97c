"""DATABASE_URL: libpq and SQLAlchemy read a URI, also with several hosts, in the same way."""

import os
import re
import subprocess
import sys
import traceback
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from hksz_db.database import Database, DatabaseUnusable, driver_url, explained, run
from hksz_db.database.connecting import connection_parameters
from hksz_db.domain.errors import Unavailable
from hksz_db.embedded import Server, running

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def _driver_parameters(url: str) -> dict[str, str]:
    """The parameters that SQLAlchemy passes to the driver."""
    dialect = PGDialect_psycopg()
    _, parameters = dialect.create_connect_args(driver_url(url))
    return {name: str(value) for name, value in parameters.items() if name != "context"}


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        ("postgresql://", {}),
        ("postgres://h/x", {"host": "h", "dbname": "x"}),
        ("postgresql+psycopg://h/x", {"host": "h", "dbname": "x"}),
        (
            "postgresql://u@h1:5432,h2:5433/db?target_session_attrs=read-write",
            {
                "user": "u",
                "host": "h1,h2",
                "port": "5432,5433",
                "dbname": "db",
                "target_session_attrs": "read-write",
            },
        ),
        ("postgresql://h1,h2/db", {"host": "h1,h2", "port": ",", "dbname": "db"}),
        ("postgresql://h1,h2:1,h3/", {"host": "h1,h2,h3", "port": ",1,"}),
        ("postgresql://h1,h2/?port=7", {"host": "h1,h2", "port": "7,7"}),
        ("postgresql://[::1]/", {"host": "::1"}),
        ("postgresql://[::1]:1,[fe80::2]:2,h/", {"host": "::1,fe80::2,h", "port": "1,2,"}),
        (
            "postgresql:///x?host=%2Fa,%2Fb&port=1,2",
            {"host": "/a,/b", "port": "1,2", "dbname": "x"},
        ),
        ("postgresql://%2Ftmp%2Fa:1,%2Ftmp%2Fb:2", {"host": "/tmp/a,/tmp/b", "port": "1,2"}),
        (
            "postgresql://?hostaddr=::1,127.0.0.1",
            {"hostaddr": "::1,127.0.0.1", "host": "::1,127.0.0.1", "port": ","},
        ),
        ("postgresql://u:%40%2C%2F%3A%25+%20@h", {"user": "u", "password": "@,/:%+ ", "host": "h"}),
        ("postgresql://?service=claims", {"service": "claims"}),
        ("postgresql://?options=-c%20a%3Db%20-c%20c%3D+", {"options": "-c a=b -c c=+"}),
    ],
)
def test_libpq_and_sqlalchemy_read_the_same_parameters(
    url: str, parameters: dict[str, Any]
) -> None:
    assert connection_parameters(url) == parameters
    assert _driver_parameters(url) == parameters


_NAMES = st.sampled_from(
    ["localhost", "db-1.example.org", "10.0.0.1", "::1", "fe80::1", "/run/a b"]
)
_PORTS = st.none() | st.integers(1, 65535)
_TEXTS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=20)


def _authority(host: str, port: int | None) -> str:
    written = f"[{host}]" if ":" in host else quote(host, safe="")
    return written if port is None else f"{written}:{port}"


@given(st.lists(st.tuples(_NAMES, _PORTS), min_size=1, max_size=4), _TEXTS, _TEXTS)
def test_hosts_and_password_are_read_back(hosts, user, password) -> None:
    places = ",".join(_authority(*host) for host in hosts)
    url = f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{places}/x"
    read = connection_parameters(url)
    assert (read["user"], read["password"]) == (user, password)
    assert read["host"] == ",".join(host for host, _ in hosts)
    ports = [str(port or "") for _, port in hosts]
    assert read.get("port", "").split(",") == ports
    assert _driver_parameters(url) == read


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3cr3t",
        "mysql://u:s3cr3t@h/x",
        "host=h password=s3cr3t",
        "postgresql://u:s3cr3t",
        "postgresql://u:p@s3cr3t@h/x",
        "postgresql://u:s3cr3t@p@h1,h2/x",
        "postgresql://u:p/s3cr3t@h/x",
        "postgresql://u:s3cr3t%@h/x",
        "postgresql://u:s3cr3t%00@h/x",
        "postgresql://u:s3cr3t%ff@h/x",
        "postgresql://u:s3cr3t \udcff@h/x",
        "postgresql://u:s3 cr3t@h/x",
        "postgresql://u:s3cr3t@[::1/x",
        "postgresql://u:s3cr3t@h/x?sslmod=require",
        "postgresql://u:s3cr3t@h/x?connect_timeout=s3cr3t",
        "postgresql://u:s3cr3t@h:0/x",
        "postgresql://u:s3cr3t@h:65536,h:1/x",
        "postgresql://u:s3cr3t@h:٨/x",
        f"postgresql://u:s3cr3t@h:{'9' * 5000}/x",
        "postgresql://u:s3cr3t@h1,h2,h3/x?port=1,2",
        "postgresql://u:s3cr3t@h1/x?port=1,2",
    ],
)
def test_an_invalid_url_is_reported_in_a_sentence_without_the_password(url: str) -> None:
    for read in (
        connection_parameters,
        driver_url,
        lambda text: Database(lambda: text).connector.connect(),
    ):
        with pytest.raises(DatabaseUnusable, match=r"^DATABASE_URL [^\n]+\.$") as refused:
            read(url)
        assert not re.search("s3|cr3t", str(refused.value))
        # A traceback does not show it either.
        assert not re.search("s3|cr3t", "".join(traceback.format_exception(refused.value, limit=0)))


@pytest.fixture
def absent(public_folder: Path) -> str:
    """A folder in which no server has its socket."""
    return quote(str(public_folder), safe="")


def _after(absent: str, url: str) -> str:
    """The URL with an absent server before the real one."""
    return url.replace("host=", f"host={absent},")


def test_every_host_is_tried(absent: str, database_url: str) -> None:
    database = Database(lambda: _after(absent, database_url))
    with closing(database.connector.connect()) as connection, database.transaction() as session:
        assert connection.execute("SELECT 1").fetchall() == run(session, "SELECT 1") == [(1,)]
    database.close()


def test_an_error_names_every_host_that_did_not_answer(absent: str) -> None:
    url = f"postgresql://u:s3cr3t@/x?host={absent},{absent}%2Fb"
    with pytest.raises(Unavailable) as absence:
        Database(lambda: url).connector.connect()
    with (
        pytest.raises(Unavailable) as absence_in_transaction,
        Database(lambda: url).transaction(),
    ):
        pass
    for error in (absence.value, absence_in_transaction.value):
        message = explained(str(error), error.__cause__)
        assert message.startswith("The database does not answer. (")
        assert message.count("No such file or directory") == 2
        assert "\n" not in message
        assert "s3cr3t" not in message
        assert str(error) == "The database does not answer."


@pytest.mark.slow
@pytest.mark.parametrize("attribute", ["read-write", "read-only"])
def test_target_session_attrs_chooses_the_server(
    server: Server, public_folder: Path, attribute: str
) -> None:
    with running(public_folder / "db", durable=False) as other:
        with psycopg.connect(other.url("postgres", superuser=True), autocommit=True) as connection:
            connection.execute("ALTER DATABASE hksz SET default_transaction_read_only = on")
        # The unwanted server comes first.
        order = (other, server) if attribute == "read-write" else (server, other)
        hosts = ",".join(str(make_url(each.url()).query["host"]) for each in order)
        url = f"postgresql://hksz@/hksz?host={quote(hosts)}&target_session_attrs={attribute}"
        database = Database(lambda: url)
        query, expected = "SHOW transaction_read_only", "on" if attribute == "read-only" else "off"
        with closing(database.connector.connect()) as connection:
            assert connection.execute(query).fetchall() == [(expected.encode(),)]
        with database.transaction() as session:
            assert run(session, query) == [(expected,)]
        database.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [(sys.executable, "app.py", "prepare"), ("alembic", "current"), ("flask", "keys", "list")],
    ids=lambda command: Path(command[0]).name,
)
def test_commands_accept_several_hosts(absent: str, database_url: str, command) -> None:
    url = f"{_after(absent, database_url)}&target_session_attrs=read-write"
    finished = subprocess.run(
        [BIN / command[0], *command[1:]],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
