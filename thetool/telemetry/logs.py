"""Log lines: JSON in production, readable at a terminal, each with the ids of what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from thetool.config import Settings


def configure_logging(settings: Settings) -> None:
    """Send structlog and the standard library's logging through one formatter to standard error."""
    raise NotImplementedError


def bind(**values: Any) -> None:
    """Put `values` (request_id, correlation_id, job_id, ...) on every later log line of this thread's context."""
    structlog.contextvars.bind_contextvars(**values)


@contextmanager
def bound(**values: Any) -> Iterator[None]:
    """Put `values` on every log line inside the block, and restore what was there before."""
    with structlog.contextvars.bound_contextvars(**values):
        yield
