"""A listener of server-sent events that behaves as browsers do: it comes back, and says which event it had last."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.e2e.service import KEY, Service

FINAL = {"completed", "failed", "cancelled", "problem"}


class Listener(threading.Thread):
    """Follows one job to its end. `events` holds all that it heard, `connections` how often it connected."""

    def __init__(self, service: Service, path: str, *, key: str | None = KEY) -> None:
        super().__init__(daemon=True)
        self.events: list[dict[str, Any]] = []
        self.comments: list[str] = []
        self.connections = 0
        self.failure: str | None = None
        self._service = service
        self._path = path
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._retry = 0.5
        self._last_id: str | None = None

    def run(self) -> None:
        """Connect again and again until the end was heard."""
        while not (self.events and self.events[-1]["event"] in FINAL) and self.failure is None:
            try:
                self._follow()
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # a browser waits for as long as `retry` says
                continue
            time.sleep(self._retry)

    def progress(self) -> list[dict[str, Any]]:
        """What it heard of the job's progress."""
        return [event for event in self.events if event["event"] == "progress"]

    def _follow(self) -> None:
        headers = {**self._headers, **({"Last-Event-ID": self._last_id} if self._last_id else {})}
        with self._service.connection() as connection:
            connection.request("GET", self._path, headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                self.failure = f"{answer.status} {answer.read()!r}" if answer.status not in {502, 503} else None
                return
            self.connections += 1
            for event in self._events_of(answer):
                self.events.append(event)
                if event["event"] in FINAL:
                    return

    def _events_of(self, answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
        fields: dict[str, str] = {}
        for line in iter(answer.readline, b""):
            text = line.decode().rstrip("\n")
            name, _, value = text.partition(": ")
            if text.startswith(":"):
                self.comments.append(text)
            elif name == "retry":
                self._retry = int(value) / 1000
            elif name:
                fields[name] = value
            elif "data" in fields:
                self._last_id = fields.get("id", self._last_id)
                yield {"id": fields.get("id"), "event": fields["event"], "data": json.loads(fields["data"])}
                fields = {}
