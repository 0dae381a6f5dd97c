"""Statements that take long are logged by their shape, never with what clients have sent."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import structlog
from sqlalchemy import text
from structlog.testing import capture_logs

from hksz_db.database import Database, prepare, run
from hksz_db.database.deadlines import log_slow_statements
from hksz_db.logs import configure_logging
from hksz_db.settings import Settings

SENT = "what a client has sent"
_SLOW = prepare(text("SELECT pg_sleep(0.1),\n    CAST(:sent AS text)"))


@pytest.fixture
def served(database_url: str) -> Iterator[Database]:
    with closing(Database(lambda: database_url)) as it:
        yield it


def _read(database: Database) -> None:
    database.read(_SLOW, {"sent": SENT})


def _write(database: Database) -> None:
    with database.transaction() as session:
        run(session, "SELECT pg_sleep(0.1),  CAST($1 AS text)", SENT)


@pytest.mark.parametrize("ask", [_read, _write])
def test_a_slow_statement_is_logged_by_its_shape(
    ask: Callable[[Database], None], served: Database
) -> None:
    ask(served)
    log_slow_statements(0.05)
    structlog.reset_defaults()
    with capture_logs() as logs:
        ask(served)
    configure_logging(Settings(log_level="error", slow_statement_ms=0))
    # Other statements may be slow, too, on a busy machine, and other threads may log.
    (line,) = (each for each in logs if "pg_sleep" in each.get("statement", ""))
    assert (line["event"], line["log_level"]) == ("slow_statement", "warning")
    assert "SELECT pg_sleep(0.1), CAST($1" in line["statement"]
    assert line["seconds"] >= 0.1
    assert SENT not in str(line)
    with capture_logs() as logs:
        ask(served)
    assert [each for each in logs if each["event"] == "slow_statement"] == []
