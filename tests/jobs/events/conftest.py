"""An application with a runner, and listeners of its jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient


class Events:
    """Reads a stream of server-sent events as a browser does; `comments` and `retries` are what it passes over."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.comments = 0
        self.retries: list[int] = []
        self.last_id: str | None = None
        self._lines = self._read(answer.response)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Each event, as `{id, event, data}`."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line == "":
                if "data" in fields:
                    self.last_id = fields.get("id", self.last_id)
                    yield {"id": fields.get("id"), "event": fields["event"], "data": json.loads(fields["data"])}
                fields = {}
            elif line.startswith(":"):
                self.comments += 1
            elif name == "retry":
                self.retries.append(int(value))
            else:
                fields[name] = value

    @staticmethod
    def _read(pieces: Any) -> Iterator[str]:
        rest = b""
        for piece in pieces:
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line.decode()


@pytest.fixture
def listen(client: FlaskClient, master: dict[str, str]) -> Any:
    """Opens a stream of a job; gives its events."""
    opened: list[Any] = []

    def listen(job_id: Any, query: str = "", **headers: str) -> Events:
        answer = client.get(f"/api/v1/jobs/{job_id}/events{query}", headers={**master, **headers})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        opened.append(answer)
        return Events(answer)

    yield listen
    for answer in opened:
        answer.close()
