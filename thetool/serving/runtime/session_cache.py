"""The loaded models of a process, within a budget of bytes; those used longest ago make room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from thetool.serving.runtime.problems import ModelTooLarge
from thetool.serving.runtime.sessions import Session


class SessionCache:
    """Sessions by the content of their files: two models of one file share a session."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._loading: dict[str, threading.Lock] = {}

    @property
    def bytes(self) -> int:
        """What the sessions take together."""
        with self._lock:
            return sum(session.bytes for session in self._sessions.values())

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
            Whatever `load` raises.
        """
        found = self._find(sha256)
        if found is not None:
            return found
        with self._lock:
            loading = self._loading.setdefault(sha256, threading.Lock())
        try:
            with loading:
                found = self._find(sha256)
                if found is None:
                    self._make_room(size)
                    found = load()
                    self._put(sha256, found)
        finally:
            with self._lock:
                self._loading.pop(sha256, None)
        return found

    def has_room(self, size: int) -> bool:
        """Whether it would fit without another one's going."""
        return self.bytes + size <= self.budget

    def retire(self, session: Session) -> None:
        """Give this session to nobody any more; who uses it goes on."""
        with self._lock:
            for sha256 in [key for key, one in self._sessions.items() if one is session]:
                del self._sessions[sha256]

    def drop(self, sha256: str) -> None:
        """Forget the session of a file that is gone."""
        with self._lock:
            self._sessions.pop(sha256, None)

    def _find(self, sha256: str) -> Session | None:
        with self._lock:
            session = self._sessions.get(sha256)
            if session is not None:
                self._sessions.move_to_end(sha256)
            return session

    def _make_room(self, size: int) -> None:
        if size > self.budget:
            raise ModelTooLarge(f"It takes {size:,} bytes in memory; MODEL_CACHE_BYTES is {self.budget:,}.")
        with self._lock:
            used = sum(session.bytes for session in self._sessions.values())
            while self._sessions and used + size > self.budget:
                used -= self._sessions.popitem(last=False)[1].bytes

    def _put(self, sha256: str, session: Session) -> None:
        self._make_room(session.bytes)
        with self._lock:
            self._sessions[sha256] = session
