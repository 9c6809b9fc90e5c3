"""Listeners that read nothing, or next to nothing, keep no thread for longer than they may."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.jobs.making import until
from thetool.config import Settings
from thetool.jobs.events import fanout
from thetool.jobs.events.fanout import Fanout
from thetool.jobs.events.mailbox import Mailbox
from thetool.jobs.events.messages import problem
from thetool.jobs.events.stream import LONGEST_SECONDS, SLOW_SECONDS, Listener
from thetool.jobs.events.streams import Streams
from thetool.telemetry.metrics import exposition


@pytest.fixture
def streams() -> Streams:
    return Streams(Fanout(lambda asked: []), replay=lambda *_: iter(()), waiting=lambda: 0)


@pytest.fixture
def lines() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our side and the listener's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class Writer:
    """A thread that writes more than fits, as one that tells a stream does; `broken` is set when it is free again."""

    def __init__(self, line: socket.socket) -> None:
        self.began, self.broken = threading.Event(), threading.Event()
        self._line = line
        threading.Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        self.began.set()
        with contextlib.suppress(OSError):
            while True:
                self._line.sendall(b"x" * 2**16)
        self.broken.set()


def test_who_does_not_read_is_cut_off_when_its_time_is_over(
    streams: Streams, settings: Settings, lines: tuple[socket.socket, socket.socket]
) -> None:
    stream = streams.open(uuid4(), settings, Listener(connection=lines[0]))
    until(lambda: stream.mailbox.since is not None, "its first message is there")
    stream.mailbox.take()
    writer = Writer(lines[0])
    assert writer.began.wait(10)
    now = time.monotonic()
    streams.look(now + LONGEST_SECONDS, check=True)
    assert not writer.broken.wait(0.05), "it has a moment to say so politely"
    streams.look(now + LONGEST_SECONDS + SLOW_SECONDS + 1, check=True)
    assert writer.broken.wait(10)
    stream.close()


def test_who_leaves_a_message_lie_is_cut_off_after_a_minute(
    streams: Streams, settings: Settings, lines: tuple[socket.socket, socket.socket]
) -> None:
    stream = streams.open(uuid4(), settings, Listener(connection=lines[0]))
    until(lambda: stream.mailbox.since is not None, "its first message is there")
    writer = Writer(lines[0])
    streams.look(time.monotonic() + SLOW_SECONDS - 10, check=False)
    assert not writer.broken.wait(0.05)
    streams.look(time.monotonic() + SLOW_SECONDS + 1, check=False)
    assert writer.broken.wait(10)
    stream.close()


def test_a_stream_that_is_over_cuts_no_later_request_on_its_connection(
    streams: Streams, settings: Settings, lines: tuple[socket.socket, socket.socket]
) -> None:
    stream = streams.open(uuid4(), settings, Listener(connection=lines[0]))
    stream.close()
    stream.cut()
    lines[0].sendall(b"the next answer")
    assert lines[1].recv(100) == b"the next answer"


def test_the_watch_looks_by_itself_and_rests_when_nobody_listens(
    streams: Streams, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thetool.jobs.events.streams.WATCH_SECONDS", 0.01)
    monkeypatch.setattr("thetool.jobs.events.streams.LOOKS_A_CHECK", 2)
    asked = threading.Event()
    stream = streams.open(uuid4(), settings, Listener(may_go_on=lambda: bool(asked.set())))
    assert asked.wait(10)
    until(lambda: stream.ended is not None, "it is ended")
    stream.close()
    until(lambda: streams._watch is None, "the thread has ended")


def told(name: str) -> float:
    line = next(line for line in exposition().decode().splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


def test_open_streams_and_their_messages_are_metrics(streams: Streams, settings: Settings) -> None:
    stream = streams.open(uuid4(), settings, Listener())
    until(lambda: stream.mailbox.since is not None, "its first message is there")
    assert told("streams_open") == 1
    before = told("stream_messages_total")
    assert len(list(stream.take())) == 1
    assert told("stream_messages_total") == before + 1
    stream.close()
    assert told("streams_open") == 0


def test_of_many_listeners_a_few_are_woken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a request that comes then waits for all of them."""
    happened: list[str] = []

    class Bell(Mailbox):
        def ring(self) -> None:
            happened.append("ring")
            super().ring()

    everybody = [Bell() for _ in range(50)]
    monkeypatch.setattr(fanout.time, "sleep", lambda seconds: happened.append("pause"))
    place = Fanout(lambda asked: [])
    place._put(problem({}), everybody)
    everybody[0].take()
    place._ring()
    assert happened.count("ring") == 49, "who has found it already needs no bell"
    woken = [len(part) for part in "".join(word[0] for word in happened).replace("p", " ").replace("r", "x").split()]
    assert max(woken) <= fanout.WOKEN_TOGETHER
    assert all(len(mailbox.take()) == 1 for mailbox in everybody[1:])
    for mailbox in everybody:
        mailbox.close()
