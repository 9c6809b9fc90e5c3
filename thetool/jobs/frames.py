"""What a worker and its child process say to each other: a length, a letter, bytes (JSON, mostly).

Never pickle: a child is not trusted. Parent to child: `J` which job, `P` its parameters, `A` an answer. Child to
parent: `R` ready, `G` progress, `L` a log line, `D` the result, `F` a failure, `H` laid aside; and, to be answered,
`S` a file to store, `O` one to open, `C` a child job to make, `K` which there are, `V` the result of one, `W` whether
to wait for them.
"""

from __future__ import annotations

import socket
import struct

_head = struct.Struct("!Ic")
MAX_FRAME_BYTES = 17 * 2**20
_READ_BYTES = 256 * 1024

Frame = tuple[bytes, bytes]


class BadFrame(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The other side said something that is no frame, or too long a one."""


def send(sock: socket.socket, letter: bytes, payload: bytes = b"") -> None:
    """Send one frame; blocks as long as the socket does."""
    if len(payload) > MAX_FRAME_BYTES:
        raise BadFrame(f"a frame of {len(payload):,} bytes is too long")
    sock.sendall(_head.pack(len(payload), letter) + payload)


class FrameReader:
    """Puts frames together from what a socket gives."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()

    def fill(self) -> bool:
        """Read what is there, waiting for some if the socket blocks; False at the end of the stream."""
        data = self._sock.recv(_READ_BYTES)
        self._buffer += data
        return bool(data)

    def take(self) -> Frame | None:
        """The next whole frame, or None when it has not come yet.

        Raises:
            BadFrame: it is announced as longer than any frame may be.
        """
        if len(self._buffer) < _head.size:
            return None
        length, letter = _head.unpack_from(self._buffer)
        if length > MAX_FRAME_BYTES:
            raise BadFrame(f"a frame of {length:,} bytes is announced")
        end = _head.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[_head.size : end])
        del self._buffer[:end]
        return letter, payload

    def wait(self) -> Frame | None:
        """The next frame of a blocking socket; None at the end of the stream."""
        while (frame := self.take()) is None:
            if not self.fill():
                return None
        return frame
