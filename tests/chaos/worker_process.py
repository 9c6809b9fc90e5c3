"""A worker without gunicorn and Flask that runs the storm's kinds: `python -m tests.chaos.worker_process`."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

from tests.chaos import kinds
from thetool.config import load_settings
from thetool.jobs.runner import Runner
from thetool.jobs.webhooks import jobs as webhooks
from thetool.telemetry.logs import configure_logging

assert kinds
assert webhooks


def main() -> None:
    settings = load_settings()
    configure_logging(settings)
    runner = Runner(settings)
    runner.start()
    signal.sigwait([signal.SIGTERM])
    runner.drain(1)
    runner.close()
    print(f"ended on {datetime.now(UTC):%Y-%m}", flush=True)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    main()
