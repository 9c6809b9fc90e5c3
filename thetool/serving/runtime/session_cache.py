"""The loaded models of a process, within a budget of bytes; those used longest ago make room."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable

from thetool.serving.runtime.problems import ModelTooLarge, PredictionsBusy
from thetool.serving.runtime.sessions import ROOM_OF_A_SESSION, Session

ROOM_SECONDS = 30.0
"""So long a model that is to be loaded waits for those to end that made room for it."""


class SessionCache:
    """Sessions by the content of their files: two models of one file share a session.

    The budget is of all sessions in memory: of those that are being loaded, and of those that made room and are still
    used by a run. Whoever finds no room waits for these.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._changed = threading.Condition()  # a lock that a session's end, inside of it, may take again
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}
        self._loading_bytes = self._bytes = 0

    @property
    def bytes(self) -> int:
        """What all sessions take together."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._sessions)

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._sessions

    def get(self, sha256: str, size: int, load: Callable[[], Session]) -> Session:
        """The session of this content; loaded by one thread while others of the same content wait for it.

        Args:
            sha256: of the file.
            size: bytes that it will take; room is made before it is loaded.
            load: opens it.

        Raises:
            ModelTooLarge: it would not fit if it were alone.
            PredictionsBusy: others that made room were still used after `ROOM_SECONDS`.
            Whatever `load` raises.
        """
        found = self._find(sha256)
        if found is not None:
            return found
        with self._changed:
            loading = self._loading.setdefault(sha256, threading.Lock())
        try:
            with loading:
                return self._find(sha256) or self._loaded(sha256, max(size, ROOM_OF_A_SESSION), load)
        finally:
            with self._changed:
                self._loading.pop(sha256, None)

    def has_room(self, size: int) -> bool:
        """Whether it would fit without another one's going."""
        return self._bytes + size <= self.budget

    def retire(self, session: Session) -> None:
        """Give this session to nobody any more; who uses it goes on."""
        with self._changed:
            for sha256 in [key for key, one in self._sessions.items() if one is session]:
                del self._sessions[sha256]

    def drop(self, sha256: str) -> None:
        """Forget the session of a file that is gone."""
        with self._changed:
            self._sessions.pop(sha256, None)

    def _find(self, sha256: str) -> Session | None:
        with self._changed:
            session = self._sessions.get(sha256)
            if session is not None:
                self._sessions.move_to_end(sha256)
            return session

    def _loaded(self, sha256: str, size: int, load: Callable[[], Session]) -> Session:
        self._take_room(size)
        try:
            session = load()
            weakref.finalize(session, self._give_back, size).atexit = False
        except BaseException:
            self._give_back(size)
            raise
        finally:
            with self._changed:
                self._loading_bytes -= size
        with self._changed:
            self._sessions[sha256] = session
            self._changed.notify_all()  # it may make room now
        return session

    def _take_room(self, size: int) -> None:
        if size > self.budget:
            raise ModelTooLarge(f"It takes {size:,} bytes in memory; MODEL_CACHE_BYTES is {self.budget:,}.")
        deadline = time.monotonic() + ROOM_SECONDS
        with self._changed:
            while not self._makes_room(size):
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    raise PredictionsBusy(
                        "The memory for models (MODEL_CACHE_BYTES) is in use by others.", headers={"Retry-After": "5"}
                    )
            self._loading_bytes += size
            self._bytes += size

    def _makes_room(self, size: int) -> bool:
        """Let as many go as are needed; whether there is room by now."""
        kept = sum(session.bytes for session in self._sessions.values())
        while self._sessions and kept + self._loading_bytes + size > self.budget:
            kept -= self._sessions.popitem(last=False)[1].bytes
        return self._bytes + size <= self.budget

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._bytes -= size
            self._changed.notify_all()
