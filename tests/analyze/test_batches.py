"""Several files in one request."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from tests.analyze.house import House, refused

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def send(house: House, *contents: bytes, field: str = "files", headers: Any = None, **fields: str) -> TestResponse:
    files = [(io.BytesIO(content), f"{number}.txt") for number, content in enumerate(contents)]
    return house.analyze(data={field: files, **fields}, headers=headers)


def text(number: object) -> bytes:
    return f"The delivery number {number} was late, and nobody answered the phone.".encode()


@pytest.mark.parametrize("field", ["file", "files"])
def test_each_file_gets_its_result_in_order(house: House, field: str) -> None:
    answer = send(house, *(text(f"{field} {number}") for number in range(3)), field=field, tasks="language,statistics")
    assert answer.status_code == 200, answer.json
    body = answer.json
    assert [item["filename"] for item in body["results"]] == ["0.txt", "1.txt", "2.txt"]
    lengths = [item["analysis"]["result"]["statistics"]["characters"] for item in body["results"]]
    assert lengths == [len(text(f"{field} {number}")) for number in range(3)]
    jobs = house.get(f"/api/v1/jobs?batch_id={body['batch_id']}").json["items"]
    assert {job["id"] for job in jobs} == {item["analysis"]["id"] for item in body["results"]}
    assert all("problem" not in item for item in body["results"])


def test_one_file_as_files_is_a_batch_too(house: House) -> None:
    assert len(send(house, text("alone")).json["results"]) == 1


def test_what_is_wrong_with_one_is_told_of_that_one(house: House) -> None:
    answer = send(house, text("good"), PNG, b"", b"caf\xe9", text("good too"))
    assert answer.status_code == 200
    codes = [item.get("problem", {}).get("code") for item in answer.json["results"]]
    assert codes == [None, "unsupported_media_type", "empty_input", "undecodable_text", None]
    assert answer.json["results"][0]["analysis"]["status"] == "completed"
    assert answer.json["results"][1]["problem"]["status"] == 415


def test_not_waiting_gives_the_jobs(house: House) -> None:
    answer = send(house, text("later 1") * 2_000, text("later 2") * 2_000, wait="0", tasks="statistics")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/jobs?batch_id={answer.json['batch_id']}"
    for item in answer.json["results"]:
        job = house.get(f"{item['analysis']['links']['self']}?wait=120").json
        assert (job["status"], job["batch_id"]) == ("completed", answer.json["batch_id"])
        assert job["title"] == item["filename"]
    batch = house.get(f"/api/v1/batches/{answer.json['batch_id']}").json
    assert (batch["status"], batch["total"], batch["completed"], batch["progress"]) == ("completed", 2, 2, 1.0)


def test_the_job_of_one_file_has_its_name(house: House) -> None:
    answer = send(house, text("by itself"), field="file")
    assert house.get(f"/api/v1/jobs/{answer.json['id']}").json["title"] == "0.txt"


def test_the_job_of_a_text_without_a_name_is_called_by_its_beginning(house: House) -> None:
    answers = [house.analyze(json={"text": words}) for words in (" A  short\none. ", "many words " * 20)]
    titles = [house.get(f"/api/v1/jobs/{answer.json['id']}").json["title"] for answer in answers]
    assert titles == ["A short one.", "many words many words many words many words many words many…"[:60]]


def test_repeated_with_its_key_it_is_the_same_batch(house: House) -> None:
    key = {"Idempotency-Key": "batch-1"}
    contents = [text(f"once {number}") for number in range(2)]
    first, again = send(house, *contents, headers=key).json, send(house, *contents, headers=key).json
    assert UUID(first["batch_id"])
    assert first["batch_id"] == again["batch_id"]
    assert [one["analysis"]["id"] for one in first["results"]] == [one["analysis"]["id"] for one in again["results"]]
    refused(send(house, contents[0], text("another"), headers=key), 409, "idempotency_conflict")


def test_an_unknown_task_is_wrong_for_all(house: House) -> None:
    results = send(house, text(1), text(2), tasks="horoscope").json["results"]
    assert [item["problem"]["code"] for item in results] == ["validation_error"] * 2


def test_bounds(make_house: Callable[..., House]) -> None:
    house = make_house(work=False, max_files_per_batch=2, max_upload_bytes=500, max_total_upload_size=2_000)
    assert refused(send(house, b"a", b"b", b"c"), 413, "too_large")["limit"] == 2
    refused(send(house, b"a" * 501, b"b"), 413, "too_large")
    refused(send(house, *[b"a" * 400] * 2, note="x" * 2_000), 413, "too_large")
    assert house.rows("select count(*) from jobs") == [(0,)]
