"""What the probes found, as Prometheus gauges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.core import GaugeMetricFamily

from thetool.telemetry.health import readings


def collect() -> Iterable[GaugeMetricFamily]:
    """Gauges of the queue, the workers and the database; a probe that failed has none but its zero in `probe_well`."""
    now = readings()
    well = GaugeMetricFamily("probe_well", "1 while the probe finds its room well, else 0.", labels=["probe"])
    for name, reading in now.items():
        well.add_metric([name], float(reading.well))
    yield well
    if "queue" in now:
        yield from _of_queues(now["queue"].values.get("queues", {}))
        yield from _of_tables(now["queue"].values.get("dead_rows", {}))
    if "workers" in now and now["workers"].well:
        yield GaugeMetricFamily("workers_live", "Live workers of all copies.", now["workers"].values.get("count", 0))
    if "database" in now and now["database"].well:
        found = now["database"].values
        yield GaugeMetricFamily("database_connections_used", "Connections in use.", found["connections_used"])
        yield GaugeMetricFamily("database_connections_limit", "Connections allowed.", found["connections_limit"])
        oldest = found.get("oldest_transaction") or {}
        yield GaugeMetricFamily(
            "database_oldest_transaction_seconds",
            "Age of the transaction that holds back VACUUM; 0 when none does.",
            oldest.get("seconds") or 0,
        )


def _of_queues(queues: Mapping[str, Mapping[str, Any]]) -> Iterable[GaugeMetricFamily]:
    current = GaugeMetricFamily("jobs_current", "Jobs that are not finished.", labels=["queue", "state"])
    oldest = GaugeMetricFamily("jobs_oldest_ready_seconds", "How long the first in line waits.", labels=["queue"])
    for name, told in queues.items():
        for state in ("ready", "scheduled", "running", "lost"):
            current.add_metric([name, state], told.get(state, 0))
        oldest.add_metric([name], told.get("oldest_ready_seconds") or 0)
    yield current
    yield oldest


def _of_tables(dead_rows: Mapping[str, int]) -> Iterable[GaugeMetricFamily]:
    dead = GaugeMetricFamily("database_dead_rows", "Rows that VACUUM has still to clear.", labels=["table"])
    for table, count in dead_rows.items():
        dead.add_metric([table], count)
    yield dead
