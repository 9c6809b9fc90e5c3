"""A real Redis on a socket of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def redis_server(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address and its process; skips the test where there is no Redis, and fails it where one is promised."""
    program = shutil.which("redis-server")
    if program is None:
        reason = "needs Debian's redis-server; as root: apt-get install redis-server"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    path = folder / "socket"
    server = subprocess.Popen([program, "--port", "0", "--unixsocket", path, "--save", "", "--dir", folder])
    try:
        deadline = time.monotonic() + 20
        while not _answers(path):
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.02)
        yield f"unix://{path}", server
    finally:
        server.terminate()
        server.wait(10)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0
