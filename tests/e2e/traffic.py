"""Callers that keep asking a service, whatever is done to it."""

from __future__ import annotations

import http.client
import threading

from tests.e2e.service import Service, ask


class Traffic:
    """Clients that ask all the time, half of them on connections that they keep; what went wrong is in `failures`."""

    def __init__(self, service: Service, clients: int = 4, path: str = "/sample/pid") -> None:
        self.failures: list[str] = []
        self.answered = 0
        self.pids: set[int] = set()
        self._service = service
        self._path = path
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(number % 2 == 0,)) for number in range(clients)]

    def _client(self, keeps: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=30)
        while not self._stop.is_set():
            try:
                status, answer = ask(connection, "GET", self._path)
                if status != 200:
                    raise AssertionError(f"status {status}")
                self.answered += 1
                self.pids.add(answer["pid"])
            except Exception as error:  # whatever it is, a caller would have seen it
                self.failures.append(f"{'kept' if keeps else 'new'} connection: {error!r}")
                connection.close()
            if not keeps:
                connection.close()
            self._stop.wait(0.02)
        connection.close()

    def __enter__(self) -> Traffic:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
