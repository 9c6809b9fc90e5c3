"""A small closed-loop HTTP load generator: N keep-alive clients over raw sockets, so that it costs the machine little.

Each client sends its next request when the answer to the last has come. Latency is from the first byte sent to the last
byte read. Only for loopback.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Request = Callable[[], bytes]


@dataclass
class Load:
    """What a run measured. Times are in seconds."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that `share` (0 to 1) of the requests stayed under, in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000 if ordered else float("nan")

    def __str__(self) -> str:
        return (
            f"{self.rate:,.0f}/s  p50 {self.percentile(0.5):.2f} ms  p95 {self.percentile(0.95):.2f} ms  "
            f"p99 {self.percentile(0.99):.2f} ms  {dict(self.statuses)}"
        )


def http_request(method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _exchange(connection: socket.socket, request: bytes) -> tuple[int, bool]:
    """Send one request and read its answer. Returns the status and whether the connection stays open."""
    connection.sendall(request)
    data = b""
    while (end := data.find(b"\r\n\r\n")) < 0:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed before an answer")
        data += part
    head = data[:end].lower()
    marker = head.find(b"content-length:")
    length = int(head[marker + 15 : head.find(b"\r\n", marker) if head.find(b"\r\n", marker) > 0 else None])
    left = length - (len(data) - end - 4)
    while left > 0:
        part = connection.recv(min(left, 65536))
        if not part:
            raise ConnectionError("closed within an answer")
        left -= len(part)
    return int(head[9:12]), b"connection: close" not in head


def run(port: int, request: Request, *, clients: int, seconds: float, pause: float = 0) -> Load:
    """Send requests from `clients` threads for `seconds`.

    Args:
        port: of the service on 127.0.0.1.
        request: gives the bytes of the next request; called from all threads.
        clients: connections, each with one request under way.
        seconds: how long.
        pause: seconds that a client rests after each answer (for a fixed rate: clients / rate).
    """
    lock, load = threading.Lock(), Load(seconds)
    stop_at = time.perf_counter() + seconds

    def client() -> None:
        latencies, statuses = [], Counter[int]()
        connection: socket.socket | None = None
        while time.perf_counter() < stop_at:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), timeout=60)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            message = request()
            began = time.perf_counter()
            status, stays = _exchange(connection, message)
            latencies.append(time.perf_counter() - began)
            statuses[status] += 1
            if not stays:
                connection.close()
                connection = None
            if pause:
                time.sleep(pause)
        if connection:
            connection.close()
        with lock:
            load.latencies += latencies
            load.statuses += statuses

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return load
