"""Streams and waiting callers leave threads to the others."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.jobs.making import make, rows, until
from thetool.config import Settings, SettingsError, load_settings
from thetool.jobs.events.stream import Listener
from thetool.jobs.events.streams import TooManyStreams
from thetool.jobs.local import local
from thetool.jobs.runner import Runner
from thetool.jobs.waiting import wait_for


@pytest.fixture
def job_settings(job_settings: Settings) -> Settings:
    return job_settings.model_copy(update={"threads": 10, "max_streams": 4})


def opened(stack: ExitStack, job_id: Any, settings: Settings, number: int) -> None:
    for _ in range(number):
        stack.callback(local.streams.open(job_id, settings, Listener()).close)


def test_past_the_limit_a_stream_is_refused_at_once(
    running: Runner, client: FlaskClient, master: dict[str, str], job_settings: Settings
) -> None:
    job_id = make("sample.sleep", seconds=60)
    with ExitStack() as stack:
        opened(stack, job_id, job_settings, 4)
        answer = client.get(f"/api/v1/jobs/{job_id}/events", headers=master)
        assert (answer.status_code, answer.json["code"], answer.json["open"]) == (503, "too_many_streams", 4)
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    answer = client.get(f"/api/v1/jobs/{job_id}/events", headers=master)
    assert answer.status_code == 200
    answer.close()
    assert local.streams.count == 0


def test_waiting_callers_and_streams_share_what_may_be_held(running: Runner, job_settings: Settings) -> None:
    job_id = make("sample.sleep", seconds=60)
    waiting = [threading.Thread(target=wait_for, args=(job_id, 60)) for _ in range(6)]
    for thread in waiting:
        thread.start()
    until(lambda: local.waiters.count == 6, "six wait")
    with ExitStack() as stack:
        opened(stack, job_id, job_settings, 3)
        with pytest.raises(TooManyStreams):
            local.streams.open(job_id, job_settings, Listener())
        assert wait_for(job_id, 600).status in {"queued", "running"}, "nor may another wait"
    local.waiters.dismiss()
    for thread in waiting:
        thread.join(30)


def test_listeners_hold_no_connection_and_share_one_query(
    running: Runner, job_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred listeners, one job: their number costs the database nothing."""
    many = job_settings.model_copy(update={"threads": 1000, "max_streams": 500})
    job_id = make("sample.steps", seconds=0.4)
    asked: list[str] = []
    run = local.queue.connection.run
    monkeypatch.setattr(
        local.queue.connection, "run", lambda name, *more, **others: asked.append(name) or run(name, *more, **others)
    )
    streams = [local.streams.open(job_id, many, Listener()) for _ in range(100)]
    ends = 0
    for stream in streams:
        while stream.ended is None:
            list(stream.take())
        ends += 1
    ours = "application_name like 'thetool %' and datname = current_database()"
    assert rows(running.queue.url, f"select count(*) from pg_stat_activity where {ours}")[0][0] <= 4
    for stream in streams:
        stream.close()
    assert ends == 100
    assert asked.count("news") < 30
    assert local.streams.fanout._topics == {}


def test_streams_that_would_take_all_threads_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_STREAMS", "300")
    with pytest.raises(SettingsError, match="MAX_STREAMS: must leave a tenth of the threads .* at most 270"):
        load_settings()
    monkeypatch.setenv("THREADS", "400")
    assert load_settings().max_streams == 300


def test_few_threads_need_no_other_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THREADS", "4")
    assert load_settings().threads_to_hold == 3


def test_a_slow_reader_is_cut_off(running: Runner, job_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from thetool.jobs.events import mailbox
    from thetool.jobs.events.stream import Ended

    monkeypatch.setattr(mailbox, "MOST_MESSAGES", 2)
    job_id = make("sample.steps", seconds=0.3)
    stream = local.streams.open(job_id, job_settings, Listener(after=0))
    until(lambda: stream.mailbox.overflowed, "its mailbox is full")
    told = list(stream.take())
    assert (told[0].event, stream.ended) == ("snapshot", Ended.SLOW)
    stream.close()
    again = local.streams.open(job_id, job_settings, Listener(after=int(told[-1].id)))
    rest = []
    while again.ended is None:
        rest += list(again.take())
    again.close()
    heard = [int(message.id) for message in (*told, *rest) if message.event == "progress"]
    assert heard == sorted(set(heard))
    assert len(heard) == 4


def test_a_process_that_leaves_ends_its_streams_politely(
    running: Runner, client: FlaskClient, master: dict[str, str]
) -> None:
    job_id = make("sample.sleep", seconds=60)
    answer = client.get(f"/api/v1/jobs/{job_id}/events", headers=master)
    pieces = answer.response
    next(pieces)
    running.dismiss_streams()
    rest = b"".join(pieces)
    answer.close()
    assert b"this process leaves; connect again" in rest
    assert b"retry: " in rest
    late = client.get(f"/api/v1/jobs/{job_id}/events", headers=master)
    assert late.status_code == 200
    assert b"this process leaves" in late.data
    assert local.streams.count == 0


def test_a_server_without_websockets_leaves_no_stream_open(
    running: Runner, client: FlaskClient, master: dict[str, str]
) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers = {**master, **asked, "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    assert client.get(f"/ws/jobs/{make('sample.noop')}", headers=headers).status_code == 426
    assert local.streams.count == 0
