"""What the status line at the bottom of each page shows."""

from __future__ import annotations

from typing import Any

from thetool.access.caller import current_caller, needs
from thetool.pages.layout import blueprint
from thetool.telemetry.health import readings


@blueprint.get("/status.json")
@needs("read")
def status() -> dict[str, Any]:
    """What is not well, and how much waits; by the last readings of the health probes, so it costs little."""
    now = readings()
    queue, workers = (dict(now[name].values) if name in now else {} for name in ("queue", "workers"))
    inside = current_caller().is_master  # errors name addresses, folders and sockets
    return {
        "trouble": [
            f"{reading.name}: {reading.error if inside else 'away'}" for reading in now.values() if not reading.well
        ],
        "queued": queue.get("depth"),
        "running": queue.get("running"),
        "workers": workers.get("count"),
    }
