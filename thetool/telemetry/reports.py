"""The documents that the health routes answer with, put together from the probes' readings."""

from __future__ import annotations

from typing import Any

from thetool import __version__
from thetool.config import Settings
from thetool.telemetry import machine
from thetool.telemetry.health import Reading, readings
from thetool.telemetry.uptime import timestamp, uptime_seconds

DISK_WARNING_PERCENT, DISK_CRITICAL_PERCENT = 90, 98
MEMORY_WARNING_PERCENT = 90
CONNECTIONS_WARNING_SHARE = 0.8

Report = dict[str, Any]


def health(settings: Settings) -> Report:
    """`/health`: always 200 with `ok` or `degraded`; what turns 503 is readiness."""
    now = readings()
    return {
        "status": "ok" if _all_well(now) else "degraded",
        "message": "backend running",
        "version": __version__,
        "uptime_seconds": uptime_seconds(),
        "authentication": "enabled",
        "database": _connected(now.get("database")),
        "cache": _cache(now, settings),
    }


def alive() -> Report:
    """`/health/live`: this process answers."""
    return {"status": "alive", "uptime_seconds": uptime_seconds(), "timestamp": timestamp()}


def missing() -> list[str]:
    """The required probes that are not well; the service is ready when there are none."""
    return [name for name, reading in readings().items() if reading.required and not reading.well]


def api_health(settings: Settings) -> Report:
    """`/api/v1/health`: the shape of two older systems, `healthy` or `degraded`."""
    now = readings()
    return {
        "status": "healthy" if _all_well(now) else "degraded",
        "version": __version__,
        "environment": settings.environment,
        "timestamp": timestamp(),
        "uptime_seconds": uptime_seconds(),
        "database": _connected(now.get("database")),
        "workers": _count(now.get("workers")),
    }


def detailed(settings: Settings) -> Report:
    """`/health/detailed`: each probe's values, the machine, and what to worry about. `status` may be `critical`."""
    now = readings()
    system = machine.system(settings.home)
    warnings = _warnings(now, system)
    critical = any(reading.required and not reading.well for reading in now.values())
    critical = critical or system["disk_percent"] >= DISK_CRITICAL_PERCENT
    return {
        "status": "critical" if critical else "warning" if warnings else "ok",
        "timestamp": timestamp(),
        "version": __version__,
        "uptime_seconds": uptime_seconds(),
        "services": {"gpu": {"status": "absent"}} | {name: _service(reading) for name, reading in now.items()},
        "system": system,
        "process": machine.process(),
        "warnings": warnings,
    }


def machine_metrics(settings: Settings) -> Report:
    """`/health/metrics`: the machine and this process."""
    return {
        "timestamp": timestamp(),
        "uptime": uptime_seconds(),
        "system": machine.system(settings.home),
        "process": machine.process(),
    }


def application_metrics(settings: Settings) -> Report:
    """`/api/v1/metrics`: a few numbers as JSON; Prometheus reads `/metrics`."""
    now = readings()
    database, workers = now.get("database"), _count(now.get("workers"))
    connected = database is not None and database.well
    return {
        "application": {
            "name": "TheTool",
            "version": __version__,
            "environment": settings.environment,
            "uptime_seconds": uptime_seconds(),
            "pid": machine.process()["pid"],
        },
        "database": {"connected": connected, **_values(database)},
        "cache": _cache(now, settings),
        "queue": _values(now.get("queue")),
        "workers": {"count": workers},
        "celery": {
            "status": "connected" if workers else "no_workers",
            "broker_connected": connected,
            "worker_count": workers,
        },
    }


def workers() -> Report:
    """`/api/v1/health/workers`: the live workers of all copies of the service."""
    now = readings(("database", "workers", "queue"))
    database, reading = now.get("database"), now.get("workers")
    count, queue = _count(reading), _values(now.get("queue"))
    return {
        "status": "connected" if count else "no_workers" if reading and reading.well else "error",
        "broker_connected": database is not None and database.well,
        "count": count,
        "workers": _values(reading).get("workers", []),
        "queues": queue.get("queues", {}),
        "rates": queue.get("rates", {}),
        "kinds": queue.get("kinds", {}),
        "error": reading.error if reading else "no worker has been started in this process",
        "timestamp": timestamp(),
    }


def _all_well(now: dict[str, Reading]) -> bool:
    return all(reading.well for reading in now.values())


def _connected(database: Reading | None) -> str:
    return "connected" if database is not None and database.well else "unavailable"


def _values(reading: Reading | None) -> Report:
    return dict(reading.values) if reading is not None else {}


def _count(workers: Reading | None) -> int:
    return int(_values(workers).get("count", 0))


def _cache(now: dict[str, Reading], settings: Settings) -> Report:
    unknown = {"hit_rate": None, "hits": None, "misses": None}
    return {"enabled": settings.cache_enabled} | unknown | _values(now.get("cache"))


def _service(reading: Reading) -> Report:
    if reading.well:
        return {"status": "warning" if reading.values.get("warnings") else "ok", **reading.values}
    return {"status": "critical" if reading.required else "error", "error": reading.error}


def _warnings(now: dict[str, Reading], system: Report) -> list[str]:
    found = [f"{name}: {reading.error}" for name, reading in now.items() if not reading.well]
    found += [f"{name}: {warning}" for name, reading in now.items() for warning in reading.values.get("warnings", ())]
    if system["disk_percent"] >= DISK_WARNING_PERCENT:
        found.append(f"disk: {system['disk_percent']} % used")
    if system["memory_percent"] >= MEMORY_WARNING_PERCENT:
        found.append(f"memory: {system['memory_percent']} % used")
    database = _values(now.get("database"))
    used, limit = database.get("connections_used", 0), database.get("connections_limit", 0)
    if limit and used > CONNECTIONS_WARNING_SHARE * limit:
        found.append(f"database: {used} of {limit} connections used")
    return found
