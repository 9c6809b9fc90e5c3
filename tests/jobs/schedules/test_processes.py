"""Several real processes with a clock each: every tick once, whatever their clocks say."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.jobs.making import rows, until
from thetool.config import Settings

ROOT = Path(__file__).parents[3]
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(settings: Settings) -> Iterator[Start]:
    """Starts a worker with the sample schedules, five ticks a second of each."""
    started: list[subprocess.Popen[str]] = []

    def start(**more: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "ENV_FILE": os.devnull,
            "DATABASE_URL": settings.database_url or "",
            "THETOOL_HOME": str(settings.home),
            "JOB_THREADS": "1",
        }
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.schedules.sample_schedules"],
            env=environment | more,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(worker)
        assert worker.stdout
        assert worker.stdout.readline()
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.wait()
        assert worker.stdout
        worker.stdout.close()


def runs(url: str, name: str = "sample jobs") -> int:
    found = rows(url, "select runs from schedules where name = %s", name)
    return found[0][0] if found else 0


def test_four_processes_run_each_tick_once(start: Start, database: str) -> None:
    workers = [start() for _ in range(4)]
    until(lambda: runs(database) >= 12 and runs(database, "sample errands") >= 12, "twelve ticks")
    for worker in workers:
        worker.terminate()
        assert worker.wait(30) == 0
    [(jobs, ticks)] = rows(
        database, "select count(*), count(distinct dedupe_key) from jobs where kind = 'schedules_sample.tick'"
    )
    [(taken,)] = rows(database, "select runs - skipped from schedules where name = 'sample jobs'")
    assert jobs == ticks == taken
    [(errands,)] = rows(database, "select count(*) from cache_counts where name like 'errand %'")
    begun = runs(database, "sample errands")
    assert begun - len(workers) <= errands <= begun, "a worker that leaves breaks its errand off"
    periods = "select distinct period from job_statistics where kind = 'schedules_sample.tick'"
    assert {period for (period,) in rows(database, periods)} == {"minute", "hour"}


def test_after_a_pause_they_catch_up_once(start: Start, database: str) -> None:
    first = start()
    until(lambda: runs(database) >= 2, "two ticks")
    first.terminate()
    first.wait(30)
    rows(database, "update schedules set next_run_at = now() - interval '2 days'")
    before = runs(database)
    began = time.monotonic()
    start()
    until(lambda: runs(database) > before, "it goes on")
    assert runs(database) - before <= (time.monotonic() - began) / 0.2 + 1, "and not once for each of 864,000 ticks"


@pytest.mark.skipif(FAKETIME is None, reason="needs Debian's faketime")
@pytest.mark.parametrize("jump", ["+40d", "-40d"])
def test_a_clock_that_jumps_changes_nothing(start: Start, database: str, tmp_path: Path, jump: str) -> None:
    """The only worker lives in another month at once: it goes on, and makes neither more ticks nor fewer."""
    offset = tmp_path / "offset"
    offset.write_text("+0d")
    faked = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_CACHE_DURATION": "1"}
    alone = start(**faked, FAKETIME_DONT_FAKE_MONOTONIC="1")
    until(lambda: runs(database) >= 2, "two ticks")
    offset.write_text(jump)
    before = runs(database)
    until(lambda: runs(database) >= before + 4, "it goes on")
    began, before = time.monotonic(), runs(database)
    until(lambda: runs(database) >= before + 3, "and on")
    assert runs(database) - before <= (time.monotonic() - began) / 0.2 + 2
    assert rows(database, "select max(next_run_at) < now() + interval '10 minutes' from schedules") == [(True,)]
    assert alone.poll() is None
