"""The gunicorn worker: it serves HTTP, runs jobs beside it, and leaves without losing either.

gunicorn's threaded worker waits for requests only: at SIGTERM, and at its request limit, it stops serving at once, and
its job threads die with it. This one drains (`docs/decisions/0003-worker-life-cycle.md`):

- SIGTERM: claim nothing new, serve on while jobs end (`GRACEFUL_TIMEOUT`), hand the rest back, end the open requests.
- SIGINT, SIGQUIT: hand everything back now, and leave.
- the master is gone: close the port first, so that the next start gets it, hand everything back, and leave.
- worn out (`MAX_REQUESTS`, `WORKER_MAX_RSS_MB`): serve on, and tell the master, which starts a replacement first.
"""

from __future__ import annotations

import faulthandler
import logging
import mmap
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from types import FrameType
from typing import TYPE_CHECKING, Any

import psutil

from thetool.callers import CallerLimits
from thetool.config import SettingsError, get_settings
from thetool.telemetry.heap import share_arenas

if TYPE_CHECKING:
    from thetool.gpu.watch import DeviceWatch
    from thetool.jobs.runner import Runner

SWITCH_INTERVAL, LOOK_SECONDS = 0.0005, 0.5
STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP})
# How long open requests may take after the jobs ended: of a service that stops, and of a worker that has been replaced.
STOPPING_REQUESTS_SECONDS = 5
REPLACED_REQUESTS_SECONDS = 300
EXIT_SECONDS = 10
HAND_BACK_SECONDS = 5  # for a database that is away


class State(IntEnum):
    """What the master knows of a worker."""

    BOOTING = 0
    READY = 1
    WORN = 2
    """Serves, and asks to be replaced."""
    REPLACED = 3
    """Others serve in its place; set by the master before it sends SIGTERM."""


class Worker(CallerLimits):
    """gunicorn's threaded worker with a job runner and a life cycle of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Made before the fork, so that master and worker see the same byte.
        self._shared = mmap.mmap(-1, 1)
        self.leaving = False
        self.settings = get_settings()
        self.runner: Runner | None = None
        self._devices: DeviceWatch | None = None
        self._leaving_threads: dict[str, threading.Thread] = {}
        self._hand_back_lock = threading.Lock()
        self._handed_back = False
        self._next_look = 0.0

    @property
    def state(self) -> State:
        """Where this worker is in its life; the master reads it from outside."""
        return State(self._shared[0])

    @state.setter
    def state(self, state: State) -> None:
        self._shared[0] = state

    # --- boot

    def init_process(self) -> None:
        """Boot and serve; runs in the worker's process and does not return."""
        # One thread of pure Python at work then costs a request 7 ms at the 99th percentile instead of 73.
        sys.setswitchinterval(SWITCH_INTERVAL)
        share_arenas()
        super().init_process()

    def init_signals(self) -> None:
        """Install the handlers; the master blocked the signals for the fork, when its own were still in place here."""
        super().init_signals()
        # A closed terminal sends HUP to all; the master reloads, and that replaces this worker in good order.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        # The master sends ABRT to a worker that hangs: say where each thread is, even when Python cannot run any more.
        faulthandler.enable()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def load_wsgi(self) -> None:
        """Load the application, and make the runner; it starts with `run()`, when a signal finds it here."""
        try:
            super().load_wsgi()
        except SettingsError as error:
            self.log.error("%s", error)
            sys.exit(3)  # Arbiter.WORKER_BOOT_ERROR
        from thetool.jobs.runner import Runner

        self.runner = Runner(self.settings)

    def run(self) -> None:
        """Serve until told to leave; ends the process."""
        from thetool.analyze.warming import warm_later
        from thetool.gpu.watch import DeviceWatch
        from thetool.restyle.warming import cool, warm
        from thetool.serving.state import listen

        status = 0
        self.limit_silence()
        try:
            if self.runner is not None:
                self.runner.start()
                self._devices = DeviceWatch(self.settings, self.runner, warm=warm, cool=cool)
                self._devices.start()
            self.state = State.READY
            warm_later()
            listen()
            super().run()
        except Exception:
            self.log.exception("The worker's main loop failed")
            status = 1
        self._exit(status)

    def _exit(self, status: int) -> None:
        """End the process, not by Python's finalisation: it waits for request threads and crashes under job threads."""
        deadline = threading.Timer(EXIT_SECONDS, os._exit, (status,))
        deadline.daemon = True
        deadline.start()
        self._hand_back()
        try:
            if self.runner is not None:
                from thetool.serving.state import write_rest

                write_rest()
                self.runner.close()
        except Exception:
            self.log.exception("The runner could not be closed")
        self.log.info("Worker exiting (pid: %s)", self.pid)
        logging.shutdown()
        os._exit(status)

    # --- signals

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM."""
        self._act_on_signal(self._begin_drain)

    def handle_quit(self, sig: int, frame: FrameType | None) -> None:
        """SIGQUIT, SIGINT."""
        self._act_on_signal(self._begin_quit)

    def _act_on_signal(self, action: Callable[[], None]) -> None:
        """Queue the action for the main loop: the handler may have interrupted this very thread inside a lock."""
        if self.runner is None:
            os._exit(0)  # nothing is served and nothing claimed yet
        if self.alive:
            self.method_queue.defer(action)
        elif action == self._begin_quit:
            os._exit(0)  # its jobs are handed back; only open requests are left

    def _begin_drain(self) -> None:
        self._once("drain", self._finish_jobs)

    def _begin_quit(self) -> None:
        self._once("quit", lambda: self._exit(0))

    def _once(self, name: str, action: Callable[[], None]) -> None:
        """Run the action on a thread of its own, unless that has been done: a signal often comes twice."""
        if name not in self._leaving_threads:
            self._leaving_threads[name] = threading.Thread(target=action, name=name, daemon=True)
            self._leaving_threads[name].start()

    # --- leaving

    def _finish_jobs(self) -> None:
        """Let jobs end while the main loop serves on, hand back the rest, then make the main loop end."""
        replaced = self.state is State.REPLACED
        try:
            if self._devices is not None and replaced:
                self._devices.promise()
            if self.runner is not None:
                self.runner.drain(self.settings.graceful_timeout)
        except Exception:
            self.log.exception("The jobs could not be drained; others take them over when their leases expire")
        self._hand_back()
        if replaced:
            self._hand_over_device()
            self._stop_serving(REPLACED_REQUESTS_SECONDS)
            return
        if self.runner is not None:
            self.runner.dismiss_waiters()
        self._stop_serving(STOPPING_REQUESTS_SECONDS)

    def _hand_over_device(self) -> None:
        """Let the successor have the device now: open requests may keep this worker for minutes."""
        try:
            if self._devices is not None:
                self._devices.hand_over()
        except Exception:
            self.log.exception("The device could not be handed over; it is free when this worker has left")

    def _hand_back(self) -> None:
        """Give the jobs that still run back to the queue, with no attempt used; a second call waits for the first."""
        with self._hand_back_lock:
            if self.runner is None or self._handed_back:
                return
            try:
                self.runner.hand_back(HAND_BACK_SECONDS)
                self._handed_back = True
            except Exception:
                self.log.exception("The jobs could not be handed back; others take them over when their leases expire")

    def _stop_serving(self, open_requests_seconds: int) -> None:
        # gunicorn's loop reads this once, when `alive` is gone; the configuration is this process's own copy.
        self.cfg.set("graceful_timeout", open_requests_seconds)
        self.alive = False
        self.method_queue.defer(lambda: None)
        if self.runner is not None:
            self.runner.dismiss_streams()  # now that whoever comes back is served by others

    def is_parent_alive(self) -> bool:
        """Whether the master lives; where it does not, begin to leave."""
        if super().is_parent_alive():
            return True
        self._once("hand back", self._hand_back)
        self._stop_serving(STOPPING_REQUESTS_SECONDS)
        return False

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept connections or not; when leaving, take those that have already been made, then close the port.

        Left in the backlog they would be reset when the last worker closes it.
        """
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            for _ in range(self.cfg.backlog):
                before = self.nr_conns
                self.accept(listener)
                if self.nr_conns == before:
                    break
            listener.close()

    # --- the main loop's round

    def notify(self) -> None:
        """Tell the master that the main loop turns; gunicorn calls it at each turn, thousands of times a second."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        super().notify()
        self.drop_slow_heads(now)
        if self.state is State.READY and (reason := self._why_worn_out()):
            self.log.info("Asking to be replaced: %s", reason)
            self.state = State.WORN

    def _why_worn_out(self) -> str | None:
        from thetool import gpu

        settings = self.settings
        if self.runner is not None and self.runner.wants_replacement:
            return "the thread of a job did not stop, or its device is lost"
        if gpu.held() is not None:  # to load its models again takes longer than any leak costs
            return None
        models = _models_bytes()
        if settings.max_requests and self.nr >= settings.max_requests and not models:
            return f"{self.nr} requests served"
        if settings.worker_max_rss_mb:
            used = (psutil.Process().memory_info().rss - models) // 2**20
            if used > settings.worker_max_rss_mb:
                return f"{used} MiB of memory in use"
        return None


def _models_bytes() -> int:
    """What models of callers take here, which have a limit of their own (`MODEL_CACHE_BYTES`).

    A worker that has some is recycled by the rest of its memory, not by its requests: another would load them anew.
    """
    from thetool.serving.state import loaded_bytes

    return loaded_bytes()
