"""A child's way to its parent: one frame at a time, and nothing from processes that it forks."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import orjson

from thetool.jobs import frames


class Outlet:
    """Sends frames from any thread of the child.

    In a process that the child forks it is shut: two writers would garble the stream.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._lock = threading.Lock()
        self.shut = False
        os.register_at_fork(before=self._lock.acquire, after_in_parent=self._lock.release, after_in_child=self._close)

    def send(self, letter: bytes, payload: bytes = b"") -> None:
        """Send one frame."""
        with self._lock:
            if not self.shut:
                frames.send(self._sock, letter, payload)

    def send_json(self, letter: bytes, value: Any) -> None:
        """Send one frame of JSON."""
        self.send(letter, orjson.dumps(value))

    def _close(self) -> None:
        self.shut = True
        self._sock.close()
        self._lock.release()
