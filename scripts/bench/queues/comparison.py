"""The run of all peers, and its table."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg2
from queues import cells
from queues.cells import Sizes
from queues.peers import Peer, known_peers
from service import free_port

from thetool.database.embedded import EmbeddedServer

COLUMNS: dict[str, Callable[[Peer, Sizes], float | list[float]]] = {
    "enqueue/s": cells.enqueue,
    "drain/s": cells.drain,
    "end to end/s": cells.end_to_end,
    "pick-up ms": cells.pick_up,
}
SHARES = ("p50", "p95", "p99")
Results = dict[str, dict[str, list[float]]]


def main() -> None:
    """Measure what the command line asks for."""
    options = _options()
    sizes = Sizes(options.jobs, options.pick_ups, options.batch)
    peers = [peer for peer in known_peers() if not options.only or peer.name.split()[0] in options.only]
    with ExitStack() as stack:
        if any("Redis" in peer.name for peer in peers):
            redis = stack.enter_context(_redis(options.durable_redis))
        postgres = stack.enter_context(_postgres(options.data))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="thetool-bench-")))
        for peer in peers:
            peer.install(options.peers)
            peer.environment = {"BENCH_REDIS": redis} if "Redis" in peer.name else {}
        if options.minutes:
            _show_curve(peers[0], options.minutes, postgres, folder)
            return
        results = _kept(options.keep)
        for round_ in range(options.rounds):
            print(f"round {round_ + 1} of {options.rounds}", file=sys.stderr)
            _measure(results, peers, sizes, postgres, folder)
            if options.keep:
                options.keep.write_text(json.dumps(results))
        print(_table(results, sizes))


def _kept(file: Path | None) -> Results:
    """The rounds of earlier calls, to which this one's are added."""
    return json.loads(file.read_text()) if file and file.exists() else {}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs; the table has their medians")
    parser.add_argument("--jobs", type=int, default=5000, help="jobs of each measurement")
    parser.add_argument("--pick-ups", type=int, default=200, help="jobs whose pick-up is timed")
    parser.add_argument("--batch", type=int, default=50, help="batch size of the raw limit (as large as TheTool's)")
    parser.add_argument("--only", nargs="*", help="names of peers, such as TheTool Huey")
    parser.add_argument("--minutes", type=float, default=0, help="instead: the rate of TheTool's queue over so long")
    parser.add_argument(
        "--durable-redis", action="store_true", help="Redis flushes each write to the disk, as Postgres does"
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="where Postgres has its data, such as /dev/shm")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where rounds are kept: the next call adds its own")
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache/thetool-bench/peers", metavar="FOLDER")
    return parser.parse_args()


def _measure(results: Results, peers: list[Peer], sizes: Sizes, postgres: EmbeddedServer, folder: Path) -> None:
    """One round of everything."""

    def note(name: str, column: str, value: float | list[float]) -> None:
        values = (
            {f"{column} {share}": one for share, one in zip(SHARES, value, strict=True)}
            if isinstance(value, list)
            else {column: value}
        )
        for key, one in values.items():
            results.setdefault(name, {}).setdefault(key, []).append(one)
            print(f"{name:<22} {key:<16} {one:>10,.1f}", file=sys.stderr, flush=True)

    for column, measure in COLUMNS.items():
        for peer in peers:
            with _clean(peer, postgres, folder):
                note(peer.name, column, measure(peer, sizes))
    if peers[0].name == "TheTool":
        with _clean(peers[0], postgres, folder):
            note("raw psycopg2", "drain/s", cells.raw_limit(peers[0], sizes))


@contextmanager
def _clean(peer: Peer, postgres: EmbeddedServer, folder: Path) -> Iterator[None]:
    """A database and a folder for its counts that nobody used before; Redis is emptied."""
    name = f"bench_{time.monotonic_ns()}"
    _run(postgres.dsn, f"create database {name}")
    url = re.sub(r"/\w*(\?|$)", rf"/{name}\1", postgres.dsn, count=1)
    peer.ticks = folder / name
    peer.ticks.mkdir()
    redis = peer.environment.get("BENCH_REDIS")
    peer.environment = {
        "BENCH_DSN": url,
        "DATABASE_URL": url,
        "THETOOL_HOME": str(folder / "home"),
        "JOB_THREADS": "2",
        "MAX_QUEUED_JOBS": "10000000",
        "LOG_LEVEL": "ERROR",
        "ENV_FILE": "/dev/null",
    } | ({"BENCH_REDIS": redis} if redis else {})
    if redis:
        subprocess.run(["redis-cli", "-u", redis, "flushall"], check=True, stdout=subprocess.DEVNULL)
    try:
        peer.ask("setup")
        yield
    finally:
        _run(postgres.dsn, f"drop database {name} with (force)")
        shutil.rmtree(peer.ticks)


def _run(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(statement)
    connection.close()


@contextmanager
def _postgres(place: Path | None) -> Iterator[EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="thetool-bench-", dir=place) as folder:
        server = EmbeddedServer(Path(folder))
        server.start(max_connections=100)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def _redis(durable: bool) -> Iterator[str]:
    program, port = shutil.which("redis-server"), free_port()
    if program is None:
        raise SystemExit(
            "Huey and Celery need Debian's redis-server: apt-get install redis-server (or --only TheTool …)"
        )
    keeping = ["--appendonly", "yes", "--appendfsync", "always"] if durable else ["--appendonly", "no"]
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", *keeping]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait()


def _show_curve(peer: Peer, minutes: float, postgres: EmbeddedServer, folder: Path) -> None:
    with _clean(peer, postgres, folder):
        rates = cells.curve(peer, minutes, lambda line: print(line, flush=True))
    fifth = max(1, len(rates) // 5)
    first, last = statistics.median(rates[:fifth]), statistics.median(rates[-fifth:])
    print(f"median of the first fifth {first:,.0f} jobs/s, of the last {last:,.0f}: {last / first:.2f} of it is left")


def _table(results: Results, sizes: Sizes) -> str:
    """The medians, and how many times better TheTool is: the median of the ratios of each round."""
    rounds = max(len(values) for columns in results.values() for values in columns.values())
    columns = list(dict.fromkeys(column for values in results.values() for column in values))
    lines = [
        f"Medians of {rounds} interleaved runs, {sizes.jobs:,} no-op jobs, {sizes.pick_ups} pick-ups; in brackets how"
        " many times better TheTool is, median of the rounds' ratios.",
        "",
        "| queue | " + " | ".join(columns) + " |",
        "| --- |" + " --- |" * len(columns),
    ]
    ours = results.get("TheTool", {})
    for name, values in results.items():
        lines.append(f"| {name} | " + " | ".join(_cell(column, values, ours, name) for column in columns) + " |")
    if "raw psycopg2" in results and "drain/s" in ours:
        shares = [mine / raw for mine, raw in zip(ours["drain/s"], results["raw psycopg2"]["drain/s"], strict=True)]
        lines += [
            "",
            f"TheTool drains at {statistics.median(shares):.0%} of the raw limit at batches of {sizes.batch}.",
        ]
    return "\n".join(lines)


def _cell(column: str, values: dict[str, list[float]], ours: dict[str, list[float]], name: str) -> str:
    if column not in values:
        return "–"
    middle = statistics.median(values[column])
    text = f"{middle:.1f}" if "ms" in column else f"{middle:,.0f}"
    if name == "TheTool" or column not in ours:
        return text
    pairs = list(zip(ours[column], values[column], strict=True))
    ratios = [theirs / mine if "ms" in column else mine / theirs for mine, theirs in pairs]
    return f"{text} ({statistics.median(ratios):.2f}×)"
