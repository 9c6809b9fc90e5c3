"""Log lines: JSON in production, readable at a terminal, each with the ids of what it belongs to.

Everything goes through one formatter: our own lines (structlog) and those of gunicorn, SQLAlchemy, Alembic and the
rest (the standard library's logging).
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TextIO

import orjson
import structlog
from pydantic import SecretStr

from thetool.config import Settings
from thetool.telemetry.error_reports import report_errors
from thetool.telemetry.redaction import Redactor

QUIET_LOGGERS = (
    "alembic.runtime.migration",
    "alembic.runtime.plugins",
    "apscheduler",
    "boto3",
    "botocore",
    "s3transfer",
    "urllib3",
    "werkzeug",
    "httpx",
    "httpcore",
)

_control = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class StandardErrorHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment; there is one of it in a process."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The present `sys.stderr`, which tests and daemons replace."""
        return sys.stderr


class RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders a line and masks the secrets in it."""

    redact = Redactor()

    def format(self, record: logging.LogRecord) -> str:
        """The finished line."""
        return self.redact(super().format(record))


def configure_logging(settings: Settings) -> None:
    """Send structlog and the standard library's logging through one formatter to standard error.

    Standard output is left to commands' results. May be called again: the last call counts.
    """
    shared = _shared_processors(settings.json_logs)
    formatter = RedactingFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings.json_logs)],
    )
    formatter.redact = Redactor(_secrets_of(settings))
    handler = StandardErrorHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [other for other in root.handlers if not isinstance(other, StandardErrorHandler)] + [handler]
    report_errors(root, settings, formatter.redact)
    root.setLevel(settings.log_level)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


def bind(**values: Any) -> None:
    """Put `values` (request_id, correlation_id, job_id, caller, ...) on every later log line of this context."""
    structlog.contextvars.bind_contextvars(**values)


def bind_only(**values: Any) -> None:
    """Forget what was bound in this thread's context, then bind `values`: a pooled thread starts something new."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**values)


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Put `values` on every log line inside the block, and restore what was there before."""
    with structlog.contextvars.bound_contextvars(**values):
        yield


def _shared_processors(json_logs: bool) -> list[Any]:
    """What each line gets, ours or another library's."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=json_logs),
        structlog.processors.StackInfoRenderer(),
    ]


def _renderers(json_logs: bool) -> list[Any]:
    if json_logs:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]
    return [
        _show_control_characters,
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback),
    ]


def _show_control_characters(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Callers choose paths and names: theirs must not steer the terminal, nor look like another line (JSON escapes)."""
    return {name: _control.sub(_escaped, value) if isinstance(value, str) else value for name, value in line.items()}


def _escaped(character: re.Match[str]) -> str:
    return ascii(character[0])[1:-1]


def _json(line: dict[str, Any], **_: Any) -> str:
    try:
        return orjson.dumps(line, str, orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # a lone surrogate or an integer above 64 bits: rare, and a log line is never lost for it
        return json.dumps(line, default=str)


def _secrets_of(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
    else:
        logging.getLogger("thetool").critical("uncaught error", exc_info=(kind, error, traceback))


def _log_uncaught_in_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and not isinstance(failure.exc_value, SystemExit):
        name = failure.thread.name if failure.thread else "unknown"
        error = (failure.exc_type, failure.exc_value, failure.exc_traceback)
        logging.getLogger("thetool").error("uncaught error in thread %s", name, exc_info=error)
