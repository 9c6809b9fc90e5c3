"""A worker without gunicorn and Flask: `python -m tests.jobs.worker_process`. Runs until it is killed."""

from __future__ import annotations

import signal
import sys

from tests.jobs import sample_jobs
from thetool.config import load_settings
from thetool.jobs.runner import Runner
from thetool.telemetry.logs import configure_logging

assert sample_jobs


def main() -> None:
    settings = load_settings()
    configure_logging(settings)
    runner = Runner(settings)
    runner.start()
    assert "flask" not in sys.modules, "the queue works without Flask"
    print(runner.worker_id, flush=True)
    signal.sigwait([signal.SIGTERM])
    runner.close()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    main()
