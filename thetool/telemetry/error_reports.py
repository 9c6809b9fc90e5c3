"""Errors go to Sentry, or to what speaks as it does, where `SENTRY_DSN` names one; its library is not loaded else.

What is reported is what would be a line of level ERROR: an error that nobody expected, with its traceback and the ids
of its request and job. Never a request, a body or the values of variables; and no key that got into a text.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import structlog

from thetool import __version__
from thetool.config import Settings

TAGS = ("request_id", "correlation_id", "job_id", "kind", "worker_id")
LONGEST_MESSAGE = 300
FLUSH_SECONDS = 2.0
OWN_LOGGERS = ("sentry_sdk", "urllib3")
_PACKED: Any = {"transport_compression_algo": "gzip"}  # else Brotli, where that happens to be installed

# Postgres and SQLAlchemy quote rows and parameters, which are our callers' data.
_quoted = re.compile(r"\s*(\[parameters: |DETAIL: |CONTEXT: |LINE \d+: ).*", re.DOTALL)

Redact = Callable[[str], str]


def report_errors(root: logging.Logger, settings: Settings, redact: Redact) -> None:
    """Report what `root` hears as errors, if the settings say where to; what was set up before is replaced.

    Args:
        root: the logger that all lines come by.
        settings: with `sentry_dsn`, or without.
        redact: masks secrets in a text.
    """
    for handler in [handler for handler in root.handlers if isinstance(handler, ErrorReporter)]:
        root.removeHandler(handler)
        handler.close()
    if settings.sentry_dsn is not None:
        root.addHandler(ErrorReporter(settings.sentry_dsn.get_secret_value(), settings.environment, redact))


class ErrorReporter(logging.Handler):
    """Sends errors in the background; one that cannot be sent is dropped, and nobody waits for it.

    Raises:
        ValueError: the address is none of Sentry's kind.
    """

    def __init__(self, dsn: str, environment: str, redact: Redact) -> None:
        super().__init__(logging.ERROR)
        import sentry_sdk

        self._redact = redact
        # Nothing global and no integrations: those read requests, headers and bodies.
        self._client = sentry_sdk.Client(
            dsn,
            environment=environment,
            release=f"thetool@{__version__}",
            default_integrations=False,
            auto_enabling_integrations=False,
            include_local_variables=False,
            max_request_body_size="never",
            auto_session_tracking=False,
            send_client_reports=False,
            shutdown_timeout=FLUSH_SECONDS,
            _experiments=_PACKED,
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the report of one line."""
        if record.name.startswith(OWN_LOGGERS):
            return
        try:
            self._client.capture_event(self._event(record))
        except Exception:
            self.handleError(record)

    def flush(self) -> None:
        """Wait a moment for what is queued: the process may be about to end."""
        self._client.flush(timeout=FLUSH_SECONDS)

    def close(self) -> None:
        """Send what is queued, and stop."""
        self._client.close(timeout=FLUSH_SECONDS)
        super().close()

    def _event(self, record: logging.LogRecord) -> Any:
        line = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        bound = {**structlog.contextvars.get_contextvars(), **line}
        event: Any = {}
        raised = _exc_info(record.exc_info or line.get("exc_info"))
        if raised is not None:
            from sentry_sdk.utils import event_from_exception

            event, _ = event_from_exception(raised, client_options=self._client.options)
            for told in event["exception"]["values"]:
                told["value"] = self._clean(str(told.get("value") or ""))
        event["level"] = record.levelname.lower()
        event["logger"] = record.name
        event["logentry"] = {"formatted": self._clean(str(line.get("event", "")))}
        event["tags"] = {name: self._clean(str(bound[name])) for name in TAGS if bound.get(name)}
        return event

    def _clean(self, text: str) -> str:
        return self._redact(_quoted.sub(" ***", text))[:LONGEST_MESSAGE]


def _exc_info(given: Any) -> Any:
    """The exception of a line: logging and structlog allow a tuple, an exception, or True for the present one."""
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    if isinstance(given, tuple):
        return given if given[1] is not None else None
    raised = sys.exc_info() if given else None
    return raised if raised and raised[1] is not None else None
