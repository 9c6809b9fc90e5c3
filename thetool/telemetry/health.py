"""Probes: small questions to each room ("are you well?"), asked in the background and never for too long.

A reading is taken by a thread of its own, at most one at a time for each probe. Whoever asks gets the last reading at
once while it is young, waits a little for a new one when it is old, and hears "no answer" when the probe hangs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import structlog

Probe = Callable[[], Mapping[str, Any]]

YOUNG_SECONDS = 1.0
OLD_SECONDS = 5.0
ANSWER_SECONDS = 3.0
ERROR_LENGTH = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Reading:
    """What a probe said: its values, or why it is not well."""

    name: str
    well: bool
    required: bool
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    error: str | None = None


class _Watch:
    """One probe with its last reading."""

    def __init__(self, name: str, probe: Probe, required: bool) -> None:
        self._name = name
        self._probe = probe
        self._required = required
        self._change = threading.Condition()
        self._reading: Reading | None = None
        self._read_at = float("-inf")
        self._asked_at: float | None = None

    def begin(self) -> None:
        """Ask the probe again when its last reading is not young, unless it is being asked already."""
        if time.monotonic() - self._read_at < YOUNG_SECONDS:
            return  # the common case takes no lock
        with self._change:
            now = time.monotonic()
            if self._asked_at is None and now - self._read_at >= YOUNG_SECONDS:
                self._asked_at = now
                threading.Thread(target=self._ask, name=f"probe {self._name}", daemon=True).start()

    def reading(self) -> Reading:
        """The last reading while it is not old, else the next one; "no answer" when the probe takes too long."""
        if time.monotonic() - self._read_at < OLD_SECONDS and self._reading is not None:
            return self._reading
        with self._change:
            if self._asked_at is not None:
                left = self._asked_at + ANSWER_SECONDS - time.monotonic()
                self._change.wait_for(lambda: self._asked_at is None, max(left, 0))
            if self._reading is not None and time.monotonic() - self._read_at < OLD_SECONDS:
                return self._reading
        return Reading(self._name, False, self._required, error=f"no answer in {ANSWER_SECONDS:g} s")

    def _ask(self) -> None:
        try:
            reading = Reading(self._name, True, self._required, MappingProxyType(dict(self._probe())))
        except Exception as error:
            reading = Reading(self._name, False, self._required, error=_short(error))
        with self._change:
            was = self._reading
            self._reading, self._read_at, self._asked_at = reading, time.monotonic(), None
            self._change.notify_all()
        if not reading.well and (was is None or was.well):
            log.warning("probe failed", probe=self._name, error=reading.error)


_watches: dict[str, _Watch] = {}


def register_probe(name: str, probe: Probe, *, required: bool = False) -> None:
    """Ask `probe` whenever health is asked for; a probe of the same name takes its place.

    Args:
        name: what it is about: `database`, `storage`, `queue`, `workers`, `cache`, `gpu`.
        probe: gives its values as plain JSON types; raises when it is not well. It runs in a thread of its own, with
            no application context, at most once at a time and about once a second.
        required: the service is not ready while this probe fails.
    """
    _watches[name] = _Watch(name, probe, required)


def readings(names: Iterable[str] | None = None) -> dict[str, Reading]:
    """The present readings, of `names` or of all probes; takes at most about `ANSWER_SECONDS`."""
    asked = [_watches[name] for name in names if name in _watches] if names is not None else list(_watches.values())
    return {reading.name: reading for reading in _all(asked)}


def _all(watches: list[_Watch]) -> list[Reading]:
    for watch in watches:
        watch.begin()
    return [watch.reading() for watch in watches]


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:ERROR_LENGTH]
