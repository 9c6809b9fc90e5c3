#!/usr/bin/env python3
"""GET /health: at rest at 16 clients, and at 50 requests/s while each worker runs two jobs.

    scripts/bench/health.py [--seconds 5] [--rounds 5]

One of the two jobs is pure Python in a thread of the worker, the other holds the interpreter's lock in a child process.
"""

from __future__ import annotations

import argparse
import os
import statistics

from load import Load, http_request, run
from service import Service, service

CLIENTS = 16
RATE = 50


def occupy(place: Service, workers: int, seconds: float) -> None:
    """Put one job of each kind for each worker into the queue."""
    os.environ["THETOOL_HOME"] = str(place.home)
    import bench_jobs

    from thetool.access.records import MASTER_OWNER_ID
    from thetool.jobs.submit import submit

    for kind in ("bench.thread", "bench.process"):
        for _ in range(workers):
            submit(kind, bench_jobs.Busy(seconds=seconds), owner_id=MASTER_OWNER_ID)


def show(name: str, loads: list[Load]) -> None:
    """One line of the table: medians over the rounds."""
    rate = statistics.median(load.rate for load in loads)
    times = [statistics.median(load.percentile(share) for load in loads) for share in (0.5, 0.95, 0.99)]
    print(f"| {name} | {rate:,.0f} | " + " | ".join(f"{ms:.2f}" for ms in times) + " |")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    message = http_request("GET", "/health")
    flask = http_request("GET", "/health", headers={"Origin": "https://elsewhere.example"})
    workers = 2
    with service("bench_jobs:app", WEB_CONCURRENCY=str(workers), JOB_THREADS="1", JOB_PROCESSES="1") as place:
        run(place.port, lambda: message, clients=CLIENTS, seconds=1)
        rest = [
            run(place.port, lambda: message, clients=CLIENTS, seconds=arguments.seconds)
            for _ in range(arguments.rounds)
        ]
        behind = [
            run(place.port, lambda: flask, clients=CLIENTS, seconds=arguments.seconds) for _ in range(arguments.rounds)
        ]
        busy = []
        for _ in range(arguments.rounds):
            occupy(place, workers, arguments.seconds + 2)
            run(place.port, lambda: message, clients=2, seconds=1, pause=0.1)
            busy.append(run(place.port, lambda: message, clients=5, seconds=arguments.seconds, pause=5 / RATE))
            run(place.port, lambda: message, clients=1, seconds=2, pause=0.1)
    print("| /health | answers/s | p50 ms | p95 ms | p99 ms |\n| --- | --- | --- | --- | --- |")
    show(f"at rest, {CLIENTS} clients", rest)
    show("the same with an Origin, which Flask answers", behind)
    show(f"{RATE} requests/s, two jobs in each worker", busy)


if __name__ == "__main__":
    main()
