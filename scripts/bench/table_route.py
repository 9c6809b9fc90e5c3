#!/usr/bin/env python3
"""POST /analyze of a table of 200 rows, end to end: the first one, uncached at 1 and 4 clients, cached; memory, at rest
and while 100 MB come in.

    scripts/bench/table_route.py [--seconds 4] [--rounds 3]

Prints medians over the rounds.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from http.client import HTTPConnection
from uuid import uuid4

import psutil
from load import Load, http_request, run
from service import KEY, Service, service

ROWS = 200
LARGE = 100_000_000
AIM_MS = 60
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "text/csv"}


def table(number: str) -> bytes:
    """A table of 200 rows and 8 columns of all sorts, which no other number gives."""
    by_chance = random.Random(number)
    lines = [f"id,name,email,joined,salary,city,active,{number}"]
    for row in range(ROWS):
        day = date(2020, 1, 1) + timedelta(by_chance.randrange(2_000))
        name = by_chance.choice(("Ann", "Bob", "Cid", "Dora"))
        money, city = by_chance.gauss(3_000, 900), by_chance.choice(("Bonn", "Ulm", "Köln"))
        active = by_chance.choice(("yes", "no", ""))
        lines.append(f"{row:05d},{name},{name.lower()}{row}@example.com,{day},{money:.2f},{city},{active},{row % 7}")
    return "\n".join(lines).encode()


def uncached(place: Service) -> Callable[[], bytes]:
    """Requests that each carry a table never sent before."""
    scenario, numbers, lock = uuid4().hex[:8], itertools.count(), threading.Lock()

    def request() -> bytes:
        with lock:
            number = next(numbers)
        return http_request("POST", "/analyze", body=table(f"{scenario} {number}"), headers=HEADERS)

    return request


def workers(place: Service) -> list[psutil.Process]:
    """The processes that answer."""
    return [one for one in psutil.Process(place.process.pid).children() if "gunicorn" in " ".join(one.cmdline())]


def memory_mb(place: Service) -> list[str]:
    """The resident memory of each worker and, after a +, of its child processes."""
    found = []
    for worker in workers(place):
        children = sum(child.memory_info().rss for child in worker.children(recursive=True))
        found.append(f"{worker.memory_info().rss / 2**20:.0f}+{children / 2**20:.0f}")
    return found


def first_ms(place: Service) -> float:
    """What the first table takes, for which a process is started, in milliseconds."""
    connection = HTTPConnection("127.0.0.1", place.port, timeout=60)
    began = time.perf_counter()
    connection.request("POST", "/analyze", body=table("the first"), headers=HEADERS)
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    return (time.perf_counter() - began) * 1000


def growth_mb(place: Service) -> tuple[float, float]:
    """By how much the worker that takes 100 MB grows meanwhile, and how long its answer of 202 takes."""
    before = {worker.pid: worker.memory_info().rss for worker in workers(place)}
    most = dict(before)
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            for worker in workers(place):
                most[worker.pid] = max(most.get(worker.pid, 0), worker.memory_info().rss)

    watching = threading.Thread(target=look)
    watching.start()
    piece = table(uuid4().hex).split(b"\n", 1)[1] + b"\n"
    connection = HTTPConnection("127.0.0.1", place.port, timeout=300)
    began = time.perf_counter()
    body = itertools.chain([b"id,name,email,joined,salary,city,active,n\n"], [piece] * (LARGE // len(piece)))
    connection.request("POST", "/analyze?wait=0", body=body, headers=HEADERS, encode_chunked=True)
    answer = connection.getresponse()
    took = time.perf_counter() - began
    assert answer.status == 202, answer.read()
    over.set()
    watching.join()
    return max(most[pid] - before.get(pid, 0) for pid in before) / 2**20, took


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    measured: dict[str, list[Load]] = {}
    with service(RATE_LIMIT_ENABLED="false", MAX_REQUESTS="0") as place:
        time.sleep(2)
        print(f"workers at rest (MiB): {memory_mb(place)}")
        request = uncached(place)
        print(f"the first table: {first_ms(place):.0f} ms")
        same = http_request("POST", "/analyze", body=table("the same"), headers=HEADERS)
        scenarios = {
            "200 rows; 1 client": (request, 1),
            "200 rows; 4 clients": (request, 4),
            "cached; 1 client": (lambda: same, 1),
        }
        for ask, clients in scenarios.values():
            run(place.port, ask, clients=clients, seconds=1)
        for _ in range(arguments.rounds):
            for name, (ask, clients) in scenarios.items():
                measured.setdefault(name, []).append(run(place.port, ask, clients=clients, seconds=arguments.seconds))
        print(f"workers after that (MiB): {memory_mb(place)}")
        grown, took = growth_mb(place)
        print(f"100 MB come in: the worker grows by {grown:.0f} MiB; 202 after {took:.1f} s")
    print("| request | answers/s | p50 ms | p95 ms | not 200 |\n| --- | --- | --- | --- | --- |")
    for name, loads in measured.items():
        figures = [statistics.median(load.percentile(share) for load in loads) for share in (0.5, 0.95)]
        bad = sum(count for load in loads for status, count in load.statuses.items() if status != 200)
        rate = statistics.median(load.rate for load in loads)
        print(f"| {name} | {rate:,.0f} | {figures[0]:.1f} | {figures[1]:.1f} | {bad} |")
    one = statistics.median(load.percentile(0.5) for load in measured["200 rows; 1 client"])
    print(f"\naim: p50 of {AIM_MS} ms with 1 client: {one:.1f} ms")


if __name__ == "__main__":
    main()
