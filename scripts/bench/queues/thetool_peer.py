"""TheTool's queue as a peer: a Runner without Flask works, `submit` enqueues."""

from __future__ import annotations

import os
import signal
import sys
import time

from pydantic import BaseModel
from roles import paced, play
from ticks import tick

from thetool.access.ids import MASTER_OWNER_ID
from thetool.config import load_settings
from thetool.database.ids import new_id
from thetool.database.migrate import upgrade
from thetool.jobs.claims import NewJob
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.telemetry.logs import configure_logging

FEED = 6000
settings = load_settings()
local.configure(settings)


class Sent(BaseModel):
    sent: float = 0


class Nothing(BaseModel):
    pass


@job("bench.noop")
def noop(context: JobContext, params: Sent) -> Nothing:
    """Nothing at all."""
    tick(params.sent)
    return Nothing()


def work() -> None:
    configure_logging(settings)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    runner = Runner(settings)
    runner.start()
    signal.sigwait([signal.SIGTERM])
    runner.close()


def load(count: int) -> None:
    for begin in range(0, count, 1000):
        local.queue.enqueue_many(
            [
                NewJob(new_id(), "bench.noop", "cpu", "thread", "{}", MASTER_OWNER_ID, 300.0, 3)
                for _ in range(min(1000, count - begin))
            ]
        )


def feed(seconds: float) -> None:
    """Keep some thousand jobs waiting."""
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        if local.queue.depth(FEED) < FEED:
            load(FEED // 2)
        else:
            time.sleep(0.02)


def enqueue(count: int, every: float) -> None:
    # `submit` refuses what nobody would ever run; where the enqueue alone is measured, somebody must seem to be there.
    about = {"host": "bench", "pid": 0, "version": "", "slots": 0, "running": 0, "draining": False}
    local.queue.heartbeat(new_id(), kinds=["bench.noop"], **about)
    submit("bench.noop", Sent(), owner_id=MASTER_OWNER_ID)
    paced(every, count, lambda when: submit("bench.noop", Sent(sent=when), owner_id=MASTER_OWNER_ID))


if __name__ == "__main__":
    os.environ.setdefault("ENV_FILE", os.devnull)
    if sys.argv[1] == "feed":
        feed(float(sys.argv[2]))
    else:
        play(setup=lambda: upgrade(settings), work=work, load=load, enqueue=enqueue)
