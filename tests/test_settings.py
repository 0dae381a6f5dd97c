"""Settings: defaults, valid and invalid values."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from hksz_db.settings import InvalidSettings, Settings, variable

NAMES = {variable(item.name): item.name for item in fields(Settings)}


def test_defaults_apply_without_an_environment() -> None:
    settings = Settings.from_environ({})
    assert settings == Settings()
    assert settings.database_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.open_reads
    assert settings.max_body_bytes == 2**20
    assert settings.workers >= 1


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DATABASE_URL", "postgresql://host/name", "postgresql://host/name"),
        ("HKSZ_READ_DATABASE_URL", "postgresql://host2/name", "postgresql://host2/name"),
        ("HKSZ_POOLER", "transaction", "transaction"),
        ("HKSZ_POOL_SIZE", "3", 3),
        ("HKSZ_READ_POOL_SIZE", "4", 4),
        ("HKSZ_HOME", "/srv/hksz", Path("/srv/hksz")),
        ("HKSZ_HOME", "~/hksz", Path("~/hksz").expanduser()),
        ("HKSZ_HOME", "here", Path("here").absolute()),
        ("HKSZ_HOST", "::1", "::1"),
        ("HKSZ_PORT", "1", 1),
        ("HKSZ_PORT", "65535", 65535),
        ("HKSZ_WORKERS", "3", 3),
        ("HKSZ_THREADS", "4", 4),
        ("HKSZ_OPEN_READS", "false", False),
        ("HKSZ_PAGES", "false", False),
        ("HKSZ_SESSION_HOURS", "8", 8),
        ("HKSZ_TRUST_PROXY", "true", True),
        ("HKSZ_MAX_BODY_BYTES", "2048", 2048),
        ("HKSZ_MAX_BULK_BYTES", "4096", 4096),
        ("HKSZ_STATEMENT_TIMEOUT_MS", "100", 100),
        ("HKSZ_SLOW_STATEMENT_MS", "0", 0),
        ("HKSZ_LOG_LEVEL", "debug", "debug"),
        ("HKSZ_LOG_FORMAT", "json", "json"),
        ("HKSZ_ACCESS_LOG", "true", True),
        ("HKSZ_LIMIT_ADDRESS", "0", 0),
        ("HKSZ_LIMIT_KEY", "1000", 1000),
    ],
)
def test_a_setting_is_read_from_its_variable(name: str, text: str, value: Any) -> None:
    settings = Settings.from_environ({name: text, "PATH": "/bin", "UNRELATED": "x"})
    assert getattr(settings, NAMES[name]) == value


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_variable_counts_as_unset(name: str) -> None:
    assert Settings.from_environ({name: ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("HKSZ_PORT", text)
            for text in ("0", "65536", "-1", "8000.0", "http", " 80", "٨", "9" * 5000)
        ),
        ("HKSZ_POOLER", "session"),
        ("HKSZ_POOL_SIZE", "0"),
        ("HKSZ_READ_POOL_SIZE", "many"),
        ("HKSZ_WORKERS", "0"),
        ("HKSZ_THREADS", "65"),
        ("HKSZ_OPEN_READS", "yes"),
        ("HKSZ_OPEN_READS", "True"),
        ("HKSZ_MAX_BODY_BYTES", "1023"),
        ("HKSZ_MAX_BODY_BYTES", "1 MiB"),
        ("HKSZ_STATEMENT_TIMEOUT_MS", "0"),
        ("HKSZ_LOG_LEVEL", "loud"),
        ("HKSZ_LOG_FORMAT", "xml"),
        ("HKSZ_ACCESS_LOG", "1"),
        ("HKSZ_LIMIT_ADDRESS", "none"),
        ("HKSZ_CORS_ORIGINS", "https://example.org/"),
        ("HKSZ_CORS_ORIGINS", "http://[::1]:80"),
        ("HKSZ_CORS_ORIGINS", "* https://example.org"),
    ],
)
def test_an_invalid_value_is_reported_in_a_sentence_with_its_name(name: str, text: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        Settings.from_environ({name: text})
    message = str(refused.value)
    assert message.startswith(f"{name} must be ")
    assert message.endswith(".")
    assert "\n" not in message


def test_a_personal_database_has_no_quotas_unless_they_are_set() -> None:
    own, shared = Settings(), Settings(database_url="postgresql://host/name")
    assert (own.units_of_address, own.units_of_key) == (0, 0)
    assert (shared.units_of_address, shared.units_of_key) == (6000, 60_000)
    assert Settings(limit_key=5).units_of_key == 5
    assert Settings(database_url="postgresql://host/name", limit_address=0).units_of_address == 0


@pytest.mark.parametrize("name", ["HKSZ_PROT", "HKSZ_", "HKSZ_PORT_", "HKSZ_DATABASE_URL"])
def test_an_unknown_setting_is_refused(name: str) -> None:
    with pytest.raises(InvalidSettings, match=f"Unknown setting {name}\\."):
        Settings.from_environ({name: "1"})


def test_settings_are_immutable() -> None:
    settings = Settings()
    with pytest.raises(FrozenInstanceError):
        settings.port = 80  # type: ignore[misc]


def test_what_kubernetes_adds_for_a_service_named_like_the_settings_is_ignored() -> None:
    added = {
        "HKSZ_SERVICE_HOST": "10.0.0.1",
        "HKSZ_SERVICE_PORT": "80",
        "HKSZ_SERVICE_PORT_HTTP": "80",
        "HKSZ_PORT": "tcp://10.0.0.1:80",
        "HKSZ_PORT_80_TCP": "tcp://10.0.0.1:80",
        "HKSZ_PORT_80_TCP_PROTO": "tcp",
        "HKSZ_PORT_80_TCP_PORT": "80",
        "HKSZ_PORT_80_TCP_ADDR": "10.0.0.1",
        "HKSZ_DB_SERVICE_HOST": "10.0.0.2",
        "HKSZ_DB_PORT": "tcp://10.0.0.2:5432",
        "HKSZ_DB_PORT_5432_TCP_ADDR": "10.0.0.2",
    }
    assert Settings.from_environ(added) == Settings()
    assert Settings.from_environ({**added, "HKSZ_PORT": "81"}).port == 81


def test_every_setting_has_a_description() -> None:
    assert all(item.metadata["description"].endswith(".") for item in fields(Settings))


@pytest.mark.parametrize(
    ("environment", "needed"),
    [
        ({}, False),
        ({"DATABASE_URL": "postgresql://host/name"}, True),
        ({"HKSZ_FOUR_EYES": "true"}, True),
        ({"DATABASE_URL": "postgresql://host/name", "HKSZ_FOUR_EYES": "false"}, False),
    ],
)
def test_four_eyes_are_needed_with_a_database_server_unless_set_otherwise(environment, needed):
    assert Settings.from_environ(environment).needs_four_eyes is needed
