#!/usr/bin/env python3
"""GET /health at 50 requests/s while each worker runs two jobs, with and without 500 open streams of those jobs.

    scripts/bench/streams.py [--seconds 5] [--rounds 3] [--streams 500]

One job is pure Python in a thread of the worker and tells its progress all the time (four times a second is passed on
to each of its listeners), the other holds the interpreter's lock in a child process. Also: what a stream costs in
memory, and how late its listeners (in a process of their own) hear of an event.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psutil
from audience import Audience
from health import RATE, show
from load import Load, http_request, run
from service import Service, service

WORKERS = 2
CLIENTS = 5


@contextmanager
def occupied(place: Service) -> Iterator[list[UUID]]:
    """Run one job of each kind in each worker until the block ends; gives those that tell their progress."""
    os.environ["THETOOL_HOME"] = str(place.home)
    import bench_jobs

    from thetool.access.records import MASTER_OWNER_ID
    from thetool.jobs.local import local
    from thetool.jobs.submit import submit
    from thetool.jobs.waiting import wait_for

    busy = bench_jobs.Busy(seconds=600)
    kinds = ["bench.telling"] * WORKERS + ["bench.process"] * WORKERS
    jobs = [submit(kind, busy, owner_id=MASTER_OWNER_ID).job_id for kind in kinds]
    while not all(local.queue.status(job) == "running" for job in jobs):
        time.sleep(0.05)
    try:
        yield jobs[:WORKERS]
    finally:
        for job in jobs:
            local.queue.cancel(job)
        for job in jobs:
            wait_for(job, 30)


def memory(place: Service) -> float:
    """MiB that the workers have for themselves."""
    workers = [
        child for child in psutil.Process(place.process.pid).children() if "gunicorn" in " ".join(child.cmdline())
    ]
    return sum(worker.memory_full_info().uss for worker in workers) / 2**20


def health(place: Service, seconds: float) -> Load:
    """Ask for /health at the rate."""
    message = http_request("GET", "/health")
    return run(place.port, lambda: message, clients=CLIENTS, seconds=seconds, pause=CLIENTS / RATE)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=500)
    asked = parser.parse_args()
    alone, together, late, per_stream = [], [], [], []
    settings = {"WEB_CONCURRENCY": str(WORKERS), "JOB_THREADS": "1", "JOB_PROCESSES": "1", "MAX_REQUESTS": "0"}
    with service("bench_jobs:app", **settings) as place:
        for _ in range(asked.rounds):
            with occupied(place) as jobs:
                alone.append(health(place, asked.seconds))
                before, audience = memory(place), Audience(place.port, jobs, asked.streams)
                audience.forget()
                together.append(health(place, asked.seconds))
                per_stream.append((memory(place) - before) / asked.streams * 1024)
                arrived, ended = audience.leave()
            assert ended == 0, "the streams were open all the time"
            late += arrived
    print("| /health, 50 requests/s, two jobs in each worker | answers/s | p50 ms | p95 ms | p99 ms |")
    print("| --- | --- | --- | --- | --- |")
    show("no streams", alone)
    show(f"{asked.streams} open streams", together)
    late.sort()
    print(f"\nA stream takes {max(per_stream):.0f} KiB (the first round's, which makes the threads).")
    print(
        f"{len(late):,} events arrived, p50 {statistics.median(late) * 1000:.0f} ms after they were written,", end=" "
    )
    print(f"p99 {late[int(len(late) * 0.99)] * 1000:.0f} ms.")


if __name__ == "__main__":
    main()
