"""Logging to standard error: lines for people, or one JSON object per line."""

import logging
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from hksz_db.database.deadlines import log_slow_statements
from hksz_db.settings import Settings


def _printable(_: object, __: str, event: EventDict) -> EventDict:
    """Escape what could forge lines or command a terminal, such as a path that a client sends."""
    return {name: _escaped(v) if isinstance(v, str) else v for name, v in event.items()}


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def configure_logging(settings: Settings) -> None:
    """Log the events of this software, among them slow statements."""
    log_slow_statements(settings.slow_statement_ms / 1000 or math.inf)
    structlog.configure(
        processors=[*_context(settings.log_format), _renderer(settings.log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def standard_logging(settings: Settings) -> Mapping[str, Any]:
    """The configuration of ``logging`` for what libraries log: in the same form."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        # By name, because the workers get this pickled.
        "formatters": {"same": {"()": "hksz_db.logs.formatter", "form": settings.log_format}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "same",
            }
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        # The server, which says when its workers start and end.
        "loggers": {"_granian": {"handlers": ["stderr"], "propagate": False}},
    }


def formatter(form: str) -> logging.Formatter:
    """Formats the records of ``logging``."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_context(form),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _renderer(form),
        ],
    )


def _context(form: str) -> Sequence[Processor]:
    return (
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # JSON escapes them by itself.
        *(() if form == "json" else (_printable,)),
        structlog.processors.format_exc_info,
    )


def _renderer(form: str) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
