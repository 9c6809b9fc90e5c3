"""Models through their routes: made, sent, validated, listed, changed, deleted."""

from __future__ import annotations

import hashlib
import threading
from uuid import UUID, uuid4

import pytest

from tests.serving import graphs
from tests.serving.house import House, refused

HOUSE = {"MAX_MODEL_SIZE_BYTES": 1_000_000}


def blobs(house: House) -> int:
    return int(house.rows("select count(*) from blobs where state = 'stored'")[0][0])


def test_from_nothing_to_ready(house: House) -> None:
    data = graphs.doubling()
    answer = house.post(
        "/api/v1/models",
        {"name": "first", "description": "d", "model_metadata": {"team": "a"}, "tags": ["x", "y", "x"]},
    )
    model = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/models/{model['id']}"
    assert (model["status"], model["version"], model["tags"]) == ("pending", "1.0.0", ["x", "y"])
    assert model["file_hash"] is model["input_schema"] is model["found"] is None

    sent = house.upload(model["id"], data)
    assert sent.status_code == 200
    assert sent.json["status"] == "uploaded"
    assert sent.json["file_hash"] == hashlib.sha256(data).hexdigest()
    assert sent.json["file_size_bytes"] == len(data)

    validated = house.validate(model["id"])
    assert (validated["valid"], validated["status"], validated["error_message"]) == (True, "ready", None)
    schema = {"name": "x", "dtype": "float32", "shape": [None, 3], "axes": ["batch", None]}
    assert validated["input_schema"] == [schema]
    assert validated["output_schema"] == [{**schema, "name": "y"}]

    ready = house.get(f"/api/v1/models/{model['id']}").json
    assert ready["model_metadata"] == {"team": "a"}, "what the user keeps with it is left alone"
    assert ready["file_hash"] == sent.json["file_hash"]
    found = ready["found"]
    assert (found["opsets"], found["ir_version"], found["producer_name"]) == ({"ai.onnx": 17}, 8, "tests")
    assert (found["operators"], found["parameters"], found["deterministic"]) == ({"Mul": 1}, 1, True)
    assert (found["row_by_row"], found["warms_up"], found["notes"]) == (True, True, [])
    assert found["memory_bytes"] >= len(data)


def test_a_raw_body_is_taken_and_validated_at_once(house: House) -> None:
    model_id = house.make("raw")
    answer = house.post(
        f"/api/v1/models/{model_id}/upload?validate=true&wait=30",
        data=graphs.doubling(),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 200
    assert (answer.json["validation"]["valid"], answer.json["status"]) == (True, "ready")


def test_a_file_that_cannot_be_served_is_a_problem_when_it_is_validated_at_once(house: House) -> None:
    model_id = house.make("refused")
    path = f"/api/v1/models/{model_id}"
    for content, status in ((b"PK\x03\x04zip", "pending"), (b"\x08\x08nonsense", "error")):
        problem = refused(house.post(f"{path}/upload?validate=true&wait=30", data=content), 422, "invalid_model")
        model = house.get(path).json
        assert (model["status"], problem.get("model_status", "pending")) == (status, status)
    assert model["error_message"] == problem["detail"]
    assert house.post(f"{path}/upload?validate=true&wait=30", data=graphs.doubling()).json["status"] == "ready"


def test_name_and_version_are_taken_once_for_each_owner(house: House) -> None:
    house.make("taken", "1.2.3")
    refused(house.post("/api/v1/models", {"name": "taken", "version": "1.2.3"}), 409, "model_exists")
    house.make("taken", "1.2.3", house.issue_key("somebody"))
    other = house.make("taken", "1.2.4")
    refused(house.call("PATCH", f"/api/v1/models/{other}", json={"version": "1.2.3"}), 409, "model_exists")
    assert house.get(f"/api/v1/models/{other}").json["version"] == "1.2.4"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": " a"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "a", "version": "one"}, "version"),
        ({"name": "a", "version": "1.0.0-01"}, "version"),
        ({"name": "a", "tags": ["a,b"]}, "tags"),
        ({"name": "a", "status": "ready"}, "status"),
        ({"name": "a", "model_metadata": {"k": "x" * 70_000}}, "model_metadata"),
    ],
)
def test_what_no_model_can_be(house: House, wanted: dict[str, object], field: str) -> None:
    problem = refused(house.post("/api/v1/models", wanted), 422, "validation_error")
    assert problem["errors"][0]["field"] == field


def test_equal_files_are_kept_once_and_go_with_the_last_model(house: House) -> None:
    before, data = blobs(house), graphs.doubling(7.0)
    first, second = house.make("once", "1.0.0"), house.make("once", "2.0.0")
    house.upload(first, data)
    house.upload(second, data)
    assert blobs(house) == before + 1
    assert house.call("DELETE", f"/api/v1/models/{first}").status_code == 204
    assert blobs(house) == before + 1
    assert house.validate(second)["valid"]
    assert house.call("DELETE", f"/api/v1/models/{second}").status_code == 204
    assert blobs(house) == before
    refused(house.get(f"/api/v1/models/{second}"), 404, "not_found")


def test_a_file_that_was_left_behind_is_swept(house: House) -> None:
    """The process that deleted its model died before it deleted the file."""
    before, model_id = blobs(house), house.make("left behind")
    house.upload(model_id, graphs.doubling(13.0))
    house.rows("delete from models where id = %s", model_id)
    assert blobs(house) == before + 1
    cleaned = house.post("/api/v1/admin/cleanup?dry_run=true").json["removed"]
    assert cleaned["model_files"] == 1
    house.post("/api/v1/admin/cleanup")
    assert blobs(house) == before


def test_another_owner_shares_no_file(house: House) -> None:
    before, data, key = blobs(house), graphs.doubling(8.0), house.issue_key("other owner")
    house.upload(house.make("shared"), data)
    house.upload(house.make("shared", key=key), data, key)
    assert blobs(house) == before + 2


def test_a_file_that_cannot_be_served_is_replaced(house: House) -> None:
    before = blobs(house)
    model_id = house.make("mended")
    assert house.upload(model_id, b"\x08\x08nonsense").status_code == 200
    validated = house.validate(model_id)
    assert (validated["valid"], validated["status"]) == (False, "error")
    assert "not ONNX" in validated["error_message"]
    assert house.get(f"/api/v1/models/{model_id}").json["error_message"] == validated["error_message"]
    assert house.upload(model_id, graphs.doubling(9.0)).status_code == 200
    assert house.validate(model_id)["valid"]
    assert blobs(house) == before + 1
    refused(house.upload(model_id, graphs.doubling(10.0)), 409, "file_not_taken")
    refused(house.post(f"/api/v1/models/{model_id}/validate"), 409, "nothing_to_validate")
    assert blobs(house) == before + 1


def test_without_a_file_there_is_nothing_to_validate(house: House) -> None:
    model_id = house.make("empty")
    refused(house.post(f"/api/v1/models/{model_id}/validate"), 409, "nothing_to_validate")
    refused(house.post(f"/api/v1/models/{uuid4()}/validate"), 404, "not_found")


def test_too_large_a_file_leaves_nothing(house: House) -> None:
    before, model_id = blobs(house), house.make("large")
    refused(house.upload(model_id, b"\x08\x08" + bytes(1_000_000)), 413, "too_large")
    refused(house.upload(model_id, bytes(2_000_000)), 413, "too_large")
    assert blobs(house) == before
    assert house.get(f"/api/v1/models/{model_id}").json["status"] == "pending"


def test_two_uploads_at_once_leave_one_file(house: House) -> None:
    before, model_id = blobs(house), house.make("race")
    statuses: list[int] = []

    def send(factor: float) -> None:
        client = house.app.test_client()
        sent = client.post(
            f"/api/v1/models/{model_id}/upload",
            data=graphs.doubling(factor),
            headers={**house.master, "Content-Type": "application/octet-stream"},
        )
        statuses.append(sent.status_code)

    threads = [threading.Thread(target=send, args=(100.0 + number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 409}
    assert 200 in statuses
    assert blobs(house) == before + 1
    assert house.validate(model_id)["valid"]


@pytest.mark.parametrize("status", ["ready", "uploaded", "validating", "error"])
def test_no_status_is_given_that_was_not_earned(house: House, status: str) -> None:
    model_id = house.make(f"unearned-{status}")
    refused(house.call("PATCH", f"/api/v1/models/{model_id}", json={"status": status}), 409, "status_not_earned")


def test_archived_and_back(house: House) -> None:
    model_id = house.add("archive", graphs.doubling(11.0))
    path = f"/api/v1/models/{model_id}"
    assert house.call("PATCH", path, json={"status": "archived"}).json["status"] == "archived"
    refused(house.upload(model_id, graphs.doubling()), 409, "file_not_taken")
    refused(house.call("PATCH", path, json={"status": "pending"}), 409, "status_not_earned")
    assert house.call("PATCH", path, json={"status": "ready"}).json["status"] == "ready"


def test_a_patch_changes_what_was_sent_and_no_more(house: House) -> None:
    model_id = house.make("patched", description="old", tags=["a"], model_metadata={"k": 1})
    path = f"/api/v1/models/{model_id}"
    changed = house.call("PATCH", path, json={"description": "new", "batching": {"max_size": 8}}).json
    assert (changed["description"], changed["tags"], changed["model_metadata"]) == ("new", ["a"], {"k": 1})
    assert changed["batching"] == {"enabled": True, "max_size": 8, "max_delay_ms": 0}
    assert house.call("PATCH", path, json={"description": None}).json["description"] is None
    refused(house.call("PATCH", path, json={"color": "red"}), 422, "validation_error")


def test_lists_are_filtered_and_paged(house: House) -> None:
    key = house.issue_key("lister")
    ids = [house.make("many", f"1.0.{number}", key, tags=["even"] * (number % 2 == 0)) for number in range(5)]
    house.make("single", key=key, description="A Rare thing")

    def names(query: str) -> list[str]:
        answer = house.get(f"/api/v1/models{query}", key)
        assert answer.status_code == 200, answer.json
        return [item["id"] for item in answer.json["items"]]

    assert names("?name=many") == ids[::-1]
    assert names("?tag=even") == [ids[4], ids[2], ids[0]]
    assert len(names("?search=rare")) == 1
    assert names("?search=%25") == []
    assert len(names("?status=pending")) == 6
    assert names("?status=ready") == []
    page = house.get("/api/v1/models?page=2&page_size=4", key).json
    assert (page["total"], page["page"], page["page_size"], len(page["items"])) == (6, 2, 4, 2)
    first = house.get("/api/v1/models?limit=4", key).json
    rest = house.get(first["next"].partition("localhost")[2], key).json
    assert [item["id"] for item in first["items"] + rest["items"]] == names("")
    assert rest["next"] is None


def test_a_strangers_model_is_not_there(house: House) -> None:
    model_id, key = house.make("hidden"), house.issue_key("stranger")
    path = f"/api/v1/models/{model_id}"
    for answer in (
        house.get(path, key),
        house.call("PATCH", path, key, json={"description": "mine"}),
        house.call("DELETE", path, key),
        house.upload(model_id, graphs.doubling(), key),
        house.post(f"{path}/validate", key=key),
        house.get("/api/v1/models/by-name/hidden/versions", key),
    ):
        refused(answer, 404, "not_found")
    assert house.get("/api/v1/models", key).json["items"] == []
    assert UUID(model_id)


def test_a_key_that_may_only_read(house: House) -> None:
    key = house.issue_key("reader", scopes=["read"])
    refused(house.post("/api/v1/models", {"name": "a"}, key), 403, "forbidden")


def test_an_upload_keeps_within_the_owners_quota(house: House) -> None:
    key = house.issue_key("small", storage_quota_bytes=100)
    model_id = house.make("over", key=key)
    refused(house.upload(model_id, graphs.doubling(), key), 413, "storage_quota")
