"""Predictions through their routes: what is taken, what is answered, what is refused."""

from __future__ import annotations

import io
import threading
import time
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.serving import graphs
from tests.serving.graphs import BOOL, FLOAT, INT64, STRING, data, node
from tests.serving.house import House, refused

HOUSE = {"PREDICT_TIMEOUT_SECONDS": 3, "MODEL_RUN_BYTES": 2**28, "MAX_UPLOAD_BYTES": 2_000_000}


@pytest.fixture(scope="module")
def doubling(house: House) -> str:
    return house.add("doubling", graphs.doubling(), "1.0.0")


def predict(house: House, model_id: str, **body: Any) -> Any:
    return house.post(f"/api/v1/models/{model_id}/predict", body)


def test_the_fields_of_a_prediction(house: House, doubling: str) -> None:
    answer = predict(house, doubling, input_data={"x": [[1, 2, 3.5]]}, request_id="mine")
    assert (answer.status_code, answer.headers["X-Cache"]) == (201, "MISS")
    told = answer.json
    assert told["output_data"] == {"y": [[2.0, 4.0, 7.0]]}
    assert told["input_data"] == {"x": [[1, 2, 3.5]]}
    assert (told["model_id"], told["model_name"], told["model_version"]) == (doubling, "doubling", "1.0.0")
    assert (told["cached"], told["request_id"]) == (False, "mine")
    assert told["inference_time_ms"] >= 0
    assert told["id"] != doubling
    assert told["created_at"].endswith("Z")


def test_instances_are_answered_in_their_order(house: House, doubling: str) -> None:
    rows = [[number, 0.5, -number] for number in range(1000)]
    answer = predict(house, doubling, instances=rows)
    assert answer.json["predictions"] == [[2 * number, 1.0, -2 * number] for number in range(1000)]
    assert answer.json["output_data"] is answer.json["input_data"] is None
    named = predict(house, doubling, instances=[{"x": [1, 1, 1]}, {"x": [2, 2, 2]}])
    assert named.json["predictions"] == [[2, 2, 2], [4, 4, 4]]


def test_several_inputs_and_outputs_as_rows(house: House) -> None:
    model_id = house.add(
        "two",
        data(
            [node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])],
            [("a", FLOAT, ["n", 1]), ("b", FLOAT, ["n", 1])],
            [("sum", FLOAT, ["n", 1]), ("difference", FLOAT, ["n", 1])],
        ),
    )
    answer = predict(house, model_id, instances=[{"a": [3], "b": [1]}, {"b": [2], "a": [5]}])
    assert answer.json["predictions"] == [{"sum": [4], "difference": [2]}, {"sum": [7], "difference": [3]}]
    for wrong in ([[1], [2]], [{"a": [1]}], [{"a": [1], "b": [1], "c": [1]}]):
        refused(predict(house, model_id, instances=wrong), 422, "invalid_input")
    problem = refused(predict(house, model_id, input_data={"a": [[1.0]], "b": [[1.0], [2.0]]}), 422, "invalid_input")
    assert "'n' is 1 in the input 'a': both must be the same" in problem["detail"]


@pytest.mark.parametrize(
    ("value", "came"),
    [
        ([1, 2, 3], "float32 [3]"),
        ([[1, 2]], "float32 [1, 2]"),
        ([[[1, 2, 3]]], "float32 [1, 1, 3]"),
        (5, "float32 []"),
        ([], "float32 [0]"),
        ([[]], "float32 [1, 0]"),
        ([[1, 2, 3], [1, 2]], "a list of 2 where others have 3 at [1]"),
        ([[1, 2, 3], 4], "a value where others have a list at [1]"),
        ([[1, "a", 3]], "the string 'a' at [0][1]"),
        ([[1, None, 3]], "a null at [0][1]"),
        ([[1, True, 3]], "a boolean at [0][1]"),
        ([[1, {"v": 2}, 3]], "a object at [0][1]"),
        ([[1, 1e39, 3]], "the number 1e+39 at [0][1]"),
        ({"x": 1}, "a object"),
        (None, "a null"),
    ],
)
def test_what_does_not_fit_is_named(house: House, doubling: str, value: Any, came: str) -> None:
    problem = refused(predict(house, doubling, input_data={"x": value}), 422, "invalid_input")
    assert (problem["input"], problem["came"], problem["expected"]) == ("x", came, "float32 [batch, 3]")
    assert came in problem["detail"]


def test_lists_too_deep_are_refused(house: House, doubling: str) -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    assert "nested lists" in refused(predict(house, doubling, input_data={"x": deep}), 422, "invalid_input")["came"]


def test_instances_of_several_outputs_of_several_types(house: House) -> None:
    """As classifiers of scikit-learn have them: a label, and shares."""
    types = {"n": (INT64, [7, 9]), "s": (STRING, ["a", "b"]), "b": (BOOL, [True, False]), "f": (FLOAT, [0.5, 0.1])}
    graph = data(
        [node("Identity", [name], [f"{name}_out"]) for name in types],
        [(name, dtype, ["rows"]) for name, (dtype, _) in types.items()],
        [(f"{name}_out", dtype, ["rows"]) for name, (dtype, _) in types.items()],
    )
    rows = [{name: values[place] for name, (_, values) in types.items()} for place in range(2)]
    answer = predict(house, house.add("several types", graph), instances=rows)
    assert answer.status_code == 201, answer.json
    assert answer.json["predictions"] == [{f"{name}_out": value for name, value in row.items()} for row in rows]


def test_inputs_are_all_there_and_no_others(house: House, doubling: str) -> None:
    missing = refused(predict(house, doubling, input_data={}), 422, "invalid_input")
    assert "Missing: 'x'" in missing["detail"]
    unknown = refused(predict(house, doubling, input_data={"x": [[1, 2, 3]], "Zed": 1}), 422, "invalid_input")
    assert "Unknown: 'Zed'" in unknown["detail"]
    refused(predict(house, doubling), 422, "validation_error")
    refused(predict(house, doubling, input_data={"x": [[1, 2, 3]]}, instances=[[1, 2, 3]]), 422, "validation_error")
    refused(predict(house, doubling, instances=[]), 422, "validation_error")
    refused(predict(house, doubling, input_data={"x": [[1, 2, 3]]}, colour=1), 422, "validation_error")


def test_nan_and_infinity_come_and_go_as_words(house: House, doubling: str) -> None:
    answer = predict(house, doubling, input_data={"x": [["NaN", "Infinity", "-Infinity"]]})
    assert answer.json["output_data"] == {"y": [["NaN", "Infinity", "-Infinity"]]}
    raw = house.post(
        f"/api/v1/models/{doubling}/predict",
        data='{"input_data": {"x": [[NaN, 1, 2]]}}',
        headers={"Content-Type": "application/json"},
    )
    assert "not valid JSON" in refused(raw, 422, "validation_error")["detail"]


@pytest.mark.parametrize(
    ("dtype", "good", "bad"),
    [
        (TensorProto.FLOAT16, [[0.5, -2]], [[1e6, 0]]),
        (TensorProto.DOUBLE, [[1e300, 0.1]], [["a", 0]]),
        (TensorProto.INT8, [[-128, 127]], [[128, 0]]),
        (TensorProto.UINT64, [[0, 18446744073709551615]], [[-1, 0]]),
        (TensorProto.INT64, [[-9223372036854775808, 2.0]], [[2.5, 0]]),
        (TensorProto.BOOL, [[True, False]], [[1, 0]]),
        (TensorProto.STRING, [["ä", ""]], [[1, "a"]]),
    ],
)
def test_each_type_is_taken_strictly(house: House, dtype: int, good: Any, bad: Any) -> None:
    model_id = house.add(f"type {dtype}", graphs.identity(dtype))
    assert predict(house, model_id, input_data={"x": good}).json["output_data"] == {"y": good}
    refused(predict(house, model_id, input_data={"x": bad}), 422, "invalid_input")


@pytest.mark.parametrize("number", ["-9223372036854775809", "9223372036854775808", "9007199254740993.0", "1e999"])
def test_no_integer_becomes_another_one(house: House, number: str) -> None:
    """JSON's numbers beyond 64 bits, and those with a point, are read as floating-point ones."""
    name = f"whole {number}"
    house.add(name, graphs.identity(TensorProto.INT64))
    answer = house.post(
        f"/api/v1/models/by-name/{name}/predict",
        data=f'{{"input_data": {{"x": [[{number}, 0]]}}}}',
        headers={"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_a_scalar_and_sequences_of_maps(house: House) -> None:
    scalar = house.add("scalar", graphs.identity(FLOAT, ()))
    assert predict(house, scalar, input_data={"x": 1.5}).json["output_data"] == {"y": 1.5}
    assert refused(predict(house, scalar, instances=[1.5]), 422, "invalid_input")["came"] == "`instances`"
    from onnx import helper

    graph = helper.make_graph(
        [node("ZipMap", ["x"], ["y"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"])],
        "g",
        [helper.make_tensor_value_info("x", FLOAT, [None, 2])],
        [helper.make_value_info("y", helper.make_sequence_type_proto(
            helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(FLOAT, []))))],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    maps = house.add("maps", helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    answer = predict(house, maps, input_data={"x": [[0.25, 0.75]]})
    assert answer.json["output_data"] == {"y": [{"no": 0.25, "yes": 0.75}]}


def npy(array: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **more)
    return file.getvalue()


def send_npy(house: House, model_id: str, body: bytes, query: str = "", **headers: str) -> Any:
    path = f"/api/v1/models/{model_id}/predict{query}"
    return house.post(path, data=body, headers={"Content-Type": "application/x-npy", **headers})


def test_npy_in_and_out(house: House, doubling: str) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    answer = send_npy(house, doubling, npy(array), Accept="application/x-npy")
    assert (answer.status_code, answer.mimetype) == (201, "application/x-npy")
    given = np.load(io.BytesIO(answer.data))
    assert given.dtype == np.float32
    assert np.array_equal(given, array * 2)
    for same in (array.astype("float64"), np.asfortranarray(array), array.astype(">f4"), array.astype("int32")):
        assert send_npy(house, doubling, npy(same)).json["output_data"] == {"y": (array * 2).tolist()}
    form = {"x": (io.BytesIO(npy(array)), "x.npy")}
    assert house.post(f"/api/v1/models/{doubling}/predict", data=form).json["output_data"] == {
        "y": (array * 2).tolist()
    }


def test_npy_that_is_not_taken(house: House, doubling: str) -> None:
    whole = npy(np.zeros((1, 3), np.float32))
    lying = whole.replace(b"(1, 3)", b"(9, 3)")
    objects = npy(np.array([[{}, 1, 2]], dtype=object), allow_pickle=True)
    for body in (b"", b"nothing", whole[:-1], lying, objects, npy(np.zeros((1, 3), "M8[s]")), npy(np.zeros((1, 4)))):
        refused(send_npy(house, doubling, body), 422, "invalid_input")
    assert "never read" in send_npy(house, doubling, objects).json["detail"]
    too_big = np.array([[1e300, 0, 0]])
    assert "beyond float32" in send_npy(house, doubling, npy(too_big)).json["detail"]
    answer = send_npy(house, doubling, whole, "?output=z", Accept="application/x-npy")
    refused(answer, 406, "not_acceptable")
    refused(send_npy(house, doubling, whole, "?skip_cache=perhaps"), 422, "validation_error")


def raw_npy(dtype: str, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data


def test_npy_that_no_array_can_be(house: House, doubling: str) -> None:
    text = house.add("npy text", graphs.identity(TensorProto.STRING))
    for model_id, body in (
        (doubling, raw_npy("<f4", f"({2**70}, 0)", b"")),
        (doubling, raw_npy("<f4", "(0, 3)", b"")),
        (text, raw_npy("<U0", "(1, 2)", b"")),
        (text, raw_npy("<U1", "(1, 2)", b"\x00\xd8\x00\x00" * 2)),  # half a surrogate pair
        (text, raw_npy("<U1", "(1, 2)", b"\xff" * 8)),  # beyond Unicode
    ):
        refused(send_npy(house, model_id, body), 422, "invalid_input")
    assert send_npy(house, text, npy(np.array([["ä", "bc"]]))).json["output_data"] == {"y": [["ä", "bc"]]}
    uneven = [["x" * 100_000, ""]] + [["", ""]] * 1000
    answer = house.post(
        f"/api/v1/models/{text}/predict", {"input_data": {"x": uneven}}, headers={"Accept": "application/x-npy"}
    )
    assert "ask for JSON" in refused(answer, 406, "not_acceptable")["detail"]


def test_what_is_sent_as_something_else(house: House, doubling: str) -> None:
    path = f"/api/v1/models/{doubling}/predict"
    plain = house.post(path, data="1,2,3", headers={"Content-Type": "text/plain"})
    refused(plain, 415, "unsupported_media_type")
    large = house.post(path, data=b"[" * 3_000_000, headers={"Content-Type": "application/json"})
    refused(large, 413, "too_large")


def test_models_that_are_not_there_or_not_ready(house: House) -> None:
    refused(predict(house, "01936d00-0000-7000-8000-000000000000", input_data={}), 404, "not_found")
    pending = house.make("not yet")
    problem = refused(predict(house, pending, input_data={"x": 1}), 409, "model_not_ready")
    assert problem["model_status"] == "pending"
    house.upload(pending, b"\x08\x08nonsense")
    house.validate(pending)
    assert "not ONNX" in refused(predict(house, pending, input_data={"x": 1}), 409, "model_not_ready")["detail"]
    ready = house.add("gone soon", graphs.doubling())
    assert predict(house, ready, input_data={"x": [[1, 2, 3]]}).status_code == 201
    house.call("PATCH", f"/api/v1/models/{ready}", json={"status": "archived"})
    refused(predict(house, ready, input_data={"x": [[1, 2, 3]]}), 409, "model_not_ready")
    house.call("DELETE", f"/api/v1/models/{ready}")
    refused(predict(house, ready, input_data={"x": [[1, 2, 3]]}), 404, "not_found")
    key = house.issue_key("somebody else")
    mine = house.add("mine", graphs.doubling())
    refused(house.post(f"/api/v1/models/{mine}/predict", {"input_data": {}}, key), 404, "not_found")
    refused(house.post("/api/v1/models/by-name/mine/predict", {"input_data": {}}, key), 404, "not_found")


def test_what_is_random_is_not_cached(house: House) -> None:
    model_id = house.add(
        "random",
        data(
            [node("RandomUniformLike", ["x"], ["noise"]), node("Add", ["x", "noise"], ["y"])],
            [("x", FLOAT, ["b", 2])],
            [("y", FLOAT, ["b", 2])],
        ),
    )
    answers = [predict(house, model_id, input_data={"x": [[1, 2]]}) for _ in range(3)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS"] * 3
    assert len({str(answer.json["output_data"]) for answer in answers}) == 3


def test_an_endless_prediction_is_answered_and_the_next_ones_go_on(house: House) -> None:
    model_id = house.add("at times endless", graphs.endless())
    assert predict(house, model_id, input_data={"x": [-1]}).status_code == 201
    began = time.monotonic()
    problem = refused(predict(house, model_id, input_data={"x": [9]}), 504, "prediction_timeout")
    assert time.monotonic() - began < 10
    assert "PREDICT_TIMEOUT_SECONDS" in problem["detail"]
    assert predict(house, model_id, input_data={"x": [-2]}).status_code == 201
    failed = house.get(f"/api/v1/models/{model_id}/predictions?status=failed").json["items"]
    assert [one["error"] for one in failed] == ["prediction_timeout"]


def test_a_model_that_fails_says_so(house: House) -> None:
    picking = house.add("picking", graphs.picking())
    problem = refused(predict(house, picking, input_data={"x": [7]}), 422, "prediction_failed")
    assert "Gather" in problem["detail"]
    assert "onnxruntime_src" not in problem["detail"]
    filling = house.add("filling", graphs.filling())
    problem = refused(predict(house, filling, input_data={"n": [10_000_000_000]}), 422, "prediction_failed")
    assert "more memory than MODEL_RUN_BYTES allows" in problem["detail"]
    assert predict(house, filling, input_data={"n": [2]}).json["output_data"] == {"y": [0, 0]}


def test_rows_of_several_requests_share_a_run_and_keep_to_themselves(house: House) -> None:
    """One of them fails, and fails alone."""
    model_id = house.add("together", graphs.picking(), batching={"max_size": 64, "max_delay_ms": 100})
    answers: dict[int, Any] = {}

    def ask(number: int) -> None:
        client = house.app.test_client()
        index = 9 if number == 5 else number % 3
        body = {"input_data": {"x": [index]}, "skip_cache": True}
        answers[number] = client.post(f"/api/v1/models/{model_id}/predict", json=body, headers=house.master)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused(answers.pop(5), 422, "prediction_failed")
    assert {number: answer.json["output_data"]["y"] for number, answer in answers.items()} == {
        number: [[10, 20, 30][number % 3]] for number in answers
    }


def test_deleting_while_others_predict(house: House) -> None:
    model_id = house.add("deleted", graphs.doubling(77.0))
    codes: set[int] = set()
    stop = threading.Event()

    def ask() -> None:
        client = house.app.test_client()
        number = 0
        while not stop.is_set():
            number += 1
            body = {"input_data": {"x": [[number, 0, 0]]}}
            answer = client.post(f"/api/v1/models/{model_id}/predict", json=body, headers=house.master)
            codes.add(answer.status_code)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert house.call("DELETE", f"/api/v1/models/{model_id}").status_code == 204
    time.sleep(0.2)
    stop.set()
    for thread in threads:
        thread.join()
    assert codes == {201, 404}
