"""Puts the parts together: ``create_app`` makes the service, and ``main`` serves it."""

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import cache, partial
from pathlib import Path

import structlog
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from hksz_db import embedded
from hksz_db.api.answers import MAX_EXPORTS
from hksz_db.api.changes import CHANGES
from hksz_db.api.checking import CHECK
from hksz_db.api.extra_calls import COMPARISON_CALLS
from hksz_db.api.gateway import Gateway
from hksz_db.api.openapi import VERSION
from hksz_db.api.operating import register_documentation, register_operating
from hksz_db.api.ordinary_reads import OrdinaryReads
from hksz_db.api.problems import register_errors
from hksz_db.api.quotas import Quotas
from hksz_db.api.requests import Places
from hksz_db.api.review import REVIEW
from hksz_db.api.routing import register_calls
from hksz_db.api.suggestions import SUGGESTIONS
from hksz_db.api.views import section_of
from hksz_db.checking.known import KnownNames
from hksz_db.commands import register_commands
from hksz_db.database import Database, DatabaseUnusable, explained
from hksz_db.database.replicas import ReplicatedDatabase
from hksz_db.domain import han
from hksz_db.domain.errors import Unavailable
from hksz_db.feed.listener import ChangeListener
from hksz_db.http.cross_origin import share_with_origins
from hksz_db.logs import configure_logging
from hksz_db.preparing import KEY_FILE, prepare, write_first_key
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.seeding import InvalidSeed
from hksz_db.serving import (
    PortInUse,
    answer_promptly,
    close_on_shutdown,
    listening,
    serve,
    stop_with_parent,
)
from hksz_db.settings import InvalidSettings, Settings
from hksz_db.web.registering import register_pages

_log = structlog.get_logger(__name__)


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """Make the service. It connects to the database when a request first needs it."""
    settings = settings or _settings()
    configure_logging(settings)
    app = Flask(__name__, static_folder=None)
    if settings.trust_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0)  # type: ignore[method-assign]
    app.config["MAX_BODY_BYTES"] = settings.max_body_bytes
    app.config["MAX_BULK_BYTES"] = settings.max_bulk_bytes
    app.config["OPEN_READS"] = settings.open_reads
    app.config["ACCESS_LOG"] = settings.access_log
    app.config["SESSION_LIFETIME"] = timedelta(hours=settings.session_hours)
    app.config["VERSION"] = VERSION
    app.config["FOUR_EYES"] = settings.needs_four_eyes
    app.config["KEY_FILE"] = _home(settings) / KEY_FILE
    database = database or open_database(settings)
    app.extensions["hksz_database"] = database
    if settings.read_database_url:
        replicated = ReplicatedDatabase(database, open_replica(settings))
        app.extensions["hksz_replicated_database"] = replicated
    app.extensions["hksz_change_listener"] = ChangeListener(database)
    app.extensions["hksz_known_names"] = KnownNames()
    app.extensions["hksz_waiting_places"] = Places(settings.max_waiters)
    app.extensions["hksz_export_places"] = Places(MAX_EXPORTS)
    register_operating(app)
    sections = [
        *map(section_of, RESOURCES.values()),
        COMPARISON_CALLS,
        REVIEW,
        CHANGES,
        SUGGESTIONS,
        CHECK,
    ]
    for section in sections:
        register_calls(app, section)
    register_documentation(app, sections)
    register_errors(app)
    share_with_origins(app, settings.shared_origins)
    if settings.pages:
        register_pages(app, VERSION)
    register_commands(app)
    return app


def _settings() -> Settings:
    try:
        return Settings.from_environ(os.environ)
    except InvalidSettings as error:
        # A server and a command line both show the sentence and stop.
        raise SystemExit(f"hksz: {error}") from None


def open_database(settings: Settings) -> Database:
    """Return the database at ``DATABASE_URL`` or, without that, the embedded one."""
    return Database(
        lambda: settings.database_url or _embedded_server(_home(settings)).url(),
        statement_timeout_ms=settings.statement_timeout_ms,
        pool_size=settings.pool_size,
        via_pooler=settings.pooler == "transaction",
    )


def open_replica(settings: Settings) -> Database:
    """Return the database at ``HKSZ_READ_DATABASE_URL``, which must be set."""
    return Database(
        lambda: settings.read_database_url or "",
        statement_timeout_ms=settings.statement_timeout_ms,
        pool_size=settings.read_pool_size,
        via_pooler=settings.pooler == "transaction",
        is_replica=True,
    )


def _home(settings: Settings) -> Path:
    return settings.home or embedded.default_home()


@cache
def _embedded_server(home: Path) -> embedded.Server:
    # Until this process ends; the last process that uses the server stops it.
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(embedded.running(home))


def worker_app() -> Gateway:
    """Make the service in a worker process."""
    stop_with_parent()
    settings = _settings()
    app = create_app(settings)
    listener = app.extensions["hksz_change_listener"]
    gateway = Gateway(
        app,
        settings,
        started=partial(close_on_shutdown, listener),
        reads=OrdinaryReads(app),
        quotas=Quotas(settings, app.extensions["hksz_database"]),
    )
    han.load()
    answer_promptly()
    return gateway


def main(*steps: str) -> int:
    """Run the named steps, ``prepare`` or ``serve`` (by default both); return the exit code."""
    unknown = [step for step in steps if step not in _STEPS]
    if unknown:
        print(f"hksz: unknown step {unknown[0]}; known: {', '.join(_STEPS)}", file=sys.stderr)
        return 2
    try:
        settings = _settings()
        configure_logging(settings)
        _run_steps(steps or _STEPS, settings)
    except (
        DatabaseUnusable,
        InvalidSeed,
        PortInUse,
        Unavailable,
        embedded.EmbeddedError,
    ) as error:
        print(f"hksz: {explained(str(error), error.__cause__)}", file=sys.stderr)
        return 1
    return 0


_STEPS = ("prepare", "serve")


def _run_steps(steps: Sequence[str], settings: Settings) -> None:
    if "serve" not in steps:
        _ready_database(steps, settings)
        return
    # Listen first, so that a second server does not even prepare the database.
    with listening(settings) as listeners:
        url = _ready_database(steps, settings)
        _say(settings, f"http://{settings.host}:{settings.port}/docs/")
        serve("app:worker_app", settings, url, listeners)


def _ready_database(steps: Sequence[str], settings: Settings) -> str:
    """Check the database, prepare it if that is a step, and return its URL."""
    database = open_database(settings)
    try:
        database.check_version()
    except Unavailable as error:
        # Without it, the replica can still answer most reads.
        if settings.read_database_url is None or "prepare" in steps:
            raise
        _log.warning("database_away", reason=explained(str(error), error.__cause__))
    if "prepare" in steps:
        prepare(database)
        # With DATABASE_URL set, operators create keys themselves: flask keys create.
        if settings.database_url is None and (
            key := write_first_key(database, _home(settings) / KEY_FILE)
        ):
            _say(settings, f"a key with all scopes is in {key}")
    database.close()
    if settings.read_database_url:
        _check_replica(open_replica(settings))
    return database.connector.location


def _check_replica(replica: Database) -> None:
    """Raise ``DatabaseUnusable`` if a replica cannot be used at all; it may be away."""
    try:
        replica.check_version()
    except Unavailable as error:
        _log.warning("replica_away", reason=explained(str(error), error.__cause__))
    replica.close()


def _say(settings: Settings, what: str) -> None:
    if settings.log_format == "json":
        _log.info(what)
    else:
        print(f"hksz: {what}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
