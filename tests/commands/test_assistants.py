"""``flask mcp``, asked by the client of the protocol's own package."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

from app import create_app
from hksz_db.assistants.server import make_server
from hksz_db.database import Database
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

ROOT = Path(__file__).parents[2]
WRONG = "HKU hired 191 academics in 2023."
_Result = TypeVar("_Result")


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with every seed, for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def assistant(database_url: str) -> Iterator[Any]:
    """The server in this process."""
    database = Database(lambda: database_url)
    yield make_server(create_app(Settings(log_level="error"), database), "1")
    database.close()


def _ask(assistant: Any, ask: Callable[[Client], Awaitable[_Result]]) -> _Result:
    async def asking() -> _Result:
        async with Client(assistant) as client:
            return await ask(client)

    return anyio.run(asking)


def _call(assistant: Any, tool: str, **arguments: object) -> Any:
    result = _ask(assistant, lambda client: client.call_tool(tool, arguments))
    assert not result.is_error, result.content
    return result.structured_content


def test_all_tools_only_read(assistant: Any) -> None:
    listed = _ask(assistant, lambda client: client.list_tools())
    tools = {tool.name: tool for tool in listed.tools}
    assert tools.keys() == {"search_claims", "read_claim", "corroboration", "check"}
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in listed.tools)
    assert all(tool.description for tool in listed.tools)


def test_what_is_found_can_be_cited(assistant: Any) -> None:
    found = _call(assistant, "search_claims", query="高才通", limit=3)["claims"]
    assert len(found) == 3
    for claim in found:
        assert claim["id"]
        assert claim["verdict"]
        assert claim["sources"][0]["title"]
    whole = _call(assistant, "read_claim", claim="hksz:hku-recruited-2023")
    assert whole["figures"][0]["as_stated"] == "91"
    assert whole["corroboration"]["verdict"]
    assert whole["sources"][0]["url"]
    rests_on = _call(assistant, "corroboration", claim=whole["id"])
    assert rests_on["corroboration"] == whole["corroboration"]


def test_a_check_has_the_sources_of_the_claims_that_it_mentions(assistant: Any) -> None:
    checked = _call(assistant, "check", text=WRONG, published="2024-01-29")
    (sentence,) = checked["data"]
    assert sentence["finding"] == "contradicts"
    (comparison,) = sentence["figures"][0]["comparisons"]
    claim = checked["claims"][comparison["other"]["claim"]["id"]]
    assert claim["verdict"]
    assert claim["sources"][0]["url"]
    assert WRONG not in json.dumps(checked)


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("read_claim", {"claim": "hksz:nothing"}, "There is no claim hksz:nothing."),
        ("read_claim", {"claim": "nothing"}, "named by its id"),
        ("check", {"text": "x" * 65_537}, "at most 65536 bytes"),
        ("check", {"text": WRONG, "published": "soon"}, "'soon' is not an EDTF date"),
    ],
)
def test_a_fault_is_said(
    assistant: Any, tool: str, arguments: dict[str, object], message: str
) -> None:
    result = _ask(assistant, lambda client: client.call_tool(tool, arguments))
    assert result.is_error
    assert message in str(result.content)


@pytest.mark.slow
def test_it_speaks_on_standard_input(database_url: str) -> None:
    flask = Path(sys.executable).with_name("flask")
    environment = {**os.environ, "DATABASE_URL": database_url}
    command = StdioServerParameters(
        command=str(flask), args=["mcp"], env=environment, cwd=str(ROOT)
    )
    checked = _call(command, "check", text=WRONG)
    assert checked["meta"]["findings"]["contradicts"] == 1


@pytest.mark.slow
def test_it_speaks_by_http(database_url: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    flask = Path(sys.executable).with_name("flask")
    environment = {**os.environ, "DATABASE_URL": database_url}
    served = subprocess.Popen(
        [flask, "mcp", "--http", "--port", str(port)], cwd=ROOT, env=environment
    )
    try:
        for _ in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert served.poll() is None, "the server has ended"
            time.sleep(0.05)
        found = _call(f"http://127.0.0.1:{port}/mcp", "search_claims", query="Qianhai")
        assert found["claims"]
    finally:
        served.terminate()
        served.wait(30)
