"""A client that is generated from the OpenAPI document.

It is generated once, from a running service, and used by client_uses.py.
"""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PACKAGE = "hksz_client"
USE = "client_uses"
USES = (
    "create_find_and_update",
    "delete_and_restore",
    "restore_a_version",
    "read_an_unknown_id",
    "read_with_if_none_match",
    "read_two_pages",
    "filter_by_operators_and_lists",
    "count_by_fields",
    "read_corroboration",
    "keep_decimal_digits",
    "send_invalid_values",
    "mirror_the_feed",
    "verify_a_text",
)

pytest.register_assert_rewrite(USE)


@dataclass(frozen=True)
class Generated:
    """The folder of the package, the document it was generated from, and the generator's output."""

    folder: Path
    document: dict[str, Any]
    said: str

    @property
    def package(self) -> Path:
        return self.folder / PACKAGE


@pytest.fixture(scope="module")
def generated(address: str, tmp_path_factory: pytest.TempPathFactory) -> Generated:
    folder = tmp_path_factory.mktemp("generated")
    document = f"{address}/openapi.json"
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--url", document]
    # It runs ruff on its output.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [*generator, "--meta", "none", "--output-path", str(folder / PACKAGE)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return Generated(folder, httpx.get(document).json(), said)


@pytest.fixture(scope="module", autouse=True)
def _importable(generated: Generated) -> Iterator[None]:
    """Make the package importable while the tests of the module run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(generated.folder)
        patch.syspath_prepend(HERE)
        yield
        for name in [name for name in sys.modules if name.split(".")[0] in {PACKAGE, USE}]:
            del sys.modules[name]


@pytest.fixture
def package() -> ModuleType:
    return importlib.import_module(PACKAGE)


@pytest.fixture
def uses() -> ModuleType:
    return importlib.import_module(USE)


@pytest.fixture
def client(package: ModuleType, address: str, key: str) -> Iterator[Any]:
    # Answers that the document does not describe are errors.
    with package.AuthenticatedClient(address, token=key, raise_on_unexpected_status=True) as client:
        yield client


def test_every_call_has_a_module_of_its_name(generated: Generated) -> None:
    operations = [
        (operation["tags"][0], operation["operationId"])
        for item in generated.document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    ]
    expected = {(tag, id.replace(".", "_")) for tag, id in operations}
    calls = (generated.package / "api").glob("*/*.py")
    assert {(call.parent.name, call.stem) for call in calls if call.stem != "__init__"} == expected


def test_the_generator_warns_of_nothing_else(generated: Generated) -> None:
    # It makes a call with JSON for these calls, and none with plain text.
    left_out = re.findall("^(?:WARNING|ERROR).*? within", generated.said, re.MULTILINE)
    assert sorted(left_out) == [
        "WARNING parsing POST /v1/check within",
        "WARNING parsing POST /v1/sources/{id}/verify within",
    ]
    assert "Unsupported content type text/plain" in generated.said


def test_every_model_has_a_name_of_the_document(generated: Generated, package: ModuleType) -> None:
    models = importlib.import_module(f"{package.__name__}.models")
    # A schema without a name would get one from its place, such as ClaimsListCount.
    assert set(models.__all__) == set(generated.document["components"]["schemas"])
    for model in models.__all__:
        # A term that is not a valid name would be numbered.
        names = dir(getattr(models, model))
        assert not [name for name in names if re.fullmatch("VALUE_[0-9]+", name)]


def test_every_module_can_be_imported(generated: Generated, package: ModuleType) -> None:
    found = list(pkgutil.walk_packages(package.__path__, f"{PACKAGE}."))
    assert len(found) > len(generated.document["components"]["schemas"])
    for module in found:
        importlib.import_module(module.name)


def test_the_client_and_its_uses_pass_mypy(generated: Generated) -> None:
    config = generated.folder / "mypy.ini"
    # This module is the same in every generated client, and not strictly typed.
    config.write_text(f"[mypy]\nstrict = True\n[mypy-{PACKAGE}.client]\nignore_errors = True\n")
    mypy = [sys.executable, "-m", "mypy", "--config-file", str(config)]
    checked = subprocess.run(
        [*mypy, "-p", PACKAGE, "-m", USE],
        cwd=generated.folder,
        env={**os.environ, "MYPYPATH": os.pathsep.join([str(generated.folder), str(HERE)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_use_is_tested(uses: ModuleType) -> None:
    functions = filter(inspect.isfunction, vars(uses).values())
    taking = [f.__name__ for f in functions if list(inspect.signature(f).parameters) == ["client"]]
    assert taking == list(USES)


@pytest.mark.parametrize("use", USES)
def test_a_use_of_the_client_succeeds(use: str, uses: ModuleType, client: Any) -> None:
    getattr(uses, use)(client)
