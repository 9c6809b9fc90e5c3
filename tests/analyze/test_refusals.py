"""What a service refuses because of its own state: full, without workers, weights or room; the database away."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.analyze.house import MASTER, House, refused
from thetool.analyze import submission
from thetool.database.connection import DatabaseUnavailable

TEXT = "I love this sofa, but the delivery was late."
LONG = "A long one. " * 10_000


def nothing_left(house: House) -> bool:
    return house.rows("select (select count(*) from jobs) + (select count(*) from blobs)") == [(0,)]


def a_worker_elsewhere(house: House) -> None:
    house.rows(
        "insert into workers (id, host, pid, version, kinds, devices, slots)"
        " values (gen_random_uuid(), 'elsewhere', 1, '1', array['analyze.text', 'analyze.long_text'], '{}', 1)"
    )


def test_too_large_before_the_body_is_read(make_house: Callable[..., House]) -> None:
    house = make_house(work=False, max_upload_bytes=1_000, max_total_upload_size=5_000, max_table_bytes=1_000)

    class Unread:
        def read(self, *_: int) -> bytes:
            raise AssertionError("the body was read")

    bodies = {"text/plain": 1_001, "application/json": 10**12, "multipart/form-data; boundary=x": 2_000_001}
    for media_type, size in bodies.items():
        environ = {"wsgi.input": Unread(), "CONTENT_LENGTH": str(size), "CONTENT_TYPE": media_type}
        answer = house.analyze(environ_overrides=environ)
        problem = refused(answer, 413, "too_large")
        assert problem["limit"] < size
    big = {"file": (io.BytesIO(b"a" * 1_001), "big.txt")}
    refused(house.analyze(data=big), 413, "too_large")
    refused(house.analyze(data={"text": "a" * 1_001}), 413, "too_large")
    assert nothing_left(house)


@pytest.mark.parametrize("text", [f"{TEXT} One too many.", LONG], ids=["short", "long"])
def test_too_many_waiting(make_house: Callable[..., House], text: str) -> None:
    house = make_house(work=False, max_queued_jobs=2)
    a_worker_elsewhere(house)
    for number in range(2):
        assert house.analyze(f"{TEXT} {number}", wait=0).status_code == 202
    answer = house.analyze(text, wait=0)
    assert refused(answer, 429, "queue_full")["depth"] == 2
    assert int(answer.headers["Retry-After"]) > 0
    assert house.rows("select count(*) from jobs") == [(2,)]
    assert house.rows("select count(*) from blobs") == [(0,)]


def test_nobody_to_do_it(make_house: Callable[..., House]) -> None:
    house = make_house(work=False)
    refused(house.analyze(TEXT), 503, "no_worker")
    refused(house.analyze(LONG), 503, "no_worker")
    assert nothing_left(house)


def test_no_room_for_a_long_text(make_house: Callable[..., House]) -> None:
    house = make_house(work=False, max_database_blob_bytes=1_000)
    answer = house.analyze(LONG)
    assert answer.status_code in (413, 507)
    assert "MAX_DATABASE_BLOB_BYTES" in answer.json["detail"] or "S3_BUCKET_NAME" in answer.json["detail"]
    assert nothing_left(house)


def test_missing_weights(make_house: Callable[..., House], tmp_path: Any) -> None:
    house = make_house(weights_dir=tmp_path / "none")
    problem = refused(house.analyze(TEXT, tasks=["topics"]), 503, "weights_missing")
    assert "thetool weights pull embeddings" in problem["detail"]
    body = house.analyze(TEXT).json
    assert body["result"].keys() == {"sentiment", "language", "statistics"}
    assert body["skipped"][0]["task"] == "topics"
    assert body["skipped"][0]["how"] == "run: thetool weights pull embeddings"


def test_damaged_weights_are_told_and_used_once_they_are_right(
    make_house: Callable[..., House], tmp_path: Any, weights_dir: Any
) -> None:
    """What was left out for them is not given again from the cache."""
    folder = tmp_path / "damaged"
    shutil.copytree(weights_dir / "embeddings", folder / "embeddings")
    tokenizer = next(folder.rglob("tokenizer.json"))
    right = tokenizer.read_bytes()
    tokenizer.write_bytes(b"{" * len(right))
    house = make_house(weights_dir=folder)
    [skipped] = house.analyze(TEXT).json["skipped"]
    assert (skipped["task"], "damaged" in skipped["reason"]) == ("topics", True)
    refused(house.analyze(TEXT, tasks=["topics"]), 503, "weights_damaged")
    tokenizer.write_bytes(right)
    body = house.analyze(TEXT).json
    assert (body["cached"], body["skipped"]) == (False, [])
    assert "topics" in body["result"]


def test_weights_that_come_later_are_used(make_house: Callable[..., House], tmp_path: Any, weights_dir: Any) -> None:
    folder = tmp_path / "later"
    house = make_house(weights_dir=folder)
    assert "topics" not in house.analyze(TEXT).json["result"]
    os.symlink(weights_dir, folder)
    after = house.analyze(TEXT).json
    assert (after["cached"], after["skipped"]) == (False, [])
    assert "topics" in after["result"]


def test_a_job_is_told_of_where_its_result_will_be(make_house: Callable[..., House]) -> None:
    """While it waits, and when it was cancelled."""
    house = make_house(work=False)
    a_worker_elsewhere(house)
    key = {"Idempotency-Key": "to-be-cancelled"}
    pending = house.analyze(TEXT, headers=key, wait=0).json
    job, result = pending["id"], pending["links"]["result"]
    early = house.get(result)
    assert (early.status_code, early.json["status"], early.headers["Retry-After"]) == (202, "queued", "1")
    assert early.headers["Location"] == early.json["links"]["self"] == f"/api/v1/jobs/{job}"
    assert house.client.post(f"/api/v1/jobs/{job}/cancel", headers=MASTER).status_code in (200, 202)
    for answer in (house.analyze(TEXT, headers=key), house.get(result)):
        assert refused(answer, 409, "cancelled")["job_id"] == job


@pytest.mark.parametrize(("error", "kept"), [(DatabaseUnavailable("away"), 1), (RuntimeError("broken"), 0)])
def test_the_text_of_a_job_that_may_have_been_made_is_kept(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch, error: Exception, kept: int
) -> None:
    """When the connection breaks at the commit nobody knows: a job without its text would be lost."""
    house = make_house(work=False)

    def breaks(*given: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(submission, "submit", breaks)
    assert house.analyze(LONG).status_code in (500, 503)
    assert house.rows("select count(*) from blobs where state = 'stored'") == [(kept,)]
