"""How long the service has been up: since this module was first imported, by the master, before it forked."""

from __future__ import annotations

import time
from datetime import UTC, datetime

_started = time.monotonic()


def uptime_seconds() -> float:
    """Seconds since the service started; a worker that was replaced does not start it anew."""
    return round(time.monotonic() - _started, 1)


def timestamp() -> str:
    """Now, as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
