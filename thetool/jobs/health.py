"""What health says about the queue and its workers."""

from __future__ import annotations

from typing import Any

from thetool.jobs.local import local
from thetool.telemetry.health import register_probe


def register() -> None:
    """Show `queue` and `workers` in the health documents."""
    register_probe("queue", queue)
    register_probe("workers", workers)


def queue() -> dict[str, Any]:
    """How many jobs are ready, wait for their time, and run; how long the oldest ready one has waited."""
    queues = {
        name: {
            "ready": ready,
            "scheduled": scheduled,
            "running": running,
            "oldest_ready_seconds": oldest and round(oldest, 3),
        }
        for name, ready, scheduled, running, oldest in local.queue.outlook()
    }
    oldest = [told["oldest_ready_seconds"] for told in queues.values() if told["oldest_ready_seconds"] is not None]
    return {
        "depth": sum(told["ready"] + told["scheduled"] for told in queues.values()),
        "running": sum(told["running"] for told in queues.values()),
        "oldest_ready_seconds": max(oldest, default=None),
        "limit": local.settings.max_queued_jobs,
        "queues": queues,
    }


def workers() -> dict[str, Any]:
    """The live workers of all copies of the service."""
    alive = local.queue.live_workers()
    return {"count": len(alive), "workers": alive}
