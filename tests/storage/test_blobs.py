from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from tests.storage.conftest import only_postgres
from thetool.config import Settings
from thetool.database.connection import is_unavailable
from thetool.database.ids import new_id
from thetool.storage.blobs import delete, delete_all_of, get, read, read_bytes, read_range, store
from thetool.storage.problems import BlobLost, IncompleteUpload, StorageFull, StorageQuotaExceeded
from thetool.storage.state import storage
from thetool.storage.sweep import sweep
from thetool.web.problems import NotFound, TooLarge

pytestmark = pytest.mark.usefixtures("context")

MIB = 1 << 20
OURS = "datname = current_database() and pid <> pg_backend_pid()"
Left = Callable[[], tuple[int, int]]


def keep(content: bytes, owner: UUID, **options: Any) -> Any:
    return store(io.BytesIO(content), owner_id=owner, media_type="text/plain", **options)


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 8 * MIB, 17 * MIB + 3])
def test_what_goes_in_comes_out(size: int, owner: UUID, place: str) -> None:
    content = os.urandom(size)
    blob = keep(content, owner, filename="a.txt")
    assert (blob.size, blob.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert (blob.place, blob.owner_id, blob.filename, blob.media_type) == (place, owner, "a.txt", "text/plain")
    assert get(blob.id) == blob
    assert b"".join(read(blob.id)) == content


def test_streams_of_every_shape(owner: UUID) -> None:
    def pieces() -> Iterator[bytes]:
        yield b""
        yield b"a" * 3
        yield b"b" * (2 * MIB)

    expected = b"aaa" + b"b" * (2 * MIB)
    for stream in (pieces(), io.BytesIO(expected), expected, [expected]):
        blob = store(stream, owner_id=owner, media_type="text/plain")  # type: ignore[arg-type]
        assert read_bytes(blob.id, len(expected)) == expected


def test_ranges(owner: UUID) -> None:
    content = os.urandom(9 * MIB + 5)
    blob = keep(content, owner)
    ends = [0, 7, MIB - 1, MIB, 4 * MIB + 1, len(content)]
    for start in ends:
        for stop in ends:
            if start <= stop:
                assert b"".join(read_range(blob, start, stop)) == content[start:stop]


def test_read_bytes_has_a_limit(owner: UUID) -> None:
    blob = keep(b"12345", owner)
    assert read_bytes(blob.id, 5) == b"12345"
    with pytest.raises(TooLarge):
        read_bytes(blob.id, 4)


def test_what_is_not_there() -> None:
    for ask in (get, read):
        with pytest.raises(NotFound):
            ask(new_id())
    assert delete(new_id()) is False


class Broken(io.RawIOBase):
    """A stream that breaks after some bytes."""

    def __init__(self, error: BaseException, after: int) -> None:
        self.left, self.error = after, error

    def read(self, size: int = -1) -> bytes:
        if self.left <= 0:
            raise self.error
        self.left -= size
        return b"x" * size


@pytest.mark.parametrize(
    ("error", "after"),
    [(ValueError(), 0), (ValueError(), 18 * MIB), (KeyboardInterrupt(), 2 * MIB), (SystemExit(), 9 * MIB)],
)
def test_a_broken_stream_leaves_nothing(error: BaseException, after: int, owner: UUID, left: Left) -> None:
    with pytest.raises(type(error)):
        store(Broken(error, after), owner_id=owner, media_type="text/plain")  # type: ignore[arg-type]
    assert left() == (0, 0)


@pytest.mark.parametrize("limit", [0, 10, 3 * MIB, 9 * MIB])
def test_too_large_leaves_nothing_and_stops_reading(limit: int, owner: UUID, left: Left) -> None:
    stream = Broken(AssertionError("read on"), after=limit + 2 * MIB)
    with pytest.raises(TooLarge, match=str(limit)):
        store(stream, owner_id=owner, media_type="text/plain", max_bytes=limit)  # type: ignore[arg-type]
    assert left() == (0, 0)
    assert keep(bytes(limit), owner, max_bytes=limit).size == limit


@pytest.mark.parametrize("expected", [5, 7])
def test_another_size_than_announced_leaves_nothing(expected: int, owner: UUID, left: Left) -> None:
    with pytest.raises(IncompleteUpload, match=f"6 of the announced {expected}"):
        keep(b"123456", owner, expected_bytes=expected)
    assert left() == (0, 0)


def test_an_announced_size_that_is_too_large_is_not_read(owner: UUID, left: Left) -> None:
    stream = Broken(AssertionError("was read"), after=0)
    with pytest.raises(TooLarge):
        store(stream, owner_id=owner, media_type="text/plain", max_bytes=10, expected_bytes=11)  # type: ignore[arg-type]
    assert left() == (0, 0)


def test_an_unknown_owner_keeps_nothing(left: Left) -> None:
    with pytest.raises(Exception, match="foreign key"):
        keep(b"x", new_id())
    assert left() == (0, 0)


def test_an_expired_blob_is_not_there(owner: UUID) -> None:
    blob = keep(b"x", owner, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert get(blob.id).expires_at == blob.expires_at
    with pytest.raises(NotFound):
        get(keep(b"x", owner, expires_at=datetime.now(UTC) - timedelta(seconds=1)).id)


def test_delete(owner: UUID, left: Left) -> None:
    kept, gone = keep(b"kept", owner), keep(bytes(9 * MIB), owner)
    before = left()
    assert delete(gone.id) is True
    assert delete(gone.id) is False
    with pytest.raises(NotFound):
        get(gone.id)
    assert read_bytes(kept.id, 10) == b"kept"
    assert left() == (1, 1) != before


def test_an_owners_blobs_go_together(owner: UUID, new_owner: Callable[[], UUID], left: Left) -> None:
    other = new_owner()
    for size in (1, 9 * MIB, 3):
        keep(bytes(size), owner)
    theirs = keep(b"theirs", other)
    assert delete_all_of(owner) == 3
    assert delete_all_of(owner) == 0
    assert left() == (1, 1)
    assert read_bytes(theirs.id, 10) == b"theirs"


@pytest.mark.parametrize("half", [3, 9 * MIB])
def test_deleted_while_it_is_written(half: int, owner: UUID, left: Left, query: Callable[..., Any]) -> None:
    def stream() -> Iterator[bytes]:
        yield bytes(half)
        (blob_id,) = query("select id from blobs")[0]
        assert delete(UUID(blob_id))
        yield bytes(half)

    with pytest.raises(BlobLost):
        store(stream(), owner_id=owner, media_type="text/plain")
    assert left() == (0, 0)


def test_deleted_while_it_is_read(owner: UUID) -> None:
    blob = keep(bytes(9 * MIB), owner)
    pieces = read(blob.id)
    next(pieces)
    delete(blob.id)
    with pytest.raises(BlobLost):
        list(pieces)


def test_quota_of_the_owner(owner: UUID, new_owner: Callable[[], UUID], left: Left) -> None:
    keep(bytes(600), owner, quota_bytes=1000)
    keep(bytes(5000), new_owner())  # another owner's, which does not count
    with pytest.raises(StorageQuotaExceeded, match="1000 bytes, of which 400 are left") as caught:
        keep(bytes(401), owner, quota_bytes=1000)
    assert (caught.value.status, caught.value.code) == (413, "storage_quota")
    assert left()[0] == 2
    kept = keep(bytes(400), owner, quota_bytes=1000)
    with pytest.raises(StorageQuotaExceeded):
        keep(b"x", owner, quota_bytes=1000)
    delete(kept.id)
    keep(b"x", owner, quota_bytes=1000)
    keep(bytes(5000), owner)  # another key, without a quota


def test_a_quota_is_watched_while_a_long_stream_comes_in(owner: UUID, left: Left) -> None:
    """Two uploads that each would fit do not fit together: the second notices after 16 MiB at most."""

    def stream() -> Iterator[bytes]:
        yield bytes(MIB)
        keep(bytes(20 * MIB), owner)
        for _ in range(40):
            yield bytes(MIB)
        raise AssertionError("was read to its end")

    with pytest.raises(StorageQuotaExceeded):
        store(stream(), owner_id=owner, media_type="text/plain", quota_bytes=30 * MIB)
    assert left()[0] == 1


class TestFull:
    """`MAX_DATABASE_BLOB_BYTES` bounds what Postgres holds, and only that."""

    @pytest.fixture
    def values(self, values: dict[str, Any]) -> dict[str, Any]:
        return values | {"MAX_DATABASE_BLOB_BYTES": 3 * MIB}

    @only_postgres
    def test_full(self, owner: UUID, new_owner: Callable[[], UUID], left: Left) -> None:
        first = keep(bytes(2 * MIB), owner)
        with pytest.raises(StorageFull, match="S3_BUCKET_NAME") as caught:
            keep(bytes(2 * MIB), new_owner())
        assert (caught.value.status, caught.value.code) == (507, "storage_full")
        assert left() == (1, 2)
        keep(bytes(MIB), owner)
        with pytest.raises(StorageFull):
            keep(b"x", owner)
        delete(first.id)
        keep(bytes(2 * MIB), owner)
        assert storage().usage.bytes() == 3 * MIB

    @only_postgres
    def test_other_processes_files_count(self, owner: UUID, settings: Settings, query: Callable[..., Any]) -> None:
        keep(b"x", owner)
        usage = storage().usage
        query(
            "insert into blobs (id, owner_id, place, state, media_type, size) "
            "values (%s, %s, 'postgres', 'stored', 'text/plain', %s)",
            new_id(),
            owner,
            settings.max_database_blob_bytes,
        )
        usage._looked_at = float("-inf")  # as some seconds later
        with pytest.raises(StorageFull):
            keep(b"x", owner)

    def test_a_bucket_has_no_such_limit(self, owner: UUID, place: str) -> None:
        if place == "s3":
            assert keep(bytes(4 * MIB), owner).size == 4 * MIB
        else:
            with pytest.raises(StorageFull):
                keep(bytes(4 * MIB), owner)


class TestDatabase:
    """Postgres comes and goes while a file comes in."""

    pytestmark = only_postgres

    def test_closed_connections_are_replaced(self, owner: UUID, query: Callable[..., Any]) -> None:
        def stream() -> Iterator[bytes]:
            for _ in range(3):
                yield bytes(MIB)
                query(f"select pg_terminate_backend(pid, 30000) from pg_stat_activity where {OURS}")

        assert store(stream(), owner_id=owner, media_type="text/plain").size == 3 * MIB

    def test_away_in_the_middle(self, owner: UUID, postgres_url: str, database: str, left: Left) -> None:
        name = database.rpartition("/")[2].partition("?")[0]

        def allow(allowed: bool) -> None:
            with closing(psycopg2.connect(postgres_url)) as connection:
                connection.autocommit = True
                connection.cursor().execute(f"alter database {name} allow_connections {allowed}")
                if not allowed:
                    connection.cursor().execute(
                        "select pg_terminate_backend(pid, 30000) from pg_stat_activity where datname = %s", (name,)
                    )

        def stream() -> Iterator[bytes]:
            yield bytes(2 * MIB)
            allow(False)
            yield bytes(2 * MIB)

        try:
            with pytest.raises(Exception, match="connection") as caught:
                store(stream(), owner_id=owner, media_type="text/plain")
        finally:
            allow(True)
        assert is_unavailable(caught.value)
        assert left() == (1, 2)  # nobody sees it, and the sweep takes it
        assert sweep() == 0
