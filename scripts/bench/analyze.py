#!/usr/bin/env python3
"""POST /analyze of a short text: uncached at 1 and 16 clients, with topics beside the bare model, and cached.

    scripts/bench/analyze.py [--seconds 5] [--rounds 5]

Prints medians over the rounds.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from load import Load, http_request, run
from service import Service, service

TEXT = "I love this sofa, but the delivery was late and nobody answered the phone. Order number {}."
FAST = "/analyze?tasks=sentiment,language,statistics"
TOPICS = "/analyze?tasks=topics"


def uncached(place: Service, path: str) -> Callable[[], bytes]:
    """Requests that each carry a text never sent before."""
    scenario, numbers, lock = uuid4().hex[:8], itertools.count(), threading.Lock()

    def request() -> bytes:
        with lock:
            number = next(numbers)
        body = json.dumps({"text": TEXT.format(f"{scenario} {number}")}).encode()
        return http_request("POST", path, body=body, headers=place.headers)

    return request


def cached(place: Service) -> Callable[[], bytes]:
    """The same request each time."""
    message = http_request("POST", FAST, body=json.dumps({"text": TEXT.format(0)}).encode(), headers=place.headers)
    return lambda: message


def bare_topics(seconds: float) -> tuple[float, float]:
    """The model alone in one process: p50 in ms with one thread, and texts a second with a thread for each core."""
    from thetool.config import Settings
    from thetool.text.topics import TopicMatcher

    settings = Settings()
    matcher = TopicMatcher.load(settings)
    numbers = itertools.count()
    latencies = []
    stop = time.perf_counter() + seconds
    while time.perf_counter() < stop:
        began = time.perf_counter()
        matcher.match(TEXT.format(next(numbers)))
        latencies.append(time.perf_counter() - began)
    done = [0] * (os.cpu_count() or 1)
    stop = time.perf_counter() + seconds

    def work(slot: int) -> None:
        while time.perf_counter() < stop:
            matcher.match(TEXT.format(next(numbers)))
            done[slot] += 1

    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(len(done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(latencies) * 1000, sum(done) / seconds


def median(loads: list[Load], figure: Callable[[Load], float]) -> float:
    """The median of a figure over rounds."""
    return statistics.median(figure(load) for load in loads)


def row(name: str, loads: list[Load]) -> str:
    """One line of the table; a status that is not 200 is named."""
    bad = sum(count for load in loads for status, count in load.statuses.items() if status != 200)
    rate = median(loads, lambda load: load.rate)
    times = [median(loads, lambda load, share=share: load.percentile(share)) for share in (0.5, 0.95, 0.99)]
    return f"| {name} | {rate:,.0f} | " + " | ".join(f"{ms:.2f}" for ms in times) + f" | {bad} |"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    os.environ.setdefault("WEIGHTS_DIR", str(Path.home() / ".thetool" / "weights"))
    measured: dict[str, list[Load]] = {}
    with service() as place:
        scenarios = {
            "sentiment, language, statistics; 1 client": (uncached(place, FAST), 1),
            "sentiment, language, statistics; 16 clients": (uncached(place, FAST), 16),
            "topics; 1 client": (uncached(place, TOPICS), 1),
            "topics; 16 clients": (uncached(place, TOPICS), 16),
            "cached; 1 client": (cached(place), 1),
            "cached; 16 clients": (cached(place), 16),
        }
        for request, clients in scenarios.values():
            run(place.port, request, clients=clients, seconds=1)
        for _ in range(arguments.rounds):
            for name, (request, clients) in scenarios.items():
                load = run(place.port, request, clients=clients, seconds=arguments.seconds)
                measured.setdefault(name, []).append(load)
    print("| request | answers/s | p50 ms | p95 ms | p99 ms | not 200 |\n| --- | --- | --- | --- | --- | --- |")
    for name, loads in measured.items():
        print(row(name, loads))
    bare = [bare_topics(arguments.seconds) for _ in range(arguments.rounds)]
    p50, rate = (statistics.median(figures) for figures in zip(*bare, strict=True))
    print(f"| bare topics model; 1 thread, then all cores | {rate:,.0f} | {p50:.2f} | | | |")
    one, many = measured["topics; 1 client"], measured["topics; 16 clients"]
    print(f"\ntopics: {median(one, lambda load: load.percentile(0.5)) / p50:.2f} x the bare model's time, ", end="")
    print(f"{median(many, lambda load: load.rate) / rate:.0%} of its throughput")


if __name__ == "__main__":
    main()
