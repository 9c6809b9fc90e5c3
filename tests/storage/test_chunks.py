from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from thetool.storage.chunks import in_chunks


class Dribble(io.BytesIO):
    """A stream that gives less than it is asked for, as sockets do."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 1, 3))


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 17))
def test_chunks_of_one_size_that_join_to_the_same(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    for stream in (iter(pieces), io.BytesIO(whole), Dribble(whole), whole):
        chunks = list(in_chunks(stream, size))
        assert b"".join(chunks) == whole
        assert all(len(chunk) == size for chunk in chunks[:-1])
        assert all(chunks)


def test_no_more_is_read_than_the_chunk_needs() -> None:
    stream = io.BytesIO(bytes(100))
    assert len(next(in_chunks(stream, 10))) == 10
    assert stream.tell() == 10
