"""What tests of listening share: jobs that say something, sockets, and what was heard of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import websocket

from tests.e2e.listening import FINAL, Listener
from tests.e2e.service import KEY, Service

BEARER = f"Authorization: Bearer {KEY}"
NOWHERE = "00000000-0000-7000-8000-00000000dead"


def count(service: Service, to: int, seconds: float) -> str:
    """Make a job that counts; gives its id."""
    status, answer = service.post("/sample/jobs/counting", {"to": to, "seconds": seconds})
    assert status == 200, answer
    return str(answer["job_id"])


def stored_events(service: Service, job_id: str) -> list[int]:
    """The ids of all that a job said, out of the database itself."""
    with closing(psycopg2.connect(str(service.database_url))) as connection, connection.cursor() as cursor:
        cursor.execute("select id from job_events where job_id = %s order by id", (job_id,))
        return [number for (number,) in cursor.fetchall()]


def links(service: Service, job_id: str) -> dict[str, str]:
    """The links of a job."""
    return dict(service.get(f"/api/v1/jobs/{job_id}")[1]["links"])


def path_of(url: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


@contextmanager
def talking(service: Service, path: str, *headers: str, **options: Any) -> Iterator[websocket.WebSocket]:
    """An open WebSocket."""
    url = f"ws://127.0.0.1:{service.port}{path}"
    with closing(websocket.create_connection(url, timeout=30, header=list(headers), **options)) as place:
        yield place


def heard_until_closed(place: websocket.WebSocket) -> tuple[list[dict[str, Any]], int]:
    """All messages, and the code that the socket was closed with."""
    messages = []
    while True:
        opcode, data = place.recv_data(control_frame=False)
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return messages, int.from_bytes(data[:2], "big")
        messages.append(json.loads(data))


def heard_exactly_once(service: Service, listener: Listener, job_id: str) -> None:
    """No gap and no double, whatever happened to the connections."""
    assert listener.failure is None
    assert [int(event["id"]) for event in listener.progress()] == stored_events(service, job_id)
    assert [event["event"] for event in listener.events if event["event"] in FINAL] == ["completed"]
    assert listener.events[-1]["event"] == "completed"


def opened_stream(stack: ExitStack, service: Service, job_id: str) -> bool:
    """Open a stream of server-sent events; whether there was room."""
    connection = stack.enter_context(service.connection())
    connection.request("GET", f"/api/v1/jobs/{job_id}/events", headers={"Authorization": f"Bearer {KEY}"})
    answer = connection.getresponse()
    if answer.status == 200:
        answer.readline()
    return answer.status == 200
