"""The part of a worker process that runs jobs."""

from __future__ import annotations

from thetool.config import Settings


class Runner:
    """Claims jobs that this process can run and runs them in threads and child processes.

    `wants_replacement` becomes true when a thread job did not stop in time: its thread lives on, so the process should
    be replaced when its other jobs are done.
    """

    wants_replacement: bool = False

    def __init__(self, settings: Settings) -> None:
        raise NotImplementedError

    def start(self) -> None:
        """Register this worker and begin to claim; `current_runner()` is this one from now on."""

    def stop_claiming(self) -> None:
        """Take no further jobs; those that run go on."""

    def drain(self, seconds: float) -> bool:
        """Stop claiming and wait until no job runs; False when some still run after `seconds`."""
        raise NotImplementedError

    def hand_back(self) -> int:
        """Put the running jobs back into the queue with no attempt used, and stop them; gives how many."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop everything: jobs are handed back, threads and children end, the `workers` row goes. Harmless twice."""

    def busy(self) -> int:
        """How many jobs run here now."""
        raise NotImplementedError


def current_runner() -> Runner | None:
    """The started runner of this process, if it has one."""
    return None
