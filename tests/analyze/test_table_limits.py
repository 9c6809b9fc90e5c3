"""How large a table may be; that it is never in memory as a whole; that nothing is left of what is refused."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psutil

from tests.analyze.house import House, refused
from tests.jobs.making import lives, until
from thetool.jobs import scratch

TYPE = {"Content-Type": "text/csv"}
ROW = b"4711,Ann,Bonn,2026-01-02,1234.50\n"
HEADER = b"id,name,city,day,amount\n"


class Rows(io.RawIOBase):
    """A large body that is made while it is read."""

    def __init__(self, size: int) -> None:
        self.left = size
        self._piece = HEADER + ROW * 2_000

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.left, len(self._piece))
        buffer[:size] = self._piece[:size]
        self.left -= size
        self._piece = ROW * 2_000
        return size


def nothing_left(house: House) -> bool:
    return house.rows("select (select count(*) from jobs) + (select count(*) from blobs)") == [(0,)]


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "thetool.jobs.child" in one.cmdline()]


def send(house: House, size: int, **rest: Any) -> Any:
    environ = {"wsgi.input": Rows(size), "CONTENT_LENGTH": str(size), "CONTENT_TYPE": "text/csv"}
    return house.analyze(environ_overrides=environ, **rest)


def test_the_bound_is_that_of_its_kind(make_house: Callable[..., House]) -> None:
    house = make_house(max_upload_bytes=100_000, max_table_bytes=300_000, max_total_upload_size=400_000)
    large, larger = HEADER + ROW * 8_000, HEADER + ROW * 10_000
    octets = {"Content-Type": "application/octet-stream"}
    for sent in ({"headers": TYPE}, {"headers": octets}):
        assert house.analyze(data=large, **sent).status_code == 200
        assert refused(house.analyze(data=larger, **sent), 413, "too_large")["limit"] == 300_000
    for name, media_type in (("a.csv", None), ("a.txt", None), ("a", "application/octet-stream")):
        declared = (media_type or "application/octet-stream",)
        form = {"file": (io.BytesIO(large), name, *declared)}
        assert house.analyze(data=form).json["kind"] == "table"
        form = {"file": (io.BytesIO(larger), name, *declared)}
        assert refused(house.analyze(data=form), 413, "too_large")["limit"] == 300_000
    for name, media_type in (("a.csv", "text/plain"), ("a.md", "text/markdown"), ("a.log", "application/octet-stream")):
        form = {"file": (io.BytesIO(large), name, media_type)}
        assert refused(house.analyze(data=form), 413, "too_large")["limit"] == 100_000
    prose = b"This is prose, and much of it. " * 4_000
    assert refused(house.analyze(data=prose, headers=octets), 413, "too_large")["limit"] == 100_000
    together = {"files": [(io.BytesIO(large), f"{number}.csv") for number in range(2)]}
    assert refused(house.analyze(data=together), 413, "too_large")["limit"] == 400_000
    assert house.rows("select count(*) from blobs") == [(0,)]
    assert house.rows("select count(*) from jobs where status <> 'completed'") == [(0,)]


def test_a_body_that_tells_no_length_is_refused_at_the_byte_that_is_too_many(make_house: Callable[..., House]) -> None:
    house = make_house(work=False, max_table_bytes=2_000_000)
    body = Rows(100_000_000)
    environ = {"wsgi.input": body, "wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = house.analyze(environ_overrides=environ, headers=TYPE)
    assert refused(answer, 413, "too_large")["limit"] == 2_000_000
    assert 100_000_000 - body.left < 4_000_000
    assert nothing_left(house)


def test_records_in_an_object_have_a_bound_of_their_own(house: House) -> None:
    records = [{"a": "x" * 1_000}] * 4_200
    problem = refused(house.analyze(json={"records": records}), 413, "too_large")
    assert "the array itself" in problem["detail"]


def test_a_large_table_is_never_in_memory_as_a_whole(make_house: Callable[..., House]) -> None:
    """100 MB come in and go to storage; the process grows by less than a third of that. Then the job is cancelled."""
    house = make_house(max_database_blob_bytes=2**30)
    assert house.analyze(data=HEADER + ROW, headers=TYPE).status_code == 200  # all that is loaded late is loaded
    me = psutil.Process()
    before, highest = me.memory_info().rss, 0
    with watching(me) as peak:
        answer = send(house, 100_000_000, query={"wait": "0", "tasks": "profile"})
        highest = peak()
    assert answer.status_code == 202
    assert highest - before < 30 * 2**20
    job = answer.json["id"]
    until = time.monotonic() + 60
    while house.get(f"/api/v1/jobs/{job}").json["status"] == "queued":
        assert time.monotonic() < until
        time.sleep(0.02)
    child = next(iter(children()), None)
    house.client.post(f"/api/v1/jobs/{job}/cancel", headers=house.master)
    assert house.get(f"/api/v1/jobs/{job}?wait=30").json["status"] == "cancelled"
    if child is not None:
        child.wait(10)
    assert_nothing_at_work(house, UUID(job))


def test_a_running_job_that_is_cancelled_ends_with_its_process(make_house: Callable[..., House]) -> None:
    house = make_house(max_database_blob_bytes=2**30)
    job = send(house, 30_000_000, query={"wait": "0", "tasks": "profile"}).json["id"]
    until(lambda: house.get(f"/api/v1/jobs/{job}").json["stage"], "it reads the table")
    [child] = children()
    child.suspend()  # so that it cannot end by itself
    assert house.get(f"/api/v1/jobs/{job}").json["status"] == "running"
    began = time.monotonic()
    assert house.client.post(f"/api/v1/jobs/{job}/cancel", headers=house.master).status_code in (200, 202)
    until(lambda: not lives(child.pid), "its process is gone")
    print(f"its process was gone after {time.monotonic() - began:.2f} s")
    until(lambda: house.get(f"/api/v1/jobs/{job}").json["status"] == "cancelled", "it is cancelled")
    assert_nothing_at_work(house, UUID(job))


def assert_nothing_at_work(house: House, job: UUID) -> None:
    from thetool.analyze import retention
    from thetool.jobs.local import local

    assert not any(scratch.PREFIX in str(open_file.path) for one in children() for open_file in one.open_files())
    house.rows("update blobs set created_at = now() - interval '1 hour'")
    with house.app.app_context():
        from thetool.database.orm import db

        retention.sweep_inputs(db.engine)
    assert house.rows("select count(*) from blobs") == [(0,)]
    assert local.runner is not None
    assert local.runner.busy() == 0


@contextmanager
def watching(process: psutil.Process) -> Iterator[Callable[[], int]]:
    """Looks at the memory that a process holds, often; gives the most."""
    most = process.memory_info().rss
    over = threading.Event()

    def look() -> None:
        nonlocal most
        while not over.wait(0.005):
            most = max(most, process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: most
    finally:
        over.set()
        thread.join()
