"""Prometheus metrics of all processes of this host.

Each process writes its counts into files of its own under `PROMETHEUS_MULTIPROC_DIR` (set by the master before the
fork); whichever process is scraped adds them up. Without that folder it counts for itself only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from thetool.telemetry import retired

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

Collect = Callable[[], Iterable[Metric]]

log = structlog.get_logger(__name__)
_collectors: dict[str, Collect] = {}


@dataclass(frozen=True)
class _Instruments:
    registry: CollectorRegistry
    requests: Counter
    durations: Histogram
    jobs: Counter
    job_durations: Histogram
    predictions: Counter
    prediction_durations: Histogram
    streams: Gauge
    messages: Counter


def observe_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request.

    Args:
        method: any method; unknown ones are counted as `OTHER`.
        route: the route's template, such as `/api/v1/jobs/<job_id>`: never a path, of which there are too many.
        status: of the answer.
        seconds: from the request's arrival here to the start of the answer.
    """
    counter, histogram = _children(method if method in METHODS else "OTHER", route, status)
    counter.inc()
    histogram.observe(seconds)


def observe_job(kind: str, status: str, seconds: float) -> None:
    """Count one attempt at a job that ended.

    Args:
        kind: a registered kind, such as `analyze.text`.
        status: what the job became: `completed`, `failed`, `cancelled`, or `queued` when it is tried again.
        seconds: how long the attempt ran.
    """
    made = _instruments()
    made.jobs.labels(kind, status).inc()
    made.job_durations.labels(kind).observe(seconds)


def observe_prediction(outcome: str, seconds: float | None) -> None:
    """Count one prediction of a caller's model.

    Args:
        outcome: `made`, `cached`, or the code of the problem that it ended with.
        seconds: how long the model ran; None where it did not, or not to its end.
    """
    made = _instruments()
    made.predictions.labels(outcome).inc()
    if seconds is not None:
        made.prediction_durations.observe(seconds)


def observe_streams(number: int) -> None:
    """Note how many streams of job events are open in this process now."""
    _instruments().streams.set(number)


def observe_messages(number: int) -> None:
    """Count messages that were sent to listeners of job events."""
    _instruments().messages.inc(number)


def register_collector(name: str, collect: Collect) -> None:
    """Ask `collect` for metrics at each scrape; a collector of the same name takes its place.

    `collect` must be quick or read what a probe found before; one that fails is logged and left out.
    """
    _collectors[name] = collect


def exposition() -> bytes:
    """The metrics of all processes of this host in Prometheus's text format."""
    registry = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(_instruments().registry) + generate_latest(_of_rooms(registry))
    with retired.exclusive(Path(folder)):
        retired.merge_dead(Path(folder))
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_of_rooms(CollectorRegistry()))


class _RoomCollector(Collector):
    """What the rooms say, without those that fail."""

    def collect(self) -> Iterable[Metric]:
        for name, collect in list(_collectors.items()):
            try:
                yield from list(collect())
            except Exception as error:
                log.warning("metrics left out", collector=name, error=str(error))


def _of_rooms(registry: CollectorRegistry) -> CollectorRegistry:
    registry.register(_RoomCollector())
    return registry


@cache
def _instruments() -> _Instruments:
    """Made at the first request and not at import, so that whoever imports this need not have set the folder yet."""
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    requests = Counter("http_requests", "Requests answered.", ("method", "route", "status"), registry=registry)
    durations = Histogram(
        "http_request_duration_seconds",
        "Seconds from a request's arrival to the start of its answer.",
        ("method", "route"),
        buckets=SECONDS,
        registry=registry,
    )
    jobs = Counter("jobs", "Attempts at jobs that ended.", ("kind", "status"), registry=registry)
    job_durations = Histogram(
        "job_duration_seconds",
        "Seconds that an attempt ran.",
        ("kind",),
        buckets=(*SECONDS, 60, 300),
        registry=registry,
    )
    streams = Gauge("streams_open", "Open streams of job events.", multiprocess_mode="livesum", registry=registry)
    messages = Counter("stream_messages", "Messages sent to listeners of job events.", registry=registry)
    predictions = Counter(
        "predictions", "Predictions of callers' models, by how they ended.", ("outcome",), registry=registry
    )
    prediction_durations = Histogram(
        "prediction_duration_seconds", "Seconds that a model ran.", buckets=(0.0005, *SECONDS), registry=registry
    )
    return _Instruments(
        registry, requests, durations, jobs, job_durations, predictions, prediction_durations, streams, messages
    )


@cache
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    with _making:
        made = _instruments()
        return made.requests.labels(method, route, str(status)), made.durations.labels(method, route)


_making = threading.Lock()
