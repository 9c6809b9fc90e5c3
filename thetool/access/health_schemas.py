"""What the health routes answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


class CacheOut(BaseModel):
    """The cache of analyses."""

    enabled: bool
    hit_rate: float | None = Field(description="Share of answers from the cache, 0 to 1; null before the first.")
    hits: int | None = None
    misses: int | None = None


class HealthOut(BaseModel):
    """Whether the service is well."""

    status: Literal["ok", "degraded"]
    message: str
    version: str
    uptime_seconds: float
    authentication: Literal["enabled"]
    database: Literal["connected", "unavailable"]
    cache: CacheOut


class LiveOut(BaseModel):
    """This process answers."""

    status: Literal["alive"]
    uptime_seconds: float
    timestamp: str


class ReadyOut(BaseModel):
    """The service can do its work."""

    status: Literal["ready"]
    timestamp: str


class ApiHealthOut(BaseModel):
    """Whether the service is well, in the words of `/api/v1`."""

    status: Literal["healthy", "degraded"]
    version: str
    environment: str
    timestamp: str
    uptime_seconds: float
    database: Literal["connected", "unavailable"]
    workers: int = Field(description="Live workers of all copies of the service.")


class DetailedOut(BaseModel):
    """Everything that is watched."""

    status: Literal["ok", "warning", "critical"]
    timestamp: str
    version: str
    uptime_seconds: float
    services: dict[str, dict[str, Any]] = Field(
        description="`database`, `storage`, `gpu`, `cache`, `models`, `queue`, `workers`."
    )
    system: dict[str, Any] = Field(description="Processor, memory and disk of the machine or container.")
    process: dict[str, Any] = Field(description="The process that answered.")
    warnings: list[str]


class MachineMetricsOut(BaseModel):
    """The machine and the process that answered."""

    timestamp: str
    uptime: float
    system: dict[str, Any]
    process: dict[str, Any]


class ApplicationMetricsOut(BaseModel):
    """A few numbers of the service."""

    application: dict[str, Any]
    database: dict[str, Any]
    cache: dict[str, Any]
    queue: dict[str, Any]
    workers: dict[str, Any]
    celery: dict[str, Any] = Field(description="The same as `workers`, under an older system's name.")


class WorkersOut(BaseModel):
    """The live workers."""

    status: Literal["connected", "no_workers", "error"]
    broker_connected: bool = Field(description="Whether the database, which holds the queue, answers.")
    count: int
    workers: list[dict[str, Any]]
    queues: dict[str, Any] = Field(
        description="Of each queue: `ready`, `scheduled`, `running`, `lost` (their worker is silent) and "
        "`oldest_ready_seconds`."
    )
    rates: dict[str, Any] = Field(
        description="Jobs a minute over the last five: `enqueued_`, `finished_`, `failed_`, `lost_per_minute`."
    )
    kinds: dict[str, Any] = Field(
        description="Of each kind that had an end in the last five minutes: how many a minute, `p50_ms`, `p95_ms`."
    )
    error: str | None
    timestamp: str
