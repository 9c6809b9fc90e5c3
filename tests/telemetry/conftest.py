"""Logging as it was before; probes and collectors of this test alone."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator

import pytest
import structlog

from thetool.telemetry import health, metrics


@pytest.fixture(autouse=True)
def _registries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_watches", {})
    monkeypatch.setattr(metrics, "_collectors", {})


@pytest.fixture(autouse=True)
def _logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    structlog.contextvars.clear_contextvars()
    yield
    root.handlers, root.level, sys.excepthook, threading.excepthook = before
    logging.captureWarnings(False)
    structlog.contextvars.clear_contextvars()
