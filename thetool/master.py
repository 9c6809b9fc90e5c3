"""The gunicorn master: how workers are replaced.

gunicorn's own master stops a worker first and starts another after it. Here the replacement serves first: of all at a
reload (HUP), of one at a time when it is worn out. See `docs/decisions/0003-worker-life-cycle.md`.
"""

from __future__ import annotations

import signal
import time

from gunicorn import util
from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

from thetool import start
from thetool.config import SettingsError, get_settings, load_settings
from thetool.worker import STOP_SIGNALS, State, Worker

QUICK_STOP_SECONDS = 5
BOOT_RETRY_SECONDS = 2
# Under load a limit of 1000 requests is reached every second, and a boot costs more than it saves.
REPLACEMENT_INTERVAL_SECONDS = 30


class Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master with replacement before retirement."""

    # Class attributes are the starting values: an instance is adopted, its __init__ is never run.
    _last_old_age = 0
    _boot_not_before = 0.0
    _replace_not_before = 0.0
    _stopping = False

    @classmethod
    def adopt(cls, server: Arbiter) -> None:
        """Turn the running master into this one.

        `gunicorn wsgi:app` makes its master itself and has no setting for the class; its first hook comes before the
        first worker.
        """
        server.__class__ = cls

    def manage_workers(self) -> None:
        """Start the workers that are missing; retire the others once all that stay are ready."""
        if self._stopping:
            return
        start.watch(time.monotonic())
        staying, outgoing = self._division()
        missing = self.num_workers - len(staying)
        if missing > 0:
            if time.monotonic() >= self._boot_not_before:
                for _ in range(missing):
                    self.spawn_worker()
        elif all(worker.state is not State.BOOTING for worker in staying):
            for worker in outgoing:
                self._retire(worker)

    def _division(self) -> tuple[list[Worker], list[Worker]]:
        """Who is to stay, and who is to go as soon as the former are ready."""
        here = sorted((worker for worker in self.WORKERS.values() if not worker.leaving), key=lambda worker: worker.age)
        outgoing = [worker for worker in here if worker.age <= self._last_old_age]
        staying = [worker for worker in here if worker.age > self._last_old_age]
        if not outgoing and (worn := self._next_to_replace(staying)):
            staying.remove(worn)
            outgoing.append(worn)
        surplus = max(0, len(staying) - self.num_workers)
        return staying[surplus:], outgoing + staying[:surplus]

    def _next_to_replace(self, workers: list[Worker]) -> Worker | None:
        one_leaves = any(worker.leaving for worker in self.WORKERS.values())
        if one_leaves or time.monotonic() < self._replace_not_before:
            return None
        return next((worker for worker in workers if worker.state is State.WORN), None)

    def _retire(self, worker: Worker) -> None:
        if worker.state is State.WORN:
            self._replace_not_before = time.monotonic() + REPLACEMENT_INTERVAL_SECONDS
        worker.leaving = True
        if worker.state is not State.BOOTING:
            worker.state = State.REPLACED
        self.kill_worker(worker.pid, signal.SIGTERM)

    def spawn_worker(self) -> int:
        """Fork a worker; returns its pid (in the worker it does not return).

        Between the fork and its own handlers, a worker has the master's, which would swallow a signal to stop.
        """
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            return int(super().spawn_worker())
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def reap_workers(self) -> None:
        """Collect dead workers. One that cannot boot ends the service if no other serves; else it is tried again."""
        while True:
            try:
                super().reap_workers()
            except HaltServer as failure:
                serving = any(worker.state is not State.BOOTING for worker in self.WORKERS.values())
                if not serving and not self._stopping:
                    raise
                self._boot_not_before = time.monotonic() + BOOT_RETRY_SECONDS
                if not self._stopping:
                    self.log.error("%s The others go on serving; next try in %s s.", failure.reason, BOOT_RETRY_SECONDS)
            else:
                return

    def reload(self) -> None:
        """Read the settings again and replace all workers, without waiting: `manage_workers` goes on with it.

        With settings that cannot be read everything stays as it is.
        """
        old_configuration = self.app.cfg
        try:
            load_settings()
            self.app.reload()
        except (SettingsError, SystemExit) as error:
            self.app.cfg = old_configuration
            self.log.error("Not reloaded, the old settings stay: %s", error)
            return
        if self.app.cfg.address != old_configuration.address:
            self.log.warning(
                "HOST and PORT change only with a new start; listening on %s still", old_configuration.address
            )
        start.warn_about_room(get_settings())
        self._stats["reloads"] += 1
        self.setup(self.app)
        self.log.reopen_files()
        self.cfg.on_reload(self)
        util._setproctitle(f"master [{self.proc_name}]")
        self._last_old_age = self.worker_age
        self._boot_not_before = 0.0
        for worker in list(self.WORKERS.values()):
            if worker.state is State.BOOTING and not worker.leaving:
                self._retire(worker)  # of a reload that this one overtakes
        self.manage_workers()

    def handle_usr2(self) -> None:
        """Refuse gunicorn's upgrade in place."""
        self.log.warning(
            "USR2 is refused: a second master beside this one would share its embedded Postgres and its port. "
            "For new settings send HUP, for new code start TheTool again."
        )

    def stop(self, graceful: bool = True) -> None:
        """Stop all workers: let them drain, or have them hand everything back at once."""
        self._stopping = True
        if not graceful:
            self.cfg.set("graceful_timeout", QUICK_STOP_SECONDS)
        super().stop(graceful)
