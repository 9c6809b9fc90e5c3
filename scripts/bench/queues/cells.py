"""What is measured of a queue, one number or three at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from queues.peers import WORKERS, Peer

PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Sizes:
    """How many jobs each measurement has."""

    jobs: int
    pick_ups: int
    batch: int


def enqueue(peer: Peer, sizes: Sizes) -> float:
    """Jobs a second that one client enqueues, one a call; nobody works."""
    began, ended = map(float, peer.ask("enqueue", str(sizes.jobs), "0").split())
    return sizes.jobs / (ended - began)


def drain(peer: Peer, sizes: Sizes) -> float:
    """Jobs a second that warm workers start, from a queue that was filled while they were stopped."""
    began = 0.0

    def let_go() -> None:
        nonlocal began
        began = time.monotonic()
        _signal(groups, signal.SIGCONT)

    with peer.workers() as groups:
        _signal(groups, signal.SIGSTOP)
        peer.ask("load", str(sizes.jobs))
        return sizes.jobs / (peer.settle(let_go, sizes.jobs) - began)


def end_to_end(peer: Peer, sizes: Sizes) -> float:
    """Jobs a second from the first enqueue to the start of the last job: one client, warm workers, all at once."""
    said = ""

    def act() -> None:
        nonlocal said
        said = peer.ask("enqueue", str(sizes.jobs), "0")

    with peer.workers():
        last = peer.settle(act, sizes.jobs)
        return sizes.jobs / (last - float(said.split()[0]))


def pick_up(peer: Peer, sizes: Sizes) -> list[float]:
    """Milliseconds from the call of enqueue to the start of the job, 20 a second, idle workers: p50, p95, p99."""
    with peer.workers():
        peer.settle(lambda: peer.ask("enqueue", str(sizes.pick_ups), str(PAUSE_SECONDS)), sizes.pick_ups)
        seconds = sorted(peer.latencies())
        return [1000 * seconds[min(len(seconds) - 1, int(share * len(seconds)))] for share in (0.5, 0.95, 0.99)]


def raw_limit(peer: Peer, sizes: Sizes) -> float:
    """Jobs a second that bare psycopg2 claims and completes in TheTool's table: as many processes, in batches."""
    peer.ask("load", str(sizes.jobs))
    script = [sys.executable, str(Path(__file__).with_name("raw_limit.py")), str(sizes.batch)]
    environment = {"PATH": os.environ["PATH"], "BENCH_DSN": peer.environment["DATABASE_URL"]}
    clients = [
        subprocess.Popen(script, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(WORKERS)
    ]
    for client in clients:
        assert client.stdout
        client.stdout.readline()
    began = time.monotonic()
    for client in clients:
        assert client.stdin
        client.stdin.write(b"go\n")
        client.stdin.flush()
    done = sum(int(client.communicate()[0]) for client in clients)
    return done / (time.monotonic() - began)


def curve(peer: Peer, minutes: float, say: Callable[[str], None]) -> list[float]:
    """Jobs a second in each ten seconds at full speed, with a queue that is kept filled and the usual housekeeping."""
    rates: list[float] = []
    with peer.workers(), peer.feeding(60 * minutes):
        stop = time.monotonic() + 60 * minutes
        while (began := time.monotonic()) < stop:
            before = peer.ran()
            time.sleep(min(10.0, stop - began))
            rates.append((peer.ran() - before) / (time.monotonic() - began))
            say(f"{10 * len(rates):>4} s  {rates[-1]:>8,.0f} jobs/s")
    return rates


def _signal(groups: list[int], what: int) -> None:
    for group in groups:
        os.killpg(group, what)
