"""The one place where the parts meet: ``create_app`` makes the service, ``app.py`` serves it."""

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path

from flask import Flask

from hksz_db import embedded
from hksz_db.api.answers import DirectResponse
from hksz_db.api.bulk import add_bulk
from hksz_db.api.catalogue import CATALOGUE, CLAIMS, ENTITIES, FIGURES, SOURCES
from hksz_db.api.changes import changes_blueprint
from hksz_db.api.claim_evidence import add_claim_evidence
from hksz_db.api.comparisons import add_figure_comparisons, comparisons_blueprint
from hksz_db.api.documentation import create_api
from hksz_db.api.entity_merges import add_entity_merges
from hksz_db.api.gateway import Gateway
from hksz_db.api.history import add_history
from hksz_db.api.operating import register_operating
from hksz_db.api.problems import register_errors
from hksz_db.api.verification import add_verification
from hksz_db.api.views import blueprint_for
from hksz_db.api.waiting import WaitingRoom, stop_waiters_on_shutdown
from hksz_db.commands.registry import register_commands
from hksz_db.database import Database, DatabaseUnusable, explained
from hksz_db.domain.errors import Unavailable
from hksz_db.feed.listener import ChangeListener
from hksz_db.preparing import KEY_FILE, prepare, write_first_key
from hksz_db.services.seeding import InvalidSeed
from hksz_db.serving import PortInUse, configure_logging, listening, serve, stop_with_parent
from hksz_db.settings import InvalidSettings, Settings


def create_app(settings: Settings | None = None, database: Database | None = None) -> Flask:
    """The service. The database is reached when the first request needs it."""
    settings = settings or _settings()
    configure_logging(settings)
    app = Flask(__name__, static_folder=None)
    app.response_class = DirectResponse
    app.config["MAX_BODY_BYTES"] = settings.max_body_bytes
    app.config["MAX_BULK_BYTES"] = settings.max_bulk_bytes
    app.config["OPEN_READS"] = settings.open_reads
    app.config["KEY_FILE"] = _home(settings) / KEY_FILE
    database = database or open_database(settings)
    app.extensions["hksz_database"] = database
    app.extensions["hksz_waiting_room"] = WaitingRoom(
        ChangeListener(database), settings.max_waiters
    )
    register_operating(app)
    api = create_api(app)
    for resource in CATALOGUE:
        blueprint = blueprint_for(resource)
        add_bulk(blueprint, resource)
        add_history(blueprint, resource)
        if resource is CLAIMS:
            add_claim_evidence(blueprint)
        if resource is SOURCES:
            add_verification(blueprint)
        if resource is ENTITIES:
            add_entity_merges(blueprint)
        if resource is FIGURES:
            add_figure_comparisons(blueprint)
        api.register_blueprint(blueprint)
    api.register_blueprint(comparisons_blueprint())
    api.register_blueprint(changes_blueprint())
    register_errors(app)
    register_commands(app)
    return app


def _settings() -> Settings:
    try:
        return Settings.from_environ(os.environ)
    except InvalidSettings as error:
        # Whoever starts this, a server or a command line, shows the sentence and stops.
        raise SystemExit(f"hksz: {error}") from None


def open_database(settings: Settings) -> Database:
    """The database of the settings: ``DATABASE_URL``, or the embedded one below the home."""
    return Database(
        lambda: settings.database_url or _embedded_server(_home(settings)).url(),
        statement_timeout_ms=settings.statement_timeout_ms,
    )


def _home(settings: Settings) -> Path:
    return settings.home or embedded.default_home()


@cache
def _embedded_server(home: Path) -> embedded.Server:
    # For as long as the process lives; the last process out stops the server.
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(embedded.running(home))


def worker_app() -> Gateway:
    """The service in a worker process."""
    stop_with_parent()
    settings = _settings()
    app = create_app(settings)
    return Gateway(app, settings, started=partial(stop_waiters_on_shutdown, app))


def main(*steps: str) -> int:
    """Take the steps ``prepare`` and ``serve`` (both, if none is named); the exit code."""
    unknown = [step for step in steps if step not in _STEPS]
    if unknown:
        print(f"hksz: there is no step {unknown[0]}; known: {', '.join(_STEPS)}", file=sys.stderr)
        return 2
    try:
        settings = _settings()
        configure_logging(settings)
        _take(steps or _STEPS, settings)
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


def _take(steps: Sequence[str], settings: Settings) -> None:
    if "serve" not in steps:
        _ready_database(steps, settings)
        return
    # The port first, and held until the end: a second server must not even prepare the database.
    with listening(settings) as listeners:
        url = _ready_database(steps, settings)
        print(f"hksz: http://{settings.host}:{settings.port}/docs/", file=sys.stderr)
        serve("app:worker_app", settings, url, listeners)


def _ready_database(steps: Sequence[str], settings: Settings) -> str:
    """The URL of the database, which is new enough, and prepared if that is one of the steps."""
    database = open_database(settings)
    database.check_version()
    if "prepare" in steps:
        prepare(database)
        _write_first_key(database, settings)
    database.close()
    return database.location


def _write_first_key(database: Database, settings: Settings) -> None:
    # Who runs a server of his own makes his own keys: flask keys create.
    key = (
        write_first_key(database, _home(settings) / KEY_FILE)
        if settings.database_url is None
        else None
    )
    if key:
        print(f"hksz: a key with all scopes is in {key}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
