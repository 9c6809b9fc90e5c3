#!/usr/bin/env python3
"""GET /health at 50 requests/s while each worker runs two jobs, with and without 500 open streams of those jobs.

    scripts/bench/streams.py [--seconds 5] [--rounds 3] [--streams 500]

One job is pure Python in a thread of the worker and tells its progress all the time (four times a second is passed on
to each of its listeners), the other holds the interpreter's lock in a child process. Also: what a stream costs in
memory, and how late its listeners hear of an event.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import psutil
from health import RATE, show
from load import Load, http_request, run
from service import KEY, Service, service

WORKERS = 2
CLIENTS = 5


class Audience:
    """Many open streams, read by one thread. `late` holds the seconds between an event and its arrival here."""

    def __init__(self, port: int) -> None:
        self.late: list[float] = []
        self.ended = 0
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._open: list[socket.socket] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def gather(self, job_ids: list[UUID], number: int) -> None:
        """Open that many streams; a worker that has no room says so, and the next connection may meet the other."""
        self._thread.start()
        while len(self._open) < number:
            path = f"/api/v1/jobs/{job_ids[len(self._open) % len(job_ids)]}/events"
            connection = socket.create_connection(("127.0.0.1", self._port))
            connection.sendall(http_request("GET", path, headers={"Authorization": f"Bearer {KEY}"}))
            if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                self._open.append(connection)
                self._selector.register(connection, selectors.EVENT_READ)
            else:
                connection.close()

    def leave(self) -> None:
        """Close all."""
        self._stop.set()
        self._thread.join()
        for connection in self._open:
            connection.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.1):
                data = key.fileobj.recv(65536)  # type: ignore[union-attr]
                if not data:
                    self._selector.unregister(key.fileobj)
                    self.ended += 1
                elif b"event: progress" in data:
                    self._note(data)

    def _note(self, data: bytes) -> None:
        told = data[data.rindex(b"data: ") + 6 :].partition(b"\n")[0]
        if b'"created_at"' in told:
            at = datetime.fromisoformat(json.loads(told)["created_at"]).timestamp()
            self.late.append(time.time() - at)


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
                before, audience = memory(place), Audience(place.port)
                audience.gather(jobs, asked.streams)
                audience.late.clear()
                together.append(health(place, asked.seconds))
                per_stream.append((memory(place) - before) / asked.streams * 1024)
                audience.leave()
            assert audience.ended == 0, "the streams were open all the time"
            late += audience.late
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
