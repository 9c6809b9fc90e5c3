"""Models that take pictures and texts themselves."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.serving import graphs
from tests.serving.graphs import FLOAT, STRING, data, node
from tests.serving.house import House, refused

COLOURS = ["red", "green", "blue"]


def colour_model(layout: str = "NCHW") -> bytes:
    """The mean of each channel."""
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    shape = ["b", 3, 8, 16] if layout == "NCHW" else ["b", 8, 16, 3]
    return data(
        [node("ReduceMean", ["x"], ["y"], axes=axes, keepdims=0)], [("x", FLOAT, shape)], [("y", FLOAT, ["b", 3])]
    )


PRAISE = {"kind": "text", "activation": "sigmoid", "labels": ["praise"], "top": 1}


def word_model() -> bytes:
    """4 for good, -4 for bad, 0 for all other texts."""
    words = {"keys_strings": ["good", "bad"], "values_floats": [4.0, -4.0], "default_float": 0.0}
    judge = node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", **words)
    return data([judge], [("x", STRING, [None])], [("y", FLOAT, [None])], domains=[("ai.onnx.ml", 3)])


def picture(colour: tuple[int, int, int], kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(file, kind)
    return file.getvalue()


def look(house: House, model_id: str, body: bytes, kind: str = "image/png") -> Any:
    return house.post(f"/api/v1/models/{model_id}/predict", data=body, headers={"Content-Type": kind})


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_picture_is_labelled(house: House, layout: str) -> None:
    signature = {"kind": "image", "layout": layout, "labels": COLOURS, "top": 2}
    model_id = house.add(f"colours {layout}", colour_model(layout), signature=signature)
    answer = look(house, model_id, picture((0, 51, 255)))
    assert answer.status_code == 201, answer.json
    assert answer.json["labels"] == [
        {"id": 2, "label": "blue", "confidence": 1.0},
        {"id": 1, "label": "green", "confidence": 0.2},
    ]
    assert np.allclose(answer.json["output_data"]["y"], [[0, 0.2, 1]])
    form = {"file": (io.BytesIO(picture((255, 0, 0), "JPEG")), "a.jpg")}
    sent = house.post(f"/api/v1/models/{model_id}/predict", data=form)
    assert sent.json["labels"][0]["label"] == "red"
    assert house.get(f"/api/v1/models/{model_id}").json["signature"]["labels"] == COLOURS
    analyzed = house.post(
        f"/analyze?model=colours {layout}&version=1.0.0",
        data=picture((255, 0, 0)),
        headers={"Content-Type": "image/png"},
    )
    assert (analyzed.status_code, analyzed.json["labels"][0]["label"]) == (200, "red")


def test_normalising_and_the_order_of_colours(house: House) -> None:
    signature = {"kind": "image", "channels": "BGR", "scale": 1, "mean": [1, 2, 3], "std": [2, 2, 2], "fit": "stretch"}
    model_id = house.add("normalised", colour_model(), signature=signature)
    given = look(house, model_id, picture((10, 20, 30))).json["output_data"]["y"]
    assert np.allclose(given, [[(30 - 1) / 2, (20 - 2) / 2, (10 - 3) / 2]])


def test_a_text_is_labelled(house: House) -> None:
    model_id = house.add("words", word_model(), signature=PRAISE)
    answer = look(house, model_id, b"good", "text/plain; charset=utf-8")
    assert answer.status_code == 201, answer.json
    assert answer.json["labels"] == [{"id": 0, "label": "praise", "confidence": 0.982014}]
    refused(look(house, model_id, b"\xff\xfe", "text/plain"), 422, "invalid_input")


def test_scores_are_the_first_numbers_with_a_point(house: House) -> None:
    """As classifiers of scikit-learn give them: the label first, the scores after it."""
    nodes = [
        node("ReduceMean", ["x"], ["scores"], axes=[2, 3], keepdims=0),
        node("ArgMax", ["scores"], ["place"], axis=1, keepdims=0),
        node("Gather", ["names", "place"], ["label"]),
    ]
    came, label, scores = ("x", FLOAT, ["b", 3, 8, 16]), ("label", STRING, ["b"]), ("scores", FLOAT, ["b", 3])
    weights = {"names": np.array(COLOURS, dtype=object)}
    body = data(nodes, [came], [label, scores], weights)
    model_id = house.add("as scikit-learn", body, signature={"kind": "image", "labels": COLOURS, "top": 1})
    answer = look(house, model_id, picture((0, 255, 0)))
    assert (answer.status_code, answer.json["labels"][0]["label"]) == (201, "green"), answer.json
    assert answer.json["output_data"]["label"] == ["green"]
    words = {"kind": "image", "output": "label"}
    changed = house.call("PATCH", f"/api/v1/models/{model_id}", json={"signature": words})
    assert "the scores are numbers" in str(refused(changed, 422, "validation_error"))
    unscored = house.add("only words", data(nodes, [came], [label], weights), signature={"kind": "image"})
    answer = look(house, unscored, picture((0, 0, 255)))
    assert (answer.status_code, answer.json["labels"], answer.json["output_data"]["label"]) == (201, None, ["blue"])


def test_a_signature_that_does_not_fit_after_all_is_told(house: House) -> None:
    """It was changed while the file was validated."""
    model_id = house.add("changed meanwhile", graphs.doubling())
    house.rows("""update models set signature = '{"kind": "image"}' where id = %s""", model_id)
    house.serving.lookup.forget()
    assert "four dimensions" in str(refused(look(house, model_id, picture((0, 0, 0))), 422, "validation_error"))


def test_files_that_are_not_taken(house: House) -> None:
    plain = house.add("no signature", colour_model())
    refused(look(house, plain, picture((0, 0, 0))), 415, "unsupported_media_type")
    refused(house.post("/analyze?model=nobody", data=b"x", headers={"Content-Type": "text/plain"}), 404, "not_found")
    model_id = house.add("signed", colour_model(), signature={"kind": "image"})
    refused(look(house, model_id, b"no picture"), 415, "unsupported_media_type")
    refused(look(house, model_id, picture((0, 0, 0))[:60]), 422, "damaged_image")
    refused(look(house, model_id, b"words", "text/plain"), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("signature", "said"),
    [
        ({"kind": "image", "labels": ["a"]}, "1 labels for 3 classes"),
        ({"kind": "image", "input": "z"}, "no input 'z'"),
        ({"kind": "image", "output": "z"}, "no output 'z'"),
        ({"kind": "image", "layout": "NHWC"}, "no RGB channels"),
        ({"kind": "text"}, "an input of strings"),
        ({"kind": "image", "std": [0, 1, 1]}, "std"),
        ({"kind": "sound"}, "kind"),
    ],
)
def test_a_signature_fits_its_model(house: House, signature: Any, said: str) -> None:
    model_id = house.add(f"fits {said}".replace("/", "-"), colour_model())
    answer = house.call("PATCH", f"/api/v1/models/{model_id}", json={"signature": signature})
    assert said in str(refused(answer, 422, "validation_error"))
    assert house.get(f"/api/v1/models/{model_id}").json["signature"] is None


def test_a_signature_that_came_before_the_file_is_checked_with_it(house: House) -> None:
    model_id = house.make("early", signature={"kind": "text"})
    house.upload(model_id, graphs.doubling())
    validated = house.validate(model_id)
    assert (validated["valid"], validated["status"]) == (False, "error")
    assert "signature: texts need an input of strings" in validated["error_message"]
