"""Huey on Redis: its own consumer with one process (two are started), results off."""

from __future__ import annotations

import os
import time

from huey import RedisHuey
from roles import paced, play
from ticks import tick

huey = RedisHuey("bench", url=os.environ["BENCH_REDIS"], results=False)


@huey.task()
def noop(sent: float) -> None:
    tick(sent)


def work() -> None:
    consumer = huey.create_consumer(workers=1, worker_type="process", periodic=False)
    consumer.run()


def enqueue(count: int, every: float) -> None:
    noop(0.0)
    paced(every, count, noop)


def load(count: int) -> None:
    for _ in range(count):
        noop(0.0)


if __name__ == "__main__":
    play(setup=time.monotonic, work=work, load=load, enqueue=enqueue)
