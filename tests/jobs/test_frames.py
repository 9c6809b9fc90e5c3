from __future__ import annotations

import socket
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.jobs import frames
from thetool.jobs.frames import BadFrame, FrameReader


@given(st.lists(st.tuples(st.sampled_from([b"D", b"G", b"L"]), st.binary(max_size=5000)), max_size=20))
def test_what_is_sent_arrives(sent: list[tuple[bytes, bytes]]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:

        def send_all() -> None:
            for letter, payload in sent:
                frames.send(ours, letter, payload)
            ours.shutdown(socket.SHUT_WR)

        writer = threading.Thread(target=send_all)
        writer.start()
        reader = FrameReader(theirs)
        arrived = []
        while (frame := reader.wait()) is not None:
            arrived.append(frame)
        writer.join()
    assert arrived == sent


def test_a_frame_is_put_together_from_pieces() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = FrameReader(theirs)
        whole = struct.pack("!Ic", 5, b"D") + b"hello"
        for byte in whole[:-1]:
            ours.sendall(bytes([byte]))
            reader.fill()
            assert reader.take() is None
        ours.sendall(whole[-1:])
        reader.fill()
        assert reader.take() == (b"D", b"hello")


def test_a_frame_that_is_too_long_is_refused_before_it_comes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(struct.pack("!Ic", 2**32 - 1, b"D"))
        with pytest.raises(BadFrame):
            FrameReader(theirs).wait()
        with pytest.raises(BadFrame):
            frames.send(ours, b"D", b"x" * (frames.MAX_FRAME_BYTES + 1))
