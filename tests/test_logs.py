"""What is logged: one line for each event, whatever clients send."""

import json
import logging

import pytest

from hksz_db.logs import configure_logging, formatter
from hksz_db.settings import Settings


@pytest.mark.parametrize("form", ["console", "json"])
def test_what_clients_send_forges_no_line_and_commands_no_terminal(form: str) -> None:
    sent = "/v1/\x1b[2J\n2026 [info] forged\x85\u2028\r\x0b深圳"
    record = logging.LogRecord("any", logging.INFO, __file__, 1, "asked %s", (sent,), None)
    line = formatter(form).format(record)
    assert line.isprintable()
    assert "深圳" in (json.loads(line)["event"] if form == "json" else line)


def test_events_of_the_software_are_escaped_too(capsys: pytest.CaptureFixture[str]) -> None:
    import structlog  # noqa: PLC0415 - configured by the call before

    configure_logging(Settings(log_level="info", log_format="console"))
    structlog.get_logger("any").info("answered", path="/v1/\x1b[2J\nforged")
    configure_logging(Settings(log_level="error"))
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert "\x1b[2J" not in written
