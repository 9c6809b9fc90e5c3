#!/usr/bin/env python3
"""POST /analyze of a 1280 x 720 JPEG, end to end, beside the bare models in one process; first photo; memory.

    scripts/bench/photo.py [--seconds 5] [--rounds 3] [--photos 1000]

Each photo is another file, so that the cache never answers. Prints medians over the rounds.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import statistics
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from load import Load, http_request, run
from service import KEY, Service, service

TASKS = ("labels", "objects", "palette", "quality")
PATH = f"/analyze?tasks={','.join(TASKS)}&wait=60"
CLIENTS = 16


def photo() -> bytes:
    """A JPEG of 1280 x 720 with as much detail as a photo of a room has: soft noise of several sizes, and shapes."""
    import numpy as np
    from PIL import Image, ImageDraw

    random = np.random.default_rng(7)
    pixels = np.zeros((720, 1280, 3), np.float32)
    for cells, weight in ((4, 90), (16, 50), (64, 25), (256, 12)):
        small = random.random((max(2, cells * 9 // 16), cells, 3)).astype(np.float32) * 255
        layer = Image.fromarray(small.astype(np.uint8)).resize((1280, 720), Image.Resampling.BICUBIC)
        pixels += np.asarray(layer, np.float32) * weight / 177
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for number in range(40):
        x, y, w, h = (int(value) for value in random.integers((0, 0, 20, 20), (1200, 640, 260, 260)))
        fill = tuple(int(value) for value in random.integers(0, 255, 3))
        (draw.rectangle if number % 2 else draw.ellipse)((x, y, x + w, y + h), fill=fill)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=88)
    return file.getvalue()


def another(jpeg: bytes, number: int) -> bytes:
    """The same photo as another file: with a comment."""
    comment = f"{os.getpid()} {number}".encode()
    return jpeg[:2] + b"\xff\xfe" + struct.pack("!H", len(comment) + 2) + comment + jpeg[2:]


def requests(place: Service, jpeg: bytes) -> Callable[[], bytes]:
    """Requests that each carry a photo never sent before."""
    numbers = itertools.count()
    headers = {**place.headers, "Content-Type": "image/jpeg"}
    return lambda: http_request("POST", PATH, body=another(jpeg, next(numbers)), headers=headers)


def bare(jpeg: bytes, seconds: float) -> tuple[float, float, float]:
    """Decoding and the models alone, in one process.

    p50 in ms of one photo after the other, with the threads that the service gives a model and with one for each core;
    and photos a second with as many at a time as there are cores.
    """
    import numpy as np
    from PIL import Image

    from thetool.config import Settings
    from thetool.vision.analysis import analyze_photo
    from thetool.vision.models import Models
    from thetool.vision.photo import photo_of

    def once(models: Models) -> None:
        with Image.open(io.BytesIO(jpeg)) as image:
            analyze_photo(photo_of(np.asarray(image.convert("RGB"))), models, TASKS, by_name=True)

    def p50(models: Models) -> float:
        once(models)
        latencies, stop = [], time.perf_counter() + seconds / 2
        while time.perf_counter() < stop:
            began = time.perf_counter()
            once(models)
            latencies.append(time.perf_counter() - began)
        return statistics.median(latencies) * 1000

    cores = len(os.sched_getaffinity(0))
    shared = Models(Settings())
    one, one_on_all = p50(shared), p50(Models(Settings(), threads=cores))
    done = [0] * cores
    began = time.perf_counter()

    def work(slot: int) -> None:
        while time.perf_counter() < began + seconds:
            once(shared)
            done[slot] += 1

    threads = [threading.Thread(target=work, args=(slot,)) for slot in range(cores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return one, one_on_all, sum(done) / (time.perf_counter() - began)


def in_a_process(jpeg: bytes, seconds: float) -> tuple[float, ...]:
    """The same in a process of its own, which had nothing else in memory."""
    import subprocess
    import sys

    code = "import sys, photo; print(*photo.bare(sys.stdin.buffer.read(), float(sys.argv[1])))"
    folder = Path(__file__).parent
    path = os.pathsep.join([str(folder), str(folder.parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", code, str(seconds)],
        input=jpeg, capture_output=True, check=True, env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    return tuple(map(float, done.stdout.split()))


def first_photo(jpeg: bytes) -> float:
    """Seconds that the first photo after a cold start takes."""
    with service() as place:
        load = run(place.port, requests(place, jpeg), clients=1, seconds=0.01)
        return load.latencies[0]


def memory_mb(place: Service) -> list[str]:
    """The resident memory of each worker and, after a +, of its child processes."""
    found = []
    for worker in psutil.Process(place.process.pid).children():
        if "gunicorn" in " ".join(worker.cmdline()) and "postgres" not in worker.name():
            children = sum(child.memory_info().rss for child in worker.children(recursive=True))
            found.append(f"{worker.memory_info().rss / 2**20:.0f}+{children / 2**20:.0f}")
    return found


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--photos", type=int, default=0, help="Send so many at last, and look at the memory.")
    arguments = parser.parse_args()
    os.environ.setdefault("WEIGHTS_DIR", str(Path.home() / ".thetool" / "weights"))
    jpeg = photo()
    print(f"a JPEG of 1280 x 720, {len(jpeg):,} bytes; key {KEY[:9]}…")
    alone: list[tuple[float, ...]] = []
    ones: list[Load] = []
    manies: list[Load] = []
    cold = [first_photo(jpeg) for _ in range(arguments.rounds)]
    with service() as place:
        request = requests(place, jpeg)
        run(place.port, request, clients=4, seconds=2)
        for _ in range(arguments.rounds):
            alone.append(in_a_process(jpeg, arguments.seconds))
            ones.append(run(place.port, request, clients=1, seconds=arguments.seconds))
            manies.append(run(place.port, request, clients=CLIENTS, seconds=arguments.seconds))
        print(f"1 client: {ones[-1]}\n{CLIENTS} clients: {manies[-1]}\nworkers (MiB): {memory_mb(place)}")
        sent = sum(len(load.latencies) for load in ones + manies)
        while sent < arguments.photos:
            sent += len(run(place.port, request, clients=CLIENTS, seconds=10).latencies)
            print(f"after {sent:,} photos, workers (MiB): {memory_mb(place)}")
    bare_ms, bare_ms_all, bare_rate = (statistics.median(figures) for figures in zip(*alone, strict=True))
    p50 = statistics.median(load.percentile(0.5) for load in ones)
    rate = statistics.median(load.rate for load in manies)
    print(f"bare: {bare_ms:.1f} ms ({bare_ms_all:.1f} with all cores for one photo), {bare_rate:.1f}/s")
    print(f"1 client: {p50:.1f} ms = {p50 / bare_ms:.2f} x; {CLIENTS} clients: {rate:.1f}/s = {rate / bare_rate:.0%}")
    print(f"first photo: {statistics.median(cold):.2f} s")


if __name__ == "__main__":
    main()
