"""The commands of the documentation, run as a reader would run them, with a real server.

Each page is one script: its ``sh`` blocks run from top to bottom in one shell that stops at the
first command that fails. A ``json`` or ``text`` block shows what the commands before it print: each
``…`` in it, with the commas beside it, stands for any text, and white space does not count.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import MakeDatabase

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    *sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/tutorials/*.md")),
    "docs/how-to/check-a-text.md",
    "docs/how-to/follow-changes.md",
    "docs/how-to/import-and-export.md",
    "docs/how-to/try-a-write.md",
    "docs/how-to/verify-a-source.md",
    "docs/zh-Hant/first-claim.md",
)
# The pages whose commands change nothing.
READING = (
    "README.md",
    "docs/tutorials/researchers.md",
    "docs/how-to/check-a-text.md",
    "docs/how-to/follow-changes.md",
    "docs/how-to/try-a-write.md",
    "docs/how-to/verify-a-source.md",
)
_BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_END = "-- end of example --"
# The test replaces some commands of a reader: no service is started, the key is one made for
# the test, and an HTTP error ends the script.
_READER = """set -e
make() {
    case "$*" in
        '-s key') echo "$EXAMPLE_KEY" ;;
        run | test) ;;
        *) return 2 ;;
    esac
}
curl() { command curl --fail-with-body "$@"; }
"""


class Example(NamedTuple):
    """Commands, and the outputs that the page shows."""

    commands: str
    outputs: list[str]


def examples(page: str) -> list[Example]:
    """The ``sh`` blocks of a page with the outputs that follow each of them."""
    found: list[Example] = []
    for language, text in _BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        if language == "sh":
            found.append(Example(text, []))
        else:
            found[-1].outputs.append(text)
    return found


@pytest.fixture(scope="module")
def database_url(
    request: pytest.FixtureRequest, make_database: MakeDatabase, all_seeds: str
) -> Iterator[str]:
    """A database with every seed for each page that writes, or for the others.

    Four eyes are off as with `make run`.
    """
    del request  # requested, so that each page that writes gets its own
    with make_database(all_seeds) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HKSZ_FOUR_EYES", "false")  # for the service and for the commands
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of the project, in which examples may write."""
    for entry in ROOT.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


Check = Callable[[str], None]


@pytest.fixture
def check(address: str, database_url: str, key: str, folder: Path) -> Check:
    """``check(page)`` runs the examples of a page and compares what they print."""
    return lambda page: _check(page, address, database_url, key, folder)


@pytest.mark.parametrize("page", READING)
def test_the_examples_of_a_page_print_the_output_shown(check: Check, page: str) -> None:
    check(page)


@pytest.mark.parametrize(
    ("page", "database_url"),
    [pytest.param(page, page, id=page) for page in PAGES if page not in READING],
    indirect=["database_url"],
)
def test_examples_that_write_print_the_output_shown(check: Check, page: str) -> None:
    check(page)


def _check(page: str, address: str, database_url: str, key: str, folder: Path) -> None:
    shown = examples(page)
    (folder / "example.key").write_text(f"{key}\n")
    commands = "".join(f"{example.commands}\necho '{_END}'\n" for example in shown)
    script = _READER + commands.replace("http://127.0.0.1:8000", address)
    ran = subprocess.run(
        ["sh"],
        input=script,
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=400,
        check=False,
        env={
            **os.environ,
            "DATABASE_URL": database_url,
            "EXAMPLE_KEY": "example.key",
            "HKSZ_LOG_LEVEL": "error",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    printed = ran.stdout.split(f"{_END}\n")
    assert len(printed) == len(shown) + 1
    for example, output in zip(shown, printed, strict=False):
        for expected in example.outputs:
            assert _pattern(expected).search(_compact(output)), f"{expected}\nis not in\n{output}"


def _compact(text: str) -> str:
    return "".join(text.split())


def _pattern(expected: str) -> re.Pattern[str]:
    return re.compile(".*?".join(map(re.escape, re.split(",?…,?", _compact(expected)))))


def test_every_page_has_examples_with_outputs() -> None:
    assert {*READING} <= {*PAGES}
    assert all(examples(page) for page in PAGES)
    assert all(any(example.outputs for example in examples(page)) for page in PAGES)
