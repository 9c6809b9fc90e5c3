"""Files whose validation does not end: it is killed at its time, or when somebody cancels it."""

from __future__ import annotations

from tests.serving import graphs
from tests.serving.house import House, refused

HOUSE = {"MODEL_VALIDATION_SECONDS": 3}


def test_an_endless_loop_is_killed_and_the_model_says_so(house: House) -> None:
    model_id = house.make("endless")
    house.upload(model_id, graphs.endless(always=True))
    validated = house.validate(model_id)
    assert (validated["valid"], validated["status"]) == (False, "error")
    assert "longer than 3 seconds" in validated["error_message"]
    assert house.get(f"/api/v1/jobs/{validated['job_id']}").json["error"]["code"] == "timeout"


def test_a_repeated_request_is_answered_by_the_first_ones_job(house: House) -> None:
    model_id = house.make("repeated")
    house.upload(model_id, graphs.endless(always=True))
    headers = {"Prefer": "respond-async", "Idempotency-Key": "validate-it"}
    first, again = (house.post(f"/api/v1/models/{model_id}/validate", headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["job_id"] == again.json["job_id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    house.post(f"{first.headers['Location']}/cancel")


def test_a_cancelled_validation_leaves_the_file_as_it_was(house: House) -> None:
    model_id = house.make("cancelled")
    house.upload(model_id, graphs.endless(always=True))
    answer = house.post(f"/api/v1/models/{model_id}/validate", headers={"Prefer": "respond-async"})
    assert (answer.status_code, answer.json["valid"], answer.json["status"]) == (202, None, "validating")
    refused(house.post(f"/api/v1/models/{model_id}/validate"), 409, "nothing_to_validate")
    house.post(f"{answer.headers['Location']}/cancel")
    house.get(f"{answer.headers['Location']}?wait=10")
    assert house.get(f"/api/v1/models/{model_id}").json["status"] == "uploaded"
