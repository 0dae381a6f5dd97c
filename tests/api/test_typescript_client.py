"""Types that are generated from the OpenAPI document for TypeScript.

``typescript/mirror.ts`` is type-checked with them, and mirrors a running service by its feed.
"""

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from hksz_db.queries.registry import RESOURCES

pytestmark = pytest.mark.slow

SOURCES = Path(__file__).with_name("typescript")


def run(folder: Path, *command: str) -> str:
    """Run a command in the folder; return what it printed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def program(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the compiled program."""
    if shutil.which("npm") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("npm is not installed")
    folder = tmp_path_factory.mktemp("typescript") / "mirror"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules"))
    run(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    run(folder, "npx", "openapi-typescript", f"{address}/openapi.json", "--output", "service.ts")
    run(folder, "npx", "tsc")
    return folder


def test_a_mirror_by_the_feed_equals_the_lists(program: Path, address: str, key: str) -> None:
    sender = httpx.Client(
        base_url=f"{address}/v1", headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    with sender:
        made = [sender.post("/units", json={"code": c, "label": c}) for c in ("GBP", "CHF", "JPY")]
        kept, deleted, changed = ((one.json()["id"], one.headers["ETag"]) for one in made)
        sender.delete(f"/units/{deleted[0]}", headers={"If-Match": deleted[1]})
        change = {"label": "yen of Japan"}
        sender.patch(f"/units/{changed[0]}", json=change, headers={"If-Match": changed[1]})
        assert sender.get(f"/units/{kept[0]}").status_code == 200
        counts = {
            name: sender.get(f"/{name}", params={"count": "exact"}).json()["meta"]["count"]["value"]
            for name in RESOURCES
        }
    printed = run(program, "node", "mirror.js", address)
    assert printed.split("\n")[:-1] == [f"{name} {count}" for name, count in counts.items()]
