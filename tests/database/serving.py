"""Servers of the tests' own: start them from other processes, ask them, kill them."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

import psycopg2

from thetool.database.embedded import EmbeddedServer

START = """
    import sys, time, pathlib
    from thetool.database.embedded import EmbeddedServer
    server = EmbeddedServer(pathlib.Path(sys.argv[1]))
    server.start(20)
    print(server.cluster.postmaster().pid, flush=True)
"""
START_AND_STAY = START + "    time.sleep(600)\n"


def ask(server: EmbeddedServer, statement: str) -> Any:
    with contextlib.closing(psycopg2.connect(server.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def pid_of(server: EmbeddedServer) -> int:
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    return postmaster.pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
