"""Schedules that tests run, and a worker that has them: `python -m tests.jobs.schedules.sample_schedules`."""

from __future__ import annotations

import os
import signal
import threading
import time

from pydantic import BaseModel

from thetool.config import load_settings
from thetool.jobs.context import JobContext
from thetool.jobs.registry import job
from thetool.jobs.runner import Runner
from thetool.jobs.schedules import clock
from thetool.jobs.schedules.registry import Round, Schedule, schedule
from thetool.jobs.schedules.rules import Every
from thetool.telemetry.logs import configure_logging


class Nothing(BaseModel):
    pass


@job("schedules_sample.tick")
def tick(context: JobContext, params: Nothing) -> Nothing:
    """What a tick becomes."""
    return Nothing()


def errand(round: Round) -> None:
    """Says in the database that it ran."""
    with round.connection("errand") as connection, connection.cursor() as cursor:
        cursor.execute("insert into cache_counts (name) values ('errand ' || gen_random_uuid())")


JOBS = Schedule("sample jobs", Every(0.2), kind="schedules_sample.tick")
ERRANDS = Schedule("sample errands", Every(0.2), errand=errand)


def main() -> None:
    if "LD_PRELOAD" in os.environ:  # libfaketime 0.9.10 breaks sleeping by the monotonic clock, which it leaves alone
        time.sleep = lambda seconds: None if threading.Event().wait(seconds) else None
    settings = load_settings()
    configure_logging(settings)
    schedule("sample jobs", every=0.2, kind="schedules_sample.tick")
    schedule("sample errands", every=0.2, errand=errand)
    clock.LOOK_SECONDS = 0.2
    runner = Runner(settings)
    runner.start()
    print(runner.worker_id, flush=True)
    signal.sigwait([signal.SIGTERM])
    runner.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    main()
