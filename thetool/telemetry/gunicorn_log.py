"""Gunicorn's own lines through our formatter; its access log is off, because the web layer writes request lines."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from thetool.config import get_settings
from thetool.telemetry import uptime  # noqa: F401  imported by the master, so that it counts from the service's start
from thetool.telemetry.logs import configure_logging


class GunicornLog(Logger):  # type: ignore[misc]
    """For gunicorn's setting `logger_class`."""

    def setup(self, cfg: Any) -> None:
        """Configure logging when gunicorn starts or reloads."""
        configure_logging(get_settings())
        self.cfg = cfg
        self.error_log.handlers.clear()
        self.error_log.propagate = True
        self.access_log.handlers.clear()
        self._access_log_enabled = False

    def reopen_files(self) -> None:
        """Nothing to reopen: lines go to standard error."""
