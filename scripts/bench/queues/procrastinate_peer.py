"""Procrastinate: its own worker with a concurrency of 10, an asynchronous task; enqueued through its sync connector."""

from __future__ import annotations

import asyncio
import os

from procrastinate import App, PsycopgConnector
from roles import paced, play
from ticks import tick

app = App(connector=PsycopgConnector(conninfo=os.environ["BENCH_DSN"]))


@app.task(name="noop", queue="default")
async def noop(sent: float) -> None:
    tick(sent)


def setup() -> None:
    with app.open():
        app.schema_manager.apply_schema()


async def work() -> None:
    async with app.open_async():
        await app.run_worker_async(concurrency=10, wait=True)


def load(count: int) -> None:
    with app.open():
        for begin in range(0, count, 1000):
            noop.batch_defer(*({"sent": 0.0} for _ in range(min(1000, count - begin))))


def enqueue(count: int, every: float) -> None:
    with app.open():
        noop.defer(sent=0.0)
        paced(every, count, lambda when: noop.defer(sent=when))


play(setup=setup, work=lambda: asyncio.run(work()), load=load, enqueue=enqueue)
