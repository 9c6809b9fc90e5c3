"""What health says about the queue and its workers. Nothing here reads finished jobs, however many there are."""

from __future__ import annotations

from typing import Any

from thetool.jobs.connection import Row
from thetool.jobs.local import local
from thetool.jobs.schedules import statistics
from thetool.jobs.schedules.vacuum import dead_rows
from thetool.telemetry.health import register_probe

MANY_DEAD_ROWS = 100_000


def register() -> None:
    """Show `queue` and `workers` in the health documents."""
    register_probe("queue", queue)
    register_probe("workers", workers)


def queue() -> dict[str, Any]:
    """How much waits and runs in each queue, what came and ended lately, and how worn the tables are.

    `depth` and `running` in all count what lists of jobs show; the figures of each queue count deliveries of webhooks
    and housekeeping too.
    """
    outlook = local.queue.outlook()
    queues = _queues(outlook)
    oldest = [told["oldest_ready_seconds"] for told in queues.values() if told["oldest_ready_seconds"] is not None]
    recent = statistics.recent(local.queue)
    dead = {table: dead for table, dead, _ in dead_rows(local.queue)}
    return {
        "depth": sum(waiting for *_, waiting, _ in outlook),
        "running": sum(running for *_, running in outlook),
        "lost": sum(told["lost"] for told in queues.values()),
        "oldest_ready_seconds": max(oldest, default=None),
        "limit": local.settings.max_queued_jobs,
        "queues": queues,
        "kinds": recent.pop("kinds"),
        "rates": recent,
        "dead_rows": dead,
        "warnings": [f"table {table} has {rows:,} dead rows" for table, rows in dead.items() if rows > MANY_DEAD_ROWS],
    }


def workers() -> dict[str, Any]:
    """The live workers of all copies of the service."""
    alive = local.queue.live_workers()
    return {"count": len(alive), "workers": alive}


def _queues(outlook: list[Row]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "ready": ready,
            "scheduled": scheduled,
            "running": running,
            "lost": lost,
            "oldest_ready_seconds": oldest and round(oldest, 3),
        }
        for name, ready, scheduled, running, lost, oldest, _, _ in outlook
    }
