#!/usr/bin/env python3
"""What vacuum is worth under load, and what health and cleanup cost beside a million finished jobs.

scripts/bench/housekeeping.py vacuum [--seconds 25]   claims/s in each fifth: without, with, and with a held snapshot
scripts/bench/housekeeping.py rows [--rows 1000000]   milliseconds of each look that health takes; jobs/s of cleanup
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psycopg2
import structlog

from thetool.access.records import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.database.embedded import EmbeddedServer
from thetool.database.ids import new_id
from thetool.database.migrate import upgrade
from thetool.jobs import health
from thetool.jobs.claims import Ending, NewJob, Wish
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.schedules import housekeeping
from thetool.jobs.schedules import statistics as figures
from thetool.jobs.schedules.cleanup import cleanup
from thetool.jobs.schedules.registry import Round
from thetool.jobs.schedules.vacuum import dead_rows, vacuum

assert housekeeping
FIFTHS = 5


def produce(url: str, until: float) -> None:
    """Keep a few hundred jobs waiting."""
    queue = Queue(url)
    while time.time() < until:
        if queue.depth(1_000) < 500:
            queue.enqueue_many([_job() for _ in range(100)])
        else:
            time.sleep(0.005)


def consume(url: str, began: float, until: float, counts: object) -> None:
    """Claim and complete, ten at a time."""
    queue, wish, ended = Queue(url), Wish(uuid4(), "cpu", "thread", ("bench.noop",), ("bench.noop",), 10), ()
    while (now := time.time()) < until:
        _, claims = queue.complete_and_claim(ended, wish)
        ended = tuple(Ending(claim, "{}", notify=False) for claim in claims)
        fifth = max(0, min(int((now - began) / (until - began) * FIFTHS), FIFTHS - 1))
        with counts.get_lock():  # type: ignore[attr-defined]
            counts[fifth] += len(claims)  # type: ignore[index]


def clean(url: str, until: float) -> None:
    """What the clock of a worker does."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    settings = Settings(DATABASE_URL=url)
    turn = Round(Queue(url), settings)
    while time.time() < until:
        time.sleep(min(vacuum(turn), max(0.0, until - time.time())))


def hold(url: str, until: float) -> None:
    """A report that somebody forgot to close."""
    with closing(psycopg2.connect(url)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        connection.cursor().execute("select count(*) from jobs")
        time.sleep(max(0.0, until - time.time()))


def _job() -> NewJob:
    return NewJob(new_id(), "bench.noop", "cpu", "thread", "{}", MASTER_OWNER_ID, 60.0, 1)


def run_vacuum(url: str, seconds: float) -> None:
    """Print claims/s in each fifth of the time."""
    print("| | " + " | ".join(f"fifth {n + 1}, claims/s" for n in range(FIFTHS)) + " | dead rows at the end |")
    print("| --- |" + " --- |" * (FIFTHS + 1))
    cases = {
        "before autovacuum looks": (),
        "the same, and ours": (clean,),
        "ours, beside a transaction that is held open": (clean, hold),
    }
    for name, others in cases.items():
        _sql(url, "truncate jobs cascade")
        _sql(url, "vacuum (full) jobs")
        began = time.time() + 1.5
        until = began + seconds
        counts = multiprocessing.Array("l", FIFTHS)
        starts = [(produce, (url, until)), *[(consume, (url, began, until, counts))] * 2]
        starts += [(other, (url, until)) for other in others]
        processes = [multiprocessing.Process(target=target, args=arguments) for target, arguments in starts]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        time.sleep(1.5)
        rates = " | ".join(f"{count / (seconds / FIFTHS):,.0f}" for count in counts)
        with closing(Queue(url)) as queue:
            dead = {table: rows for table, rows, _ in dead_rows(queue)}["jobs"]
        print(f"| {name} | {rates} | {dead:,} |", flush=True)


def run_rows(url: str, count: int) -> None:
    """Print what each look costs, and how fast finished jobs go."""
    settings = Settings(DATABASE_URL=url)
    local.configure(settings)
    _fill(url, count)
    queue = local.queue
    looks: dict[str, Callable[[], object]] = {
        "queues": queue.outlook,
        "rates and durations": lambda: figures.recent(queue),
        "dead rows": lambda: dead_rows(queue),
        "workers": queue.live_workers,
        "the whole probe of the queue": health.queue,
        "cleanup with nothing to do": lambda: cleanup(settings),
    }
    print(f"| beside {count:,} finished and 10,000 waiting jobs | ms, median of 9 |\n| --- | --- |")
    for name, look in looks.items():
        print(f"| {name} | {statistics.median(_milliseconds(look) for _ in range(9)):.1f} |", flush=True)
    for dead in (2_000, 20_000):
        _sql(url, f"update jobs set message = 'x' where id in (select id from jobs limit {dead})")
        took = _milliseconds(
            lambda: _sql(url, "vacuum (skip_locked, index_cleanup on, truncate false, parallel 0) jobs")
        )
        print(f"| VACUUM of jobs with {dead:,} dead rows | {took:.0f} |", flush=True)
    _sql(
        url,
        "update jobs set expires_at = now() where status = 'completed' and id in "
        "(select id from jobs where status = 'completed' limit 100000)",
    )
    began = time.monotonic()
    removed = cleanup(settings).removed["jobs"]
    print(f"| cleanup: finished jobs removed a second | {removed / (time.monotonic() - began):,.0f} |")


def _milliseconds(look: Callable[[], object]) -> float:
    began = time.perf_counter()
    look()
    return 1000 * (time.perf_counter() - began)


def _fill(url: str, count: int) -> None:
    _sql(
        url,
        "insert into jobs (id, kind, queue, status, params, result, timeout_s, owner_id, created_at, started_at, "
        "finished_at, expires_at) "
        "select lpad(to_hex(n), 32, '0')::uuid, 'bench.noop', 'cpu', 'completed', '{}', '{}', 60, "
        f"'{MASTER_OWNER_ID}', now() - interval '1 day', now(), now(), now() + interval '7 days' "
        f"from generate_series(1, {count}) as n",
    )
    with closing(Queue(url)) as queue:
        for _ in range(20):
            queue.enqueue_many([_job() for _ in range(500)])
    for minute in range(5):
        for kind in range(20):
            _sql(
                url,
                "insert into job_statistics (period, begins, kind, completed, seconds, durations) values ('minute', "
                f"date_trunc('minute', now()) - interval '{minute} minutes', 'kind{kind}', 100, 5, "
                "array_fill(3, array[116]))",
            )
    _sql(url, "vacuum analyze jobs")


def _sql(url: str, statement: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        connection.cursor().execute(statement)


@contextmanager
def _server():
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        server = EmbeddedServer(Path(folder))
        url = server.start(max_connections=50)
        try:
            upgrade(Settings(DATABASE_URL=url))
            yield url
        finally:
            server.stop()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["vacuum", "rows"])
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    with _server() as url:
        if arguments.what == "rows":
            run_rows(url, arguments.rows)
        else:
            _sql(url, "alter system set autovacuum = off")  # elsewhere it looks once a minute: later than this ends
            _sql(url, "select pg_reload_conf()")
            run_vacuum(url, arguments.seconds)


if __name__ == "__main__":
    main()
