"""What a job in a child process costs: our children, pebble's pool, gunicorn's dirty workers.

    python scripts/bench/children.py        (pebble is compared where it is installed: pip install pebble)

Start: from nothing to the first answer. Round trip: one more job that does nothing. Stop: from the decision to cancel a
job that works to the moment when its process is gone. Medians of 5 starts and stops and of 300 round trips.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

STARTS, TRIPS = 5, 300


def timed(act: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def ours() -> tuple[float, float, float]:
    """Our own children. Imported here, because a spawned process of pebble's imports this module again."""
    import bench_jobs

    from thetool.jobs.claims import Claim
    from thetool.jobs.registry import get_kind
    from thetool.jobs.spawn import Child

    kind = get_kind("bench.process")

    def claim(seconds: float) -> Claim:
        now = datetime.now(UTC)
        params = bench_jobs.Busy(seconds=seconds).model_dump_json()
        return Claim(uuid4(), kind.name, params, uuid4(), None, 1, 1, 60, uuid4(), now, now)

    def run_in(child: Child) -> None:
        child.wait_until_ready(lambda: None)
        child.give(kind, claim(0))
        while (frame := child.frame()) is None:
            readable, _, _ = select.select(child.streams, [], [], 1)
            child.read(readable)
        assert frame[0] == b"D", frame

    starts, stops = [], []
    for _ in range(STARTS):
        began = time.perf_counter()
        child = Child()
        run_in(child)
        starts.append((time.perf_counter() - began) * 1000)
        child.give(kind, claim(60))
        time.sleep(0.2)
        stops.append(timed(child.kill))
    child = Child()
    run_in(child)
    trips = [timed(lambda: run_in(child)) for _ in range(TRIPS)]
    child.kill()
    return statistics.median(starts), statistics.median(trips), statistics.median(stops)


def pebble() -> tuple[float, float, float]:
    """A pool of one spawned process."""
    import multiprocessing

    from pebble import ProcessPool

    starts, stops = [], []
    for _ in range(STARTS):
        began = time.perf_counter()
        pool = ProcessPool(max_workers=1, context=multiprocessing.get_context("spawn"))
        pool.schedule(nothing).result()
        starts.append((time.perf_counter() - began) * 1000)
        pid = pool.schedule(os.getpid).result()
        busy = pool.schedule(time.sleep, args=[60])
        time.sleep(0.2)
        began = time.perf_counter()
        busy.cancel()
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.001)
        stops.append((time.perf_counter() - began) * 1000)
        pool.stop()
        pool.join()
    pool = ProcessPool(max_workers=1, context=multiprocessing.get_context("spawn"))
    pool.schedule(nothing).result()
    trips = [timed(lambda: pool.schedule(nothing).result()) for _ in range(TRIPS)]
    pool.stop()
    pool.join()
    return statistics.median(starts), statistics.median(trips), statistics.median(stops)


def nothing() -> None:
    """The job that does nothing."""


DIRTY_APP = f"""
import json, time
from gunicorn.dirty import DirtyApp, get_dirty_client

class Nothing(DirtyApp):
    def nothing(self): return 0

def app(environ, start_response):
    client, times = get_dirty_client(), []
    for _ in range({TRIPS}):
        began = time.perf_counter()
        client.execute("dirty_app:Nothing", "nothing")
        times.append((time.perf_counter() - began) * 1000)
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(times).encode()]
"""


def dirty() -> float:
    """gunicorn's dirty workers: the round trip; they start with gunicorn, and one job cannot be stopped."""
    from service import free_port

    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "dirty_app.py").write_text(DIRTY_APP)
        options = [
            f"--bind=127.0.0.1:{port}",
            "--dirty-app=dirty_app:Nothing",
            "--dirty-workers=1",
            "--worker-class=gthread",
        ]
        command = [sys.executable, "-m", "gunicorn", "-c", os.devnull, *options, "dirty_app:app"]
        gunicorn = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                        return statistics.median(json.load(answer))
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.1)
        finally:
            gunicorn.terminate()
            gunicorn.wait()


def main() -> None:
    """Print the table."""
    print(f"{'':24}{'start':>10}{'round trip':>12}{'stop':>10}   (ms)")
    print(f"{'ours':24}{'{:10.1f}{:12.2f}{:10.1f}'.format(*ours())}")
    if importlib.util.find_spec("pebble"):
        print(f"{'pebble':24}{'{:10.1f}{:12.2f}{:10.1f}'.format(*pebble())}")
    print(f"{'gunicorn dirty workers':24}{'–':>10}{dirty():12.2f}{'–':>10}")


if __name__ == "__main__":
    main()
