"""Predictions by name, version and alias; what is cached of them, and what is kept."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from onnx import TensorProto

from tests.serving import graphs
from tests.serving.house import House, refused
from tests.serving.test_predict import npy, predict, send_npy


def asked_by_name(house: House, rest: str) -> Any:
    answer = house.post(f"/api/v1/models/by-name/{rest}/predict", {"input_data": {"x": [[1, 1, 1]]}})
    return answer.json["output_data"]["y"][0][0] if answer.status_code == 201 else answer.json["code"]


def test_by_name_version_and_alias(house: House) -> None:
    for factor, version in ((10.0, "1.0.0"), (20.0, "2.0.0"), (30.0, "3.0.0-beta")):
        house.add("named", graphs.doubling(factor), version)
    house.make("named", "4.0.0")
    assert asked_by_name(house, "named") == 20, "the highest ready release"
    assert asked_by_name(house, "named/versions/3.0.0-beta") == 30
    assert asked_by_name(house, "named/versions/latest") == 20
    assert asked_by_name(house, "named/versions/4.0.0") == "model_not_ready"
    assert asked_by_name(house, "named/versions/9.9.9") == "not_found"
    assert asked_by_name(house, "named/aliases/production") == "not_found"
    alias = "/api/v1/models/by-name/named/aliases/production"
    house.call("PUT", alias, json={"version": "1.0.0"})
    assert asked_by_name(house, "named") == asked_by_name(house, "named/aliases/production") == 10
    house.call("PUT", alias, json={"version": "3.0.0-beta"})
    assert asked_by_name(house, "named") == asked_by_name(house, "named/versions/production") == 30
    house.post(f"{alias}/rollback")
    assert asked_by_name(house, "named") == 10


def test_a_canary_gets_its_share(house: House) -> None:
    house.add("canary", graphs.doubling(1.0), "1.0.0")
    house.add("canary", graphs.doubling(2.0), "2.0.0")
    wanted = {"version": "1.0.0", "canary_version": "2.0.0", "canary_percent": 50}
    house.call("PUT", "/api/v1/models/by-name/canary/aliases/production", json=wanted)
    answers = [asked_by_name(house, "canary") for _ in range(60)]
    assert set(answers) == {1, 2}
    assert answers.count(2) > 5
    listed = house.get("/api/v1/models/by-name/canary/versions").json["versions"]
    newest = next(one["id"] for one in listed if one["version"] == "2.0.0")
    house.call("PATCH", f"/api/v1/models/{newest}", json={"status": "archived"})
    assert {asked_by_name(house, "canary") for _ in range(20)} == {1}, "who is not ready gets none"
    compared = house.get("/api/v1/models/by-name/canary/latency").json["versions"]
    assert [one["version"] for one in compared] == ["2.0.0", "1.0.0"]
    assert sum(one["predictions"] for one in compared) == 80
    refused(house.get("/api/v1/models/by-name/nobody/latency"), 404, "not_found")


def test_a_repeated_prediction_is_cached_until_the_model_changes(house: House) -> None:
    model_id = house.add("cached", graphs.doubling())
    body = {"input_data": {"x": [[4, 5, 6]]}}
    first = predict(house, model_id, **body)
    again = predict(house, model_id, **body)
    assert (first.headers["X-Cache"], again.headers["X-Cache"]) == ("MISS", "HIT")
    assert (again.json["cached"], again.json["output_data"]) == (True, first.json["output_data"])
    assert again.json["id"] != first.json["id"]
    assert predict(house, model_id, input_data={"x": [[4, 5, 6.0000005]]}).headers["X-Cache"] == "MISS", (
        "keys are exact"
    )
    assert predict(house, model_id, **body, skip_cache=True).headers["X-Cache"] == "MISS"
    house.call("PATCH", f"/api/v1/models/{model_id}", json={"description": "changed"})
    assert predict(house, model_id, **body).headers["X-Cache"] == "MISS"
    metrics = house.get("/api/v1/cache/metrics").json["prediction_cache"]
    assert metrics["hits"] >= 1
    assert metrics["total_requests"] == metrics["hits"] + metrics["misses"]
    assert (metrics["enabled"], metrics["ttl_seconds"]) == (True, 300)
    house.post("/api/v1/cache/metrics/reset")
    assert house.get("/api/v1/cache/metrics").json["prediction_cache"]["total_requests"] == 0


def test_the_history_of_a_model(house: House) -> None:
    model_id = house.add("remembered", graphs.doubling())
    for number in range(3):
        predict(house, model_id, input_data={"x": [[number, 0, 0]]}, request_id=f"r{number}")
    predict(house, model_id, input_data={"x": [[2, 0, 0]]})
    send_npy(house, model_id, npy(np.zeros((3000, 3), np.float32)))
    path = f"/api/v1/models/{model_id}/predictions"
    items = house.get(path).json["items"]
    assert [one["request_id"] for one in items[2:]] == ["r2", "r1", "r0"]
    assert (items[0]["truncated"], items[0]["input_data"], items[0]["rows"]) == (True, None, 3000)
    assert (items[1]["cached"], items[1]["output_data"]) == (True, {"y": [[4.0, 0.0, 0.0]]})
    assert (items[4]["input_data"], items[4]["truncated"]) == ({"x": [[0, 0, 0]]}, False)
    first = house.get(f"{path}?limit=2").json
    second = house.get(first["next"].partition("localhost")[2]).json
    assert [one["id"] for one in first["items"] + second["items"]] == [one["id"] for one in items[:4]]
    page = house.get(f"{path}?page=2&page_size=2").json
    assert (page["total"], [one["id"] for one in page["items"]]) == (5, [one["id"] for one in items[2:4]])
    latency = house.get(f"/api/v1/models/{model_id}/latency").json
    assert (latency["predictions"], latency["cached"], latency["failed"]) == (5, 1, 0)
    assert 0 <= latency["p50_ms"] <= latency["p95_ms"] <= latency["p99_ms"]
    assert sum(point["predictions"] for point in latency["points"]) == 5
    refused(house.get(path, house.issue_key("nosy")), 404, "not_found")
    metrics = house.get("/metrics").get_data(as_text=True)
    assert 'predictions_total{outcome="cached"}' in metrics
    assert 'predictions_total{outcome="made"}' in metrics
    assert house.get("/health/detailed").json["services"]["models"]["loaded"] >= 1


def test_what_postgres_cannot_keep_costs_nobody_their_history(house: House) -> None:
    text = house.add("nul", graphs.identity(TensorProto.STRING))
    model_id = house.add("beside nul", graphs.doubling())
    predict(house, model_id, input_data={"x": [[1, 1, 1]]}, request_id="before")
    tensor = {"name": "x", "shape": [1, 2], "datatype": "BYTES", "data": ["a\0b", ""]}
    body = json.dumps({"id": "\0", "inputs": [tensor]})  # elsewhere JSON with NULs is refused
    answer = house.post("/v2/models/nul/infer", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json["outputs"][0]["data"]) == (200, ["a\0b", ""])
    predict(house, model_id, input_data={"x": [[1, 1, 1]]}, request_id="after")
    kept = house.get(f"/api/v1/models/{model_id}/predictions").json["items"]
    assert [one["request_id"] for one in kept] == ["after", "before"]
    (one,) = house.get(f"/api/v1/models/{text}/predictions").json["items"]
    assert (one["input_data"], one["truncated"], one["request_id"]) == (None, True, "\N{REPLACEMENT CHARACTER}")


def test_the_history_goes_with_its_time_and_its_model(house: House) -> None:
    model_id = house.add("forgotten", graphs.doubling())
    for number in range(4):
        predict(house, model_id, input_data={"x": [[number, 9, 9]]})
    house.serving.history.flush()
    some = tuple(one for (one,) in house.rows("select id from predictions where model_id = %s limit 2", model_id))
    house.rows("update predictions set created_at = now() - interval '8 days' where id in %s", some)
    cleaned = house.post("/api/v1/admin/cleanup").json["removed"]
    assert cleaned["predictions"] >= 2
    assert len(house.get(f"/api/v1/models/{model_id}/predictions").json["items"]) == 2
    house.call("DELETE", f"/api/v1/models/{model_id}")
    house.post("/api/v1/admin/cleanup")
    assert house.rows("select count(*) from predictions where model_id = %s", model_id) == [(0,)]
