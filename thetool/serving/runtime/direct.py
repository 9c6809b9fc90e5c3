"""Runs in the threads of those who ask: nothing is handed over, and one thread watches over all of them."""

from __future__ import annotations

import threading
import time
from typing import Any

from thetool.serving.runtime.checking import Feeds
from thetool.serving.runtime.sessions import Session

LOOK_SECONDS = 0.5


class DirectRuns:
    """Runs of this process that are in their askers' threads, each stopped when its time is over.

    Registering one is a write to a dictionary: what is run so takes hundredths of a millisecond.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, tuple[float, Any]] = {}  # by thread: until when, and by what it is stopped
        self._some = threading.Event()
        self._watched = False

    def run(self, session: Session, feeds: Feeds, options: Any, *, timeout: float) -> list[Any]:
        """All outputs.

        Raises:
            PredictionFailed, Stopped: as `Session.run` says; stopped is what took longer than `timeout` seconds.
        """
        me = threading.get_ident()
        self._running[me] = time.monotonic() + timeout, options
        if not self._some.is_set():
            self._watch()
        try:
            return session.run(feeds, options)
        finally:
            del self._running[me]

    def _watch(self) -> None:
        with self._lock:
            self._some.set()
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._look, name="predict-watch", daemon=True).start()

    def _look(self) -> None:
        while self._some.wait():
            time.sleep(LOOK_SECONDS)
            now = time.monotonic()
            for ends, options in list(self._running.values()):
                if now > ends:
                    options.terminate = True
            self._some.clear()
            if self._running:  # one that came before `clear` has not set it
                self._some.set()
