"""Messages written to a listener's connection while its own thread waits: nothing lost, nothing out of order."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from thetool.jobs.events.direct import Direct
from thetool.jobs.events.mailbox import Mailbox
from thetool.jobs.events.messages import Message, problem


@pytest.fixture
def lines() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our side and the listener's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.close()


def said(number: int, size: int = 1) -> Message:
    return Message(str(number), "progress", {"message": "x" * size})


def chunk(message: Message) -> bytes:
    event = message.as_event("")
    return b"%x\r\n%b\r\n" % (len(event), event)


def test_what_a_waiting_thread_lends_is_written_in_chunks(
    mailbox: Mailbox, lines: tuple[socket.socket, socket.socket]
) -> None:
    direct = Direct(mailbox, lines[0], "")
    messages = [said(1), said(2)]
    for message in messages:
        mailbox.put(message)
    assert not mailbox.direct(), "nothing is lent"
    with direct.lent():
        assert mailbox.direct()
        assert lines[1].recv(1000) == b"".join(map(chunk, messages))
        assert not mailbox.direct(), "nothing is left"
    assert mailbox.take() == []


@pytest.mark.parametrize("last", [problem({}), Message("7", "snapshot", {})], ids=["end", "snapshot"])
def test_what_needs_more_than_writing_is_left_to_the_thread(
    mailbox: Mailbox, lines: tuple[socket.socket, socket.socket], last: Message
) -> None:
    direct = Direct(mailbox, lines[0], "")
    messages = [said(1), last]
    for message in messages:
        mailbox.put(message)
    with direct.lent():
        assert not mailbox.direct()
    assert mailbox.take() == messages


def test_a_thread_that_is_about_to_wake_is_not_overtaken(
    mailbox: Mailbox, lines: tuple[socket.socket, socket.socket]
) -> None:
    direct = Direct(mailbox, lines[0], "")
    mailbox.put(said(1))
    mailbox.ring()
    mailbox.put(said(2))
    with direct.lent():
        assert not mailbox.direct()
    assert [message.id for message in mailbox.take()] == ["1", "2"]


def test_what_the_connection_does_not_take_at_once_is_sent_by_its_thread(
    mailbox: Mailbox, lines: tuple[socket.socket, socket.socket]
) -> None:
    direct = Direct(mailbox, lines[0], "")
    first, second = said(1, 2**20), said(2)
    heard = bytearray()

    def read() -> None:
        while len(heard) < len(chunk(first)) and (piece := lines[1].recv(2**16)):
            heard.extend(piece)

    with direct.lent():
        mailbox.put(first)
        assert not mailbox.direct(), "the thread has to be woken"
        mailbox.put(second)
        assert not mailbox.direct(), "nothing comes between"
        reader = threading.Thread(target=read)
        reader.start()
    reader.join(10)
    assert bytes(heard) == chunk(first)
    assert mailbox.take() == [second]


def test_nothing_follows_half_a_chunk(mailbox: Mailbox, lines: tuple[socket.socket, socket.socket]) -> None:
    """gunicorn would end the answer, and take the next request of who begins to read again."""
    ours, theirs = lines
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 50_000))
    direct = Direct(mailbox, ours, "")

    def lend() -> None:
        with direct.lent():
            mailbox.put(said(1, 2**20))
            assert not mailbox.direct()

    with pytest.raises(BlockingIOError):
        lend()
    with pytest.raises(BrokenPipeError):
        ours.sendall(b"0\r\n\r\n")


def test_a_dead_connection_is_the_threads_to_find(mailbox: Mailbox, lines: tuple[socket.socket, socket.socket]) -> None:
    direct = Direct(mailbox, lines[0], "")
    lines[1].close()

    def lend() -> None:
        with direct.lent():
            mailbox.put(said(1))
            assert not mailbox.direct()

    with pytest.raises(OSError, match="Broken pipe|reset"):
        lend()


def test_where_there_is_no_connection_nothing_is_lent(mailbox: Mailbox) -> None:
    direct = Direct(mailbox, None, "")
    mailbox.put(said(1))
    with direct.lent():
        assert not mailbox.direct()
    assert len(mailbox.take()) == 1
