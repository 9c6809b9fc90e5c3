#!/usr/bin/env python3
"""What a start costs: `import thetool`, the first and the second start until ready, and a worker's memory at rest.

scripts/bench/startup.py [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from service import ROOT, service


def import_seconds(module: str) -> float:
    """How long a fresh interpreter takes to import a module, less the interpreter's own start."""
    times = []
    for code in ("pass", f"import {module}"):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
        times.append(time.perf_counter() - began)
    return times[1] - times[0]


def start_seconds(home: Path) -> tuple[float, list[int]]:
    """Seconds from the command to the first 200 of /health/ready, and the resident bytes of each worker 3 s later."""
    began = time.perf_counter()
    with service(THETOOL_HOME=str(home)) as place:
        seconds = time.perf_counter() - began
        time.sleep(3)
        workers = [child for child in psutil.Process(place.process.pid).children() if "postgres" not in child.name()]
        return seconds, [worker.memory_info().rss for worker in workers]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print("| what | median |\n| --- | --- |")
    for module in ("thetool", "thetool.app", "thetool.cli"):
        seconds = statistics.median(import_seconds(module) for _ in range(arguments.rounds))
        print(f"| import {module} | {seconds:.2f} s |")
    first, second, memory = [], [], []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
            first.append(start_seconds(Path(folder) / "home")[0])
            seconds, workers = start_seconds(Path(folder) / "home")
            second.append(seconds)
            memory += workers
    print(f"| first start until ready, with initdb and migrations | {statistics.median(first):.2f} s |")
    print(f"| second start until ready | {statistics.median(second):.2f} s |")
    print(f"| a worker at rest, resident | {statistics.median(memory) / 2**20:.0f} MiB |")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
