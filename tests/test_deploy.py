"""The deployment files: programs that read them accept them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import yaml

from hksz_db.embedded import Server
from tests.migrations.administration import program

DEPLOY = Path(__file__).parents[1] / "deploy"
# Debian's nginx is not on the path of every user.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"


def _require(name: str) -> str:
    """The path of a program; skips the test where it is absent, except in CI."""
    found = shutil.which(name, path=PATH)
    if found is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(f"{name} is not installed")
    return found


def _parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.slow
def test_nginx_accepts_its_configuration(tmp_path: Path) -> None:
    openssl, nginx = _require("openssl"), _require("nginx")
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    names: list[str | Path] = [
        "-subj",
        "/CN=claims.example.org",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    request = (openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names)
    subprocess.run(request, check=True, capture_output=True)
    ours = (DEPLOY / "nginx/hksz.conf").read_text(encoding="utf-8")
    ours = ours.replace("/etc/nginx/hksz/", f"{tmp_path}/")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{\n{ours}\n}}\n")
    tested = subprocess.run(
        [nginx, "-t", "-q", "-p", tmp_path, "-c", configuration, "-e", "stderr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tested.returncode, tested.stderr) == (0, "")


@pytest.mark.parametrize("name", ["hksz", "hksz-prepare", "patroni"])
def test_systemd_accepts_the_unit(tmp_path: Path, name: str) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    unit = (DEPLOY / f"systemd/{name}.service").read_text(encoding="utf-8")
    for missing in ("/opt/hksz/.venv/bin/python", "/opt/patroni/bin/patroni"):
        unit = unit.replace(missing, sys.executable)
    path = tmp_path / f"{name}.service"
    path.write_text(unit)
    tested = subprocess.run([analyze, "verify", path], capture_output=True, text=True, check=False)
    assert (tested.returncode, tested.stderr) == (0, "")


def test_the_cluster_has_at_least_one_synchronous_standby() -> None:
    settings = _parsed(DEPLOY / "patroni/patroni.yml")["bootstrap"]["dcs"]
    assert settings["synchronous_mode"] is True
    assert settings["failsafe_mode"] is True
    # What Patroni asks for, so that it can demote a leader before another takes over.
    assert settings["loop_wait"] + 2 * settings["retry_timeout"] <= settings["ttl"]


def test_containers_have_exact_images_and_do_not_connect_as_superuser() -> None:
    services = _parsed(DEPLOY.parent / "docker-compose.yml")["services"]
    for service in services.values():
        assert (
            "build" in service or service["image"] == "hksz-claims" or _is_exact(service["image"])
        )
    for name in ("prepare", "api"):
        assert services[name]["environment"]["DATABASE_URL"].startswith("postgresql://hksz@")
    stages = (DEPLOY.parent / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert all(_is_exact(line.split()[1]) for line in stages if line.startswith("FROM"))


def _is_exact(image: str) -> bool:
    """Whether a tag names a release with its last number, and a base."""
    release, _, base = image.partition(":")[2].partition("-")
    return release.count(".") >= 1 and bool(base)


def test_the_owner_of_the_containers_database_is_no_superuser(server: Server) -> None:
    script = (DEPLOY / "compose/create-database.sh").read_text(encoding="utf-8")
    # The server of the tests already has a role of that name.
    script = script.replace("hksz", "composed")
    admin = server.url("postgres", superuser=True)
    address = parse_qs(urlsplit(admin).query)
    subprocess.run(
        ["sh", "-s"],
        input=script,
        text=True,
        check=True,
        env={
            "PATH": f"{program('psql').parent}:{PATH}",
            "PGHOST": address["host"][0],
            "PGPORT": address["port"][0],
            "OWNER_PASSWORD": "it's",
        },
    )
    with psycopg.connect(admin, autocommit=True) as connection:
        owner = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_database"
            " JOIN pg_roles ON pg_roles.oid = datdba WHERE datname = 'composed'"
        ).fetchone()
        connection.execute("DROP DATABASE composed")
        connection.execute("DROP ROLE composed")
    assert owner == ("composed", False, False, False)
