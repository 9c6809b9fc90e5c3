"""Batches over HTTP: sent, followed, fetched, listed, cancelled; what is refused leaves nothing behind."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import polars as pl
from werkzeug.test import TestResponse

from tests.serving import graphs
from tests.serving.house import House, refused

HOUSE = {"PREDICT_TIMEOUT_SECONDS": 5}
ROWS = b"name,a,b,c\nx,1,2,3\ny,4,five,6\n"


def send(
    house: House, where: str, content: bytes = ROWS, name: str = "rows.csv", key: Any = None, **rest: Any
) -> TestResponse:
    """Send a file as a form does."""
    headers = rest.pop("headers", {})
    form = {"file": (io.BytesIO(content), name), "columns": "a,b,c", **rest}
    return house.post(f"/api/v1/models/{where}/batches", key=key, data=form, headers=headers)


def finished(house: House, answer: TestResponse) -> dict[str, Any]:
    """The job at its end."""
    assert answer.status_code in (200, 202), answer.json
    assert answer.headers["Location"] == f"/api/v1/jobs/{answer.json['id']}"
    job: dict[str, Any] = house.get(f"/api/v1/jobs/{answer.json['id']}?wait=30").json
    return job


def test_a_file_is_predicted_and_fetched_by_a_link(house: House) -> None:
    model_id = house.add("many", graphs.doubling())
    sent = send(house, model_id)
    assert (sent.status_code, sent.json["kind"], sent.json["title"]) == (202, "batch.predict", "rows.csv")
    assert (sent.json["model_name"], sent.json["rows"], sent.json["download_url"]) == ("many", None, None)
    done = finished(house, sent)
    assert done["status"] == "completed", done["error"]
    assert (done["rows"], done["failed_rows"]) == (2, 1)
    assert done["result"]["errors"] == [{"row": 2, "error": "b is 'five', which is no number"}]
    fetched = house.client.get(done["download_url"])
    assert fetched.mimetype == "text/csv"
    assert 'filename="rows-predictions.csv"' in fetched.headers["Content-Disposition"]
    assert fetched.get_data(as_text=True) == (
        "name,a,b,c,y[0],y[1],y[2],_error\n"
        "x,1,2,3,2.0,4.0,6.0,\n"
        "y,4,five,6,,,,\"b is 'five', which is no number\"\n"
    )  # fmt: skip
    listed = house.get(f"/api/v1/models/{model_id}/batches").json["items"]
    assert [(one["id"], one["failed_rows"]) for one in listed] == [(done["id"], 1)]
    assert listed[0]["download_url"].startswith(f"/files/{done['result']['file_id']}?")
    left = house.rows("select expires_at <= now() from blobs where id = %s::uuid", done["params"]["input"])
    assert left == [(True,)]


def test_the_body_itself_by_name_version_and_alias(house: House) -> None:
    house.add("named", graphs.doubling(3))
    house.call("PUT", "/api/v1/models/by-name/named/aliases/best", json={"version": "1.0.0"})
    rows = io.BytesIO()
    np.save(rows, np.ones((4, 3), np.float32))
    for where in ("by-name/named", "by-name/named/versions/latest", "by-name/named/aliases/best"):
        answer = house.post(
            f"/api/v1/models/{where}/batches?output_format=parquet&filename=ones.npy&wait=30",
            data=rows.getvalue(),
            content_type="application/octet-stream",
        )
        assert (answer.status_code, answer.json["status"]) == (200, "completed"), answer.json
        assert answer.json["result"]["filename"] == "ones-predictions.parquet"
        table = pl.read_parquet(house.client.get(answer.json["download_url"]).get_data())
        assert table["y[2]"].to_list() == [3, 3, 3, 3]


def test_the_names_of_its_features(house: House) -> None:
    model_id = house.add("features", graphs.doubling(), model_metadata={"feature_names": ["c", "b", "a"]})
    done = finished(house, send(house, model_id, b"a,b,c\n1,2,3\n", columns=""))
    assert done["result"]["inputs"] == {"x": ["c", "b", "a"]}


def test_what_is_refused_leaves_nothing(house: House) -> None:
    model_id = house.add("refusing", graphs.doubling())
    before = house.rows("select count(*) from blobs")
    refused(send(house, model_id, b""), 422, "empty_table")
    problem = refused(send(house, model_id, chunk_rows="0", colour="red"), 422, "validation_error")
    assert {one["field"] for one in problem["errors"]} == {"chunk_rows", "colour"}
    path = f"/api/v1/models/{model_id}/batches"
    refused(house.post(path, data={"a": "b"}), 415, "unsupported_media_type")
    form = {"content_type": "multipart/form-data"}
    assert refused(house.post(path, data={"a": "b"}, **form), 422, "validation_error")["errors"][0]["field"] == "file"
    refused(send(house, house.make("waiting")), 409, "model_not_ready")
    refused(send(house, model_id, key=house.issue_key("stranger")), 404, "not_found")
    refused(house.get(f"/api/v1/models/{model_id}/batches", house.issue_key("another")), 404, "not_found")
    refused(send(house, model_id, webhook_url="ftp://example.com"), 422, "validation_error")
    assert house.rows("select count(*) from blobs") == before
    poor = house.issue_key("poor", storage_quota_bytes=5_000)
    small = house.add("small", graphs.doubling(), key=poor)
    before = house.rows("select count(*) from blobs")
    refused(send(house, small, ROWS * 1_000, key=poor), 413, "storage_quota")
    assert house.rows("select count(*) from blobs") == before


def test_a_file_that_does_not_fit_fails_with_words(house: House) -> None:
    model_id = house.add("unfit", graphs.doubling())
    done = finished(house, send(house, model_id, columns=""))
    assert (done["status"], done["error"]["code"]) == ("failed", "unfit_columns")
    assert "The file has 4 columns: 'name', 'a', 'b', 'c'." in done["error"]["message"]
    assert done["error"]["traceback"] is None
    again = house.post(f"/api/v1/jobs/{done['id']}/requeue")
    assert again.status_code == 200
    assert finished(house, again_of(house, done["id"]))["error"]["code"] == "unfit_columns"


def again_of(house: House, job_id: str) -> TestResponse:
    answer = house.get(f"/api/v1/jobs/{job_id}")
    answer.headers["Location"] = f"/api/v1/jobs/{job_id}"
    return answer


def test_a_repeated_request_makes_one_job(house: House) -> None:
    model_id = house.add("repeated", graphs.doubling())
    first, again = (send(house, model_id, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    other = send(house, model_id, ROWS + b"z,1,1,1\n", headers={"Idempotency-Key": "k"})
    refused(other, 409, "idempotency_conflict")


def test_a_batch_is_cancelled(house: House) -> None:
    model_id = house.add("endless", graphs.endless())
    sent = send(house, model_id, b"x\n" + b"9\n" * 100, columns="x")
    job = f"/api/v1/jobs/{sent.json['id']}"
    while house.get(job).json["status"] != "running":
        assert house.get(job).json["status"] == "queued"
    assert house.post(f"{job}/cancel").status_code in (200, 202)
    assert finished(house, sent)["status"] == "cancelled"
    assert house.get(f"/api/v1/models/{model_id}/batches").json["items"][0]["download_url"] is None
