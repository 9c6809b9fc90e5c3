"""PgQueuer on asyncpg: PgQueuer.run() with the defaults of its command line (batches of 10), an async entrypoint."""

from __future__ import annotations

import asyncio
import os
import time

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from roles import play
from ticks import tick


async def queries() -> Queries:
    return Queries(AsyncpgDriver(await asyncpg.connect(os.environ["BENCH_DSN"])))


async def setup() -> None:
    await (await queries()).install()


async def work() -> None:
    queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(os.environ["BENCH_DSN"])))

    @queuer.entrypoint("noop")
    async def noop(job: object) -> None:
        tick(float(job.payload))  # type: ignore[attr-defined]

    await queuer.run()


async def load(count: int) -> None:
    target = await queries()
    for begin in range(0, count, 1000):
        size = min(1000, count - begin)
        await target.enqueue(["noop"] * size, [b"0"] * size, [0] * size)


async def enqueue(count: int, every: float) -> None:
    target = await queries()
    await target.enqueue("noop", b"0")
    began = time.monotonic()
    for number in range(count):
        if every:
            await asyncio.sleep(max(0.0, began + number * every - time.monotonic()))
        await target.enqueue("noop", str(time.monotonic()).encode() if every else b"0")
    print(began, time.monotonic(), flush=True)


play(
    setup=lambda: asyncio.run(setup()),
    work=lambda: asyncio.run(work()),
    load=lambda count: asyncio.run(load(count)),
    enqueue=lambda count, every: asyncio.run(enqueue(count, every)),
)
