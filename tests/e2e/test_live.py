"""Listening to jobs over real connections: server-sent events, WebSockets, restarts, callers that go away."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
import websocket

from tests.e2e.conftest import MakeService
from tests.e2e.listening import FINAL, Listener
from tests.e2e.service import KEY, ROOT, Service, until

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


def test_curl_follows_a_job_to_its_end(service: Service) -> None:
    job_id = count(service, 4, 0.3)
    url = f"http://127.0.0.1:{service.port}/api/v1/jobs/{job_id}/events"
    command = ["curl", "-sN", "--compressed", "--max-time", "60", "-H", BEARER, url, "-D", "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    head, _, body = told.partition("\n\n")
    assert "Content-Type: text/event-stream" in head
    assert "Content-Encoding" not in head
    assert body.index("event: snapshot") < body.index("event: progress") < body.index("event: completed")


def test_the_command_of_the_documentation(service: Service) -> None:
    (command,) = re.findall(r"```sh\n(curl .*?)\n```", (ROOT / "docs/live.md").read_text(), re.DOTALL)
    job_id = count(service, 2, 0.3)
    here = command.replace("http://127.0.0.1:8000", f"http://127.0.0.1:{service.port}")
    surroundings = {"PATH": os.environ["PATH"], "KEY": KEY, "JOB": job_id}
    told = subprocess.run(["bash", "-c", here], env=surroundings, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stderr
    assert "event: completed" in told.stdout


def test_files_are_among_the_links_of_the_end(service: Service) -> None:
    job_id = service.submit("storing", 0.1)
    listener = Listener(service, f"/api/v1/jobs/{job_id}/events")
    listener.run()
    (link,) = listener.events[-1]["data"]["links"]["files"]
    with service.connection() as connection:
        connection.request("GET", path_of(link))  # no key: the link is signed
        assert connection.getresponse().read() == b"kept by a job"


def test_a_websocket_tells_the_same(service: Service) -> None:
    job_id = count(service, 4, 0.3)
    opened = links(service, job_id)
    listener = Listener(service, path_of(opened["events_url"]) + "&after=0", key=None)
    listener.start()
    with talking(service, path_of(opened["websocket_url"]) + "&after=0") as place:
        messages, code = heard_until_closed(place)
    listener.join(30)
    assert code == 1000
    assert messages[0]["event"] == "snapshot"
    assert [message for message in messages if message["event"] in {"progress", "completed"}] == [
        event for event in listener.events if event["event"] in {"progress", "completed"}
    ]
    assert messages[-1]["data"]["links"]["result"].startswith("http://")


def test_a_websocket_goes_on_where_another_ended(service: Service) -> None:
    job_id = count(service, 5, 0.3)
    with talking(service, f"/ws/jobs/{job_id}?after=0", BEARER) as place:
        first = [json.loads(place.recv()) for _ in range(3)]
    with talking(service, f"/ws/jobs/{job_id}?after={first[-1]['id']}", BEARER) as place:
        rest, _ = heard_until_closed(place)
    said = [int(message["id"]) for message in (*first, *rest) if message["event"] == "progress"]
    assert said == stored_events(service, job_id)


@pytest.mark.parametrize(
    ("path", "headers", "code", "told"),
    [
        (f"/ws/jobs/{NOWHERE}", [], 4401, "unauthenticated"),
        (f"/ws/jobs/{NOWHERE}", [BEARER], 4404, "not_found"),
        (f"/ws/jobs/{NOWHERE}?ticket=forged", [], 4401, "invalid_ticket"),
        (f"/ws/jobs/{NOWHERE}?after=x", [BEARER], 4422, "validation_error"),
    ],
    ids=["no-key", "no-job", "forged-ticket", "wrong-place"],
)
def test_a_websocket_says_why_it_is_refused(
    service: Service, path: str, headers: list[str], code: int, told: str
) -> None:
    with talking(service, path, *headers) as place:
        messages, closed_with = heard_until_closed(place)
    assert closed_with == code
    assert [(message["event"], message["data"]["code"]) for message in messages] == [("problem", told)]


def test_a_cookie_opens_a_websocket_for_our_own_pages_only(service: Service) -> None:
    job_id = count(service, 1, 0)
    with service.connection() as connection:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection.request("POST", "/sign-in", f"key={KEY}", form)
        answer = connection.getresponse()
        cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    with talking(service, f"/ws/jobs/{job_id}", f"Cookie: {cookie}", origin="https://elsewhere.example") as place:
        messages, code = heard_until_closed(place)
        assert (code, messages[0]["data"]["code"]) == (4403, "forbidden")
    ours = f"http://127.0.0.1:{service.port}"
    with talking(service, f"/ws/jobs/{job_id}", f"Cookie: {cookie}", origin=ours) as place:
        assert heard_until_closed(place)[1] == 1000


def test_what_a_client_says_is_no_harm(service: Service) -> None:
    """Messages, pings, frames of other protocols: the socket answers what it must, or closes."""
    job_id = service.submit("polite", 60)
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        place.recv()
        for _ in range(50):
            place.send("x" * 100_000)
        place.ping("alive?")
        opcode, data = place.recv_data(control_frame=True)
        assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"alive?")
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        place.recv()
        place.sock.sendall(b"GET / HTTP/1.1\r\n\r\n" * 10)
        assert heard_until_closed(place)[1] == 1002
    service.post(f"/api/v1/jobs/{job_id}/cancel")


def test_many_listeners_hear_everything(service: Service) -> None:
    job_id = count(service, 8, 0.3)
    listeners = [Listener(service, f"/api/v1/jobs/{job_id}/events?after=0") for _ in range(40)]
    for listener in listeners:
        listener.start()
    for listener in listeners:
        listener.join(60)
        heard_exactly_once(service, listener, job_id)


def test_past_the_limit_others_are_answered(make_service: MakeService) -> None:
    service = make_service(WEB_CONCURRENCY=1, THREADS=6, MAX_STREAMS=4).start()
    job_id = service.submit("polite", 600)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(talking(service, f"/ws/jobs/{job_id}", BEARER)).recv()
        for _ in range(2):
            opened_stream(stack, service, job_id)
        status, answer = service.get(f"/api/v1/jobs/{job_id}/events")
        assert (status, answer["code"]) == (503, "too_many_streams")
        with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
            messages, code = heard_until_closed(place)
            assert (code, messages[0]["data"]["code"]) == (1013, "too_many_streams")
        assert service.get("/health")[0] == 200
        assert service.get(f"/api/v1/jobs/{job_id}?wait=5")[1]["status"] == "running"
    # Whoever goes away makes room, long before the next heartbeat would find out.
    with ExitStack() as stack:
        for _ in range(4):
            until(lambda: opened_stream(stack, service, job_id), "there is room again", 10)


def opened_stream(stack: ExitStack, service: Service, job_id: str) -> bool:
    """Open a stream of server-sent events; whether there was room."""
    connection = stack.enter_context(service.connection())
    connection.request("GET", f"/api/v1/jobs/{job_id}/events", headers={"Authorization": f"Bearer {KEY}"})
    answer = connection.getresponse()
    if answer.status == 200:
        answer.readline()
    return answer.status == 200


def test_a_caller_that_has_closed_its_half_is_still_told(service: Service) -> None:
    job_id = count(service, 3, 0.3)
    with closing(socket.create_connection(("127.0.0.1", service.port), 30)) as connection:
        asked = f"GET /api/v1/jobs/{job_id}/events HTTP/1.1\r\nHost: here\r\n{BEARER}\r\n\r\n"
        connection.sendall(asked.encode())
        connection.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b"event: completed" in told


def test_those_who_are_silent_are_noticed(make_service: MakeService) -> None:
    """Heartbeats go out, and a WebSocket whose pings nobody answers is given up."""
    service = make_service(WEB_CONCURRENCY=1, MAX_STREAMS=1, SAMPLE_IMPATIENT=1).start()
    job_id = service.submit("polite", 600)
    with service.connection() as connection:
        connection.request("GET", f"/api/v1/jobs/{job_id}/events", headers={"Authorization": f"Bearer {KEY}"})
        answer = connection.getresponse()
        until(lambda: answer.readline() == b":\n", "a heartbeat")
    until(lambda: service.get(f"/api/v1/jobs/{NOWHERE}/events")[0] == 404, "it is still well")
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        place.recv()
        pings = []
        with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
            pings.extend(iter(place.recv_frame, None))  # answers none of them, as recv() would
        assert len(pings) < 100


class Audience:
    """Listeners of a job that counts until they have heard enough."""

    def __init__(self, service: Service, size: int) -> None:
        self.service = service
        self.job_id = count(service, 10_000, 0.3)
        self.listeners = [Listener(service, f"/api/v1/jobs/{self.job_id}/events?after=0") for _ in range(size)]
        for listener in self.listeners:
            listener.start()
        self.hears_on()

    def hears_on(self) -> None:
        """Wait until everybody has heard something new."""
        before = max(len(listener.progress()) for listener in self.listeners) + 1
        until(lambda: all(len(listener.progress()) > before for listener in self.listeners), "all hear of it", 90)

    def hears_the_end(self) -> None:
        """Let the job end; everybody has heard everything once."""
        (self.service.home / "enough").touch()
        for listener in self.listeners:
            listener.join(60)
            heard_exactly_once(self.service, listener, self.job_id)


def test_a_reload_is_no_gap_and_no_double(make_service: MakeService) -> None:
    """The job ends in its old worker, and those who listened in the other one come back to a new one."""
    service = make_service().start()
    audience = Audience(service, 12)
    service.send(signal.SIGHUP)
    until(lambda: any(listener.connections > 1 for listener in audience.listeners), "some come back", 60)
    audience.hears_on()
    audience.hears_the_end()
    assert any("this process leaves" in comment for listener in audience.listeners for comment in listener.comments)
    assert "Traceback" not in service.log()


def test_recycling_and_a_job_handed_back_are_no_gap_and_no_double(make_service: MakeService) -> None:
    service = make_service(MAX_REQUESTS=50, GRACEFUL_TIMEOUT=1).start()
    audience = Audience(service, 10)
    before = service.worker_pids()
    until(lambda: service.get("/sample/pid")[0] == 200 and not before <= service.worker_pids(), "one is replaced", 60)
    audience.hears_on()
    service.reload()
    audience.hears_on()
    audience.hears_the_end()
    assert all(listener.connections > 1 for listener in audience.listeners)


def test_websockets_are_told_to_come_back(make_service: MakeService) -> None:
    service = make_service(GRACEFUL_TIMEOUT=1).start()
    job_id = service.submit("polite", 60)
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        assert json.loads(place.recv())["event"] == "snapshot"
        service.send(signal.SIGHUP)
        assert heard_until_closed(place)[1] == 1012
    until(lambda: len(service.worker_pids()) == 2, "the new workers are alone", 30)
    with talking(service, f"/ws/jobs/{job_id}", BEARER) as place:
        assert json.loads(place.recv())["event"] == "snapshot"


def test_a_new_start_is_no_gap_and_no_double(make_service: MakeService) -> None:
    """A deploy: the service stops, its jobs are handed back, and it starts again."""
    service = make_service(GRACEFUL_TIMEOUT=1, WEB_CONCURRENCY=1).start()
    audience = Audience(service, 5)
    service.send(signal.SIGTERM)
    assert service.wait(15) == 0, "streams do not hold it up"
    service.start()
    audience.hears_on()
    audience.hears_the_end()
    assert all(listener.connections > 1 for listener in audience.listeners)


def test_killed_workers_lose_no_listener(make_service: MakeService) -> None:
    service = make_service(JOB_LEASE_SECONDS=3).start()
    audience = Audience(service, 6)
    for pid in service.worker_pids():
        os.kill(pid, signal.SIGKILL)
    audience.hears_on()
    audience.hears_the_end()


def test_answers_go_on_while_hundreds_listen(make_service: MakeService) -> None:
    service = make_service(WEB_CONCURRENCY=1).start()
    job_id = count(service, 100, 0.2)
    with ExitStack() as stack:
        for _ in range(250):
            assert opened_stream(stack, service, job_id)
        status, answer = service.get(f"/api/v1/jobs/{job_id}/events")
        assert (status, answer["code"]) == (503, "too_many_streams")
        for _ in range(50):
            assert service.get("/health")[0] == 200
            assert service.get(f"/api/v1/jobs/{job_id}")[0] == 200
    try:
        until(lambda: service.open_connections() == 0, "all have gone")
    except http.client.HTTPException as error:
        raise AssertionError from error
