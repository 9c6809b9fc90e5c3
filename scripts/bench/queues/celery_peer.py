"""Celery on Redis: its own worker with one prefork process (two are started), no results, no gossip."""

from __future__ import annotations

import os
import time

from celery import Celery
from roles import paced, play
from ticks import tick

app = Celery("bench", broker=os.environ["BENCH_REDIS"])
app.conf.task_ignore_result = True
app.conf.worker_hijack_root_logger = False


@app.task(name="noop")
def noop(sent: float) -> None:
    tick(sent)


def work() -> None:
    app.worker_main(
        ["worker", "--concurrency=1", "--without-gossip", "--without-mingle", "--loglevel=ERROR", f"-n{os.getpid()}@%h"]
    )


def enqueue(count: int, every: float) -> None:
    noop.delay(0.0)
    paced(every, count, noop.delay)


def load(count: int) -> None:
    for _ in range(count):
        noop.delay(0.0)


if __name__ == "__main__":
    play(setup=time.monotonic, work=work, load=load, enqueue=enqueue)
