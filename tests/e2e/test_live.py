"""Listening to jobs over real connections: server-sent events, WebSockets, callers that go away."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
from contextlib import ExitStack, closing

import pytest
import websocket

from tests.e2e.conftest import MakeService
from tests.e2e.hearing import (
    BEARER,
    NOWHERE,
    count,
    heard_exactly_once,
    heard_until_closed,
    links,
    opened_stream,
    path_of,
    stored_events,
    talking,
)
from tests.e2e.listening import Listener
from tests.e2e.service import KEY, ROOT, Service, until


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
