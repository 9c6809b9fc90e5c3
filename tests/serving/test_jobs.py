"""Predictions as jobs, with ModelForge's names beside our own."""

from __future__ import annotations

from typing import Any

from tests.serving import graphs
from tests.serving.house import House, refused

HOUSE = {"PREDICT_TIMEOUT_SECONDS": 2}


def submitted(house: House, model_id: str, value: Any, **more: Any) -> dict[str, Any]:
    answer = house.post("/api/v1/jobs", {"model_id": model_id, "input_data": {"x": value}, **more})
    assert answer.status_code == 201, answer.json
    job: dict[str, Any] = answer.json
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    return job


def test_a_prediction_as_a_job(house: House) -> None:
    model_id = house.add("later", graphs.doubling())
    job = submitted(house, model_id, [[1, 2, 3]], priority="high")
    assert (job["kind"], job["title"], job["priority"]) == ("serving.predict", "later 1.0.0", 10)
    assert (job["model_id"], job["input_data"]) == (model_id, {"x": [[1, 2, 3]]})
    done = house.get(f"/api/v1/jobs/{job['id']}?wait=20").json
    assert (done["status"], done["output_data"]) == ("completed", {"y": [[2, 4, 6]]})
    assert done["result"]["output_data"] == done["output_data"]
    assert (done["retries"], done["max_retries"], done["error_message"]) == (0, 3, None)
    assert done["queue_time_ms"] >= 0
    assert done["completed_at"] == done["finished_at"]
    result = house.get(f"/api/v1/jobs/{job['id']}/result").json
    assert result["inference_time_ms"] == done["inference_time_ms"] >= 0
    history = house.get(f"/api/v1/models/{model_id}/predictions").json["items"]
    assert [one["id"] for one in history] == [done["result"]["prediction_id"]]
    assert [one["id"] for one in house.get("/api/v1/jobs?kind=serving.predict").json["items"]] == [job["id"]]


def test_what_a_job_cannot_ask(house: House) -> None:
    model_id = house.add("asked", graphs.doubling())
    wrong = house.post("/api/v1/jobs", {"model_id": model_id, "input_data": {"x": [[1, 2]]}})
    assert refused(wrong, 422, "invalid_input")["expected"] == "float32 [batch, 3]"
    pending = house.make("never sent")
    body = {"model_id": pending, "input_data": {"x": 1}}
    refused(house.post("/api/v1/jobs", body), 409, "model_not_ready")
    refused(house.post("/api/v1/jobs", body, house.issue_key("curious")), 404, "not_found")
    refused(house.post("/api/v1/jobs", {**body, "priority": "urgent"}), 422, "validation_error")


def test_a_job_that_fails_says_why(house: House) -> None:
    job = submitted(house, house.add("picky", graphs.picking()), [7])
    done = house.get(f"/api/v1/jobs/{job['id']}?wait=20").json
    assert (done["status"], done["error"]["code"]) == ("failed", "prediction_failed")
    assert "Gather" in done["error_message"]
    endless = submitted(house, house.add("endless at times", graphs.endless()), [9])
    assert house.get(f"/api/v1/jobs/{endless['id']}?wait=20").json["error"]["code"] == "prediction_timeout"


def test_a_repeated_request_makes_one_job(house: House) -> None:
    body = {"model_id": house.add("repeated", graphs.doubling()), "input_data": {"x": [[1, 1, 1]]}}
    first, again = (house.post("/api/v1/jobs", body, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json["id"] == again.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
