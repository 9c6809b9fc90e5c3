#!/usr/bin/env python3
"""Serving models beside LitServe, MLServer, BentoML and bare ONNX Runtime, in one run on one machine.

    scripts/bench/serving.py [--seconds 3] [--rounds 1] [--only thetool] [--peers FOLDER]

Each serves with two workers and one core for a run: a small model of a table's rows in JSON (no two requests alike, so
that no cache helps), and one of MobileNet's size whose picture comes in bytes; with 1, 16 and 64 clients. The peers are
installed into virtual environments under `--peers`, once. "CPU ms each" is the processor time of a server's processes
for an answer: less noisy than a rate where the clients share the processors.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
from load import Load, http_request, run
from models import asking, bare, graphs
from models.peers import known_peers
from service import Service, service

CLIENTS = (1, 16, 64)
CORES = 2
MODELS = ("tabular", "mobilenet")


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", choices=["thetool", "peers"])
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache/thetool-bench/serving", metavar="FOLDER")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        graphs.write(Path(folder))
        files = {name: Path(folder) / f"{name}.onnx" for name in MODELS}
        compare(files, asked)
        if asked.only != "peers":
            aims(files, asked.seconds)


def compare(files: dict[str, Path], asked: argparse.Namespace) -> None:
    """All servers with both models and each number of clients; medians of the rounds."""
    found: dict[tuple[str, str, int], list[tuple[Load, float]]] = {}
    for _ in range(asked.rounds):
        for name, file in files.items():
            servers: list[tuple[str, Callable[[], Any]]] = []
            if asked.only != "peers":
                servers.append(("TheTool", lambda name=name, file=file: thetool(name, file)))
            if asked.only != "thetool":
                servers += [
                    (peer.name, lambda peer=peer, file=file: peer.serving(file, asked.peers)) for peer in known_peers()
                ]
            for server, serving in servers:
                try:
                    with serving() as (port, following):
                        for clients in CLIENTS:
                            began, cpu = time.perf_counter(), cpu_seconds()
                            load = run(port, following, clients=clients, seconds=asked.seconds)
                            load.seconds = time.perf_counter() - began  # the last answers come later
                            cost = (cpu_seconds() - cpu) * 1000 / max(1, len(load.latencies))
                            found.setdefault((server, name, clients), []).append((load, cost))
                            print(f"{server} {name} {clients}: {load}", file=sys.stderr)
                except RuntimeError as error:
                    print(f"{server} {name}: {error}", file=sys.stderr)
    bares = {
        "tabular": bare.throughput(files["tabular"], asking.rows_array(), threads=CORES, seconds=asked.seconds),
        "mobilenet": bare.throughput(files["mobilenet"], asking.image(), threads=CORES, seconds=asked.seconds),
    }
    print("| server | model | clients | predictions/s | p50 ms | p95 ms | p99 ms | CPU ms each | not answered |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for (server, name, clients), rounds in found.items():
        loads, cost = [load for load, _ in rounds], statistics.median(each for _, each in rounds)
        rate = statistics.median(load.rate for load in loads)
        times = [statistics.median(load.percentile(share) for load in loads) for share in (0.5, 0.95, 0.99)]
        wrong = sum(number for load in loads for status, number in load.statuses.items() if status >= 300)
        cells = " | ".join(f"{one:.2f}" for one in times)
        print(f"| {server} | {name} | {clients} | {rate:,.0f} | {cells} | {cost:.2f} | {wrong} |")
    for name, rate in bares.items():
        print(f"| bare ONNX Runtime | {name} | {CORES} threads | {rate:,.0f} | | | | {CORES * 1000 / rate:.2f} | |")


@contextmanager
def thetool(name: str, file: Path) -> Iterator[tuple[int, Callable[[], bytes]]]:
    """TheTool serves the model; gives its port and its next request."""
    with service(RATE_LIMIT_ENABLED="false", WEB_CONCURRENCY="2") as running:
        model_id = add(running, name, file.read_bytes())
        if name == "tabular":
            bodies = asking.as_json(lambda row: {"input_data": {"x": row}, "skip_cache": True})
            following = asking.requests(f"/api/v1/models/{model_id}/predict", bodies, running.headers)
        else:
            body, headers = asking.kserve_image()
            request = http_request(
                "POST", f"/v2/models/{name}/infer", body=body, headers={**running.headers, **headers}
            )
            following = lambda: request  # noqa: E731
        run(running.port, following, clients=16, seconds=1)
        yield running.port, following


def add(running: Service, name: str, data: bytes, version: str = "1.0.0") -> str:
    """Make a model, send its file, validate it; gives its id."""
    model = ask(running, "POST", "/api/v1/models", json.dumps({"name": name, "version": version}).encode())
    path = f"/api/v1/models/{model['id']}/upload?validate=true&wait=60"
    done = ask(running, "POST", path, data, **{"Content-Type": "application/octet-stream"})
    assert done["validation"]["valid"], done
    return str(model["id"])


def ask(running: Service, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
    """One request; the JSON of its answer."""
    request = Request(f"http://127.0.0.1:{running.port}{path}", body, running.headers | headers, method=method)
    with urlopen(request, timeout=120) as answer:
        return json.load(answer)


def aims(files: dict[str, Path], seconds: float) -> None:
    """What was aimed at for one service alone."""
    small = files["tabular"].read_bytes()
    print("\n| aim | measured |\n| --- | --- |")
    with service(RATE_LIMIT_ENABLED="false", WEB_CONCURRENCY="2") as running:
        at_rest = workers_memory(running)
        model_id = add(running, "aims", small)
        path = f"/api/v1/models/{model_id}/predict"
        row = json.dumps({"input_data": {"x": asking.rows()[:1]}}).encode()
        began = time.perf_counter()
        ask(running, "POST", path, row)
        print(f"| first request after upload ≤ 100 ms | {(time.perf_counter() - began) * 1000:.0f} ms |")
        uncached = asking.as_json(lambda row: {"input_data": {"x": row}, "skip_cache": True})
        load = run(running.port, asking.requests(path, uncached, running.headers), clients=1, seconds=seconds)
        print(f"| warm predict, 1 client: p50 ≤ 3 ms | {load.percentile(0.5):.2f} ms |")
        once = http_request("POST", path, body=row, headers=running.headers)
        run(running.port, lambda: once, clients=4, seconds=0.5)
        load = run(running.port, lambda: once, clients=1, seconds=seconds)
        print(f"| cache hit, 1 client: p50 ≤ 2 ms | {load.percentile(0.5):.2f} ms |")
        many = json.dumps({"instances": (asking.rows() * 2)[:1000], "skip_cache": True}).encode()
        thousand = http_request("POST", path, body=many, headers=running.headers)
        load = run(running.port, lambda: thousand, clients=1, seconds=seconds)
        print(f"| 1,000 instances in a request: ≥ 50,000 predictions/s | {load.rate * 1000:,.0f}/s |")
        print(f"| a worker at rest ≤ 150 MB | {', '.join(f'{one / 1e6:.0f} MB' for one in at_rest)} |")
    budget = 128 * 2**20
    image = files["mobilenet"].read_bytes()
    with service(RATE_LIMIT_ENABLED="false", WEB_CONCURRENCY="1", MODEL_CACHE_BYTES=str(budget)) as running:
        ids = []
        for number in range(50):
            own = b"\x32\x02%02d" % number  # a doc string, so that no two files are alike
            ids.append(add(running, "many", image + own, f"1.{number}.0"))
        body, headers = asking.npy_image()
        most = 0
        for model_id in ids * 2:
            ask(running, "POST", f"/api/v1/models/{model_id}/predict?skip_cache=true", body, **headers)
            most = max(most, *workers_memory(running))
        models = ask(running, "GET", "/health/detailed")["services"]["models"]
        told = (
            f"{models['loaded']} loaded, {models['loaded_bytes'] / 2**20:.0f} MiB; the worker has {most / 1e6:.0f} MB"
        )
        print(f"| 50 models of {len(image) / 1e6:.0f} MB in turn, twice, within 128 MiB | {told} at most |")


def cpu_seconds() -> float:
    """Processor time that the processes that were started here, and theirs, have taken."""
    taken = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            taken += sum(child.cpu_times()[:2])
    return taken


def workers_memory(running: Service) -> list[int]:
    """Resident bytes of each worker."""
    command = psutil.Process(running.process.pid).cmdline()
    children = psutil.Process(running.process.pid).children()
    return [child.memory_info().rss for child in children if child.cmdline() == command]


if __name__ == "__main__":
    main()
