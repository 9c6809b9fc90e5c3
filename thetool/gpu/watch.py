"""Watching for a device: a worker takes one when it can use it, and hands it over when it leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from thetool import gpu
from thetool.config import Settings
from thetool.database.connection import DatabaseUnavailable
from thetool.jobs import registry
from thetool.jobs.runner import Runner

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
HAND_OVER_SECONDS = 5.0
HAND_OVER_LOOK_SECONDS = 0.1


class DeviceWatch:
    """Lets a worker's runner take jobs of the queue `gpu` as long as it can do any and has a device."""

    def __init__(
        self,
        settings: Settings,
        runner: Runner,
        *,
        warm: Callable[[Settings], None] = lambda settings: None,
        cool: Callable[[Settings], bool] = lambda settings: True,
    ) -> None:
        """Watch for `runner`.

        Args:
            settings: where the locks are, how many slots the device has.
            runner: the worker's.
            warm: is called once the device is ours, to load ahead what will be needed.
            cool: is called before the device is given back, to leave its memory; False where that cannot be done.
        """
        self._settings = settings
        self._runner = runner
        self._warm = warm
        self._cool = cool
        self._told: frozenset[str] = frozenset()
        self._thread = threading.Thread(target=self._run, name="device-watch", daemon=True)
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin to watch. It ends with the process, and so does the lease."""
        self._thread.start()

    def close(self) -> None:
        """Stop watching, and give the device back. Where its memory cannot be left, that is up to the process's end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if gpu.held() is not None and self._cool(self._settings):
            gpu.give_back()

    def promise(self) -> None:
        """Before this worker drains, as others serve in its place: let submits count on whoever has its device next."""
        if gpu.held() is not None:
            self._runner.promise(self._told)

    def hand_over(self) -> None:
        """Give the device back, and keep what was promised until another worker does."""
        self.close()
        deadline = time.monotonic() + HAND_OVER_SECONDS
        try:
            while time.monotonic() < deadline and not self._told <= self._offered_by_others():
                time.sleep(HAND_OVER_LOOK_SECONDS)
        except DatabaseUnavailable as error:
            log.info("nobody knows who has the device next", error=str(error))
        self._runner.promise(frozenset())

    def _offered_by_others(self) -> set[str]:
        mine = self._runner.worker_id
        others = (each for each in self._runner.queue.live_workers() if each["id"] != mine and not each["draining"])
        return {kind for worker in others for kind in worker["kinds"]}

    def look(self) -> None:
        """See what can be run; take a device for it where one is free; tell the runner what changed.

        Who drains takes none: it would keep it from its own successor.
        """
        able = frozenset(kind.name for kind in registry.kinds() if kind.queue == gpu.QUEUE and self._can_run(kind))
        if gpu.is_lost():
            able, self._runner.wants_replacement = frozenset(), True
        elif able and gpu.held() is None and not self._runner.draining and (device := gpu.take(self._settings)):
            log.info("this worker has a device", device=device.key, title=device.title, kinds=sorted(able))
            self._warm(self._settings)
        if gpu.held() is not None and able != self._told:
            self._runner.serve(gpu.QUEUE, able, self._settings.gpu_slots)
            self._told = able

    def _can_run(self, kind: registry.JobKind) -> bool:
        return kind.able is None or kind.able(self._settings)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = LOOK_SECONDS
            try:
                self.look()
            except Exception:
                log.exception("devices could not be looked at")
