"""Files that must not be served: each is refused with its reason, and neither hangs nor kills anything."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import onnx
import pytest
from onnx import TensorProto, helper

from tests.serving import graphs
from tests.serving.graphs import FLOAT, STRING, data, node
from tests.serving.house import House, refused

HOUSE = {"MODEL_RUN_BYTES": 2**26}


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.onnx", graphs.doubling())
    return file.getvalue()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "empty"),
        (_zip(), "a zip archive"),
        (b"\x80\x04\x95pickle", "a pickle"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"<!DOCTYPE html>", "a web page"),
    ],
    ids=["empty", "zip", "pickle", "gzip", "html"],
)
def test_what_is_surely_no_onnx_is_refused_when_it_is_sent(house: House, sent: bytes, said: str) -> None:
    model_id = house.make(f"no onnx: {said}")
    assert said in refused(house.upload(model_id, sent), 422, "invalid_model")["detail"]
    assert house.get(f"/api/v1/models/{model_id}").json["status"] == "pending"
    assert house.rows("select count(*) from blobs") == [(0,)] or house.rows(
        "select count(*) from model_files f where f.size = %s", len(sent)
    ) == [(0,)]


def _truncated() -> bytes:
    whole = graphs.doubling()
    return whole[: len(whole) // 2]


def _custom_operator() -> bytes:
    return data(
        [node("Evil", ["x"], ["y"], domain="com.evil")],
        [("x", FLOAT, [None])],
        [("y", FLOAT, [None])],
        domains=[("com.evil", 1)],
    )


def _external() -> TensorProto:
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def _in_a_sparse_constant() -> bytes:
    """External data where a careless check does not look."""
    sparse = helper.make_sparse_tensor(_external(), helper.make_tensor("i", TensorProto.INT64, [1], [0]), [3])
    constant = node("Constant", [], ["c"], sparse_value=sparse)
    return data([constant, node("Add", ["x", "c"], ["y"])], [("x", FLOAT, [3])], [("y", FLOAT, [3])])


def _in_a_functions_default() -> bytes:
    """External data in what an attribute of a function is where nobody says it."""
    constant = node("Constant", [], ["c"])
    constant.attribute.add(name="value", ref_attr_name="w", type=onnx.AttributeProto.TENSOR)
    nodes, opsets = [constant, node("Add", ["x", "c"], ["y"])], [helper.make_opsetid("", 17)]
    default = helper.make_attribute("w", _external())
    function = helper.make_function("own", "F", ["x"], ["y"], nodes, opsets, attribute_protos=[default])
    made = graphs.model(
        [node("F", ["x"], ["y"], domain="own")], [("x", FLOAT, [1])], [("y", FLOAT, [1])], domains=[("own", 1)]
    )
    made.functions.append(function)
    return bytes(made.SerializeToString())


def _in_a_subgraph() -> bytes:
    """The same in a branch of an If."""
    inner = helper.make_graph(
        [node("Constant", [], ["z"], value=_external())], "then", [], [helper.make_tensor_value_info("z", FLOAT, [1])]
    )
    branch = node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)
    return data([branch], [("c", graphs.BOOL, [])], [("y", FLOAT, [1])])


def _identity(came: str, went: str) -> bytes:
    return data([node("Identity", [came], [went])], [(came, FLOAT, [1])], [(went, FLOAT, [1])])


def _lying_weights() -> bytes:
    made = graphs.model(
        [node("Identity", ["w"], ["y"]), node("Identity", ["x"], ["z"])],
        [("x", FLOAT, [1])],
        [("y", FLOAT, None), ("z", FLOAT, [1])],
        {"w": [1.0, 2.0]},
    )
    made.graph.initializer[0].dims[0] = 1_000_000
    return bytes(made.SerializeToString())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: b"this is no model at all", "not ONNX"),
        (_truncated, "not ONNX, or not all of it"),
        (lambda: graphs.with_external_data("../../etc/passwd"), "in another file, which is never opened"),
        (lambda: graphs.with_external_data("/etc/passwd"), "in another file"),
        (_in_a_subgraph, "in another file"),
        (_in_a_sparse_constant, "in another file"),
        (_in_a_functions_default, "in another file"),
        (lambda: graphs.doubling().replace(b"tests", b"te\xff\xfes"), "not as ONNX has it"),
        (lambda: _identity("x" * 501, "y"), "has over 500 characters"),
        (lambda: data([node("Cast", ["x"], ["y"], to=16)], [("x", FLOAT, [1])], [("y", 16, [1])]), "Cast to float32"),
        (_custom_operator, "com.evil"),
        (_lying_weights, "fewer bytes are there"),
        (graphs.huge_constant, "more than 2,147,483,648 numbers"),
        (lambda: graphs.huge_constant(30_000_000), "for a moment, to load it"),
        (lambda: graphs.identity(FLOAT, [0, 2]), "length zero"),
        (lambda: graphs.identity(TensorProto.BFLOAT16), "bfloat16"),
        (lambda: data([node("NoSuchOperator", ["x"], ["y"])], [("x", FLOAT, [1])], [("y", FLOAT, [1])]), "NoSuchOper"),
        (lambda: data([node("Add", ["x", "q"], ["y"])], [("x", FLOAT, [1])], [("y", FLOAT, [1])]), "q"),
        (lambda: data([], [("x", FLOAT, [1])], []), "no outputs"),
        (lambda: data([node("Constant", [], ["y"], value_float=1.0)], [], [("y", FLOAT, [])]), "no inputs"),
    ],
)
def test_what_cannot_be_served_is_found_by_validation(house: House, make: Callable[[], bytes], said: str) -> None:
    model_id = house.make(f"bad {said} {make}"[:200].replace("/", "-"))
    assert house.upload(model_id, make()).status_code == 200
    validated = house.validate(model_id)
    assert (validated["valid"], validated["status"]) == (False, "error")
    assert said in validated["error_message"]
    assert house.get(f"/api/v1/models/{model_id}").json["input_schema"] is None


def test_what_fails_on_a_made_up_input_is_served_with_a_note(house: House) -> None:
    model_id = house.add("choosy", graphs.picking([5.0]))
    found = house.get(f"/api/v1/models/{model_id}").json["found"]
    assert (found["warms_up"], found["row_by_row"]) == (False, False)
    assert "failed on a made-up input: Gather" in found["notes"][0]


def _small_letters(locale: str) -> bytes:
    texts = ("x", STRING, ["n"]), ("y", STRING, ["n"])
    lower = node("StringNormalizer", ["x"], ["y"], case_change_action="LOWER", locale=locale)
    return data([lower], texts[:1], texts[1:])


def test_a_locale_that_is_not_here_is_told_with_what_to_do(house: House) -> None:
    """As vectorizers of scikit-learn need one."""
    model_id = house.add("here", _small_letters("C.UTF-8"))
    answer = house.post(f"/api/v1/models/{model_id}/predict", {"input_data": {"x": ["\u00c4B"]}})
    assert answer.json["output_data"] == {"y": ["\u00e4b"]}
    nowhere = house.make("nowhere")
    house.upload(nowhere, _small_letters("xx_XX.UTF-8"))
    assert '"locale": "C.UTF-8"' in house.validate(nowhere)["error_message"]
