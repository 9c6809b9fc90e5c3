"""Many open streams, in a process of their own: whoever measures beside them must not wait for them."""

from __future__ import annotations

import json
import multiprocessing
import selectors
import socket
import time
from datetime import datetime
from multiprocessing.connection import Connection
from typing import cast
from uuid import UUID

from load import http_request
from service import KEY


class Audience:
    """Listeners of some jobs, on so many connections.

    Args:
        port: of the service.
        job_ids: who is listened to, in turn.
        number: of streams.
    """

    def __init__(self, port: int, job_ids: list[UUID], number: int) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_listen, args=(port, job_ids, number, theirs)
        )
        self._process.start()
        self._pipe.recv()

    def forget(self) -> None:
        """What was heard until now does not count."""
        self._pipe.send("forget")

    def leave(self) -> tuple[list[float], int]:
        """Close all; gives the seconds between each event and its arrival, and how many streams ended by themselves."""
        self._pipe.send("leave")
        heard = cast(tuple[list[float], int], self._pipe.recv())
        self._process.join()
        return heard


def _listen(port: int, job_ids: list[UUID], number: int, pipe: Connection) -> None:
    streams = [_opened(port, job_ids[place % len(job_ids)]) for place in range(number)]
    selector = selectors.DefaultSelector()
    for stream in streams:
        selector.register(stream, selectors.EVENT_READ)
    selector.register(pipe, selectors.EVENT_READ)
    pipe.send("open")
    late: list[float] = []
    ended = 0
    while True:
        for key, _ in selector.select():
            if key.fileobj is pipe:
                if pipe.recv() == "leave":
                    pipe.send((late, ended))
                    return
                late.clear()
                continue
            data = cast(socket.socket, key.fileobj).recv(65536)
            if not data:
                selector.unregister(key.fileobj)
                ended += 1
            elif b"event: progress" in data:
                late += _lateness(data)


def _opened(port: int, job_id: UUID) -> socket.socket:
    """An open stream; a worker that has no room says so, and the next connection may meet the other."""
    while True:
        connection = socket.create_connection(("127.0.0.1", port))
        path = f"/api/v1/jobs/{job_id}/events"
        connection.sendall(http_request("GET", path, headers={"Authorization": f"Bearer {KEY}"}))
        if connection.recv(4096).startswith(b"HTTP/1.1 200"):
            return connection
        connection.close()


def _lateness(data: bytes) -> list[float]:
    told = data[data.rindex(b"data: ") + 6 :].partition(b"\n")[0]
    if b'"created_at"' not in told:
        return []
    return [time.time() - datetime.fromisoformat(json.loads(told)["created_at"]).timestamp()]
