"""TensorFlow.js models written as ONNX, compared with the same network worked out in NumPy."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from thetool.weights.conversion.problems import ConversionError
from thetool.weights.conversion.tfjs import convert
from thetool.weights.conversion.tfjs_files import UnsupportedGraphError


def text(value: str) -> dict[str, str]:
    return {"s": base64.b64encode(value.encode()).decode()}


def numbers(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def dims(*sizes: int) -> list[dict[str, str]]:
    return [{"size": str(size)} for size in sizes]


class Toy:
    """A graph model, put together node by node."""

    def __init__(self, *shape: int) -> None:
        self.nodes: list[dict[str, Any]] = [
            {"name": "image", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": dims(*shape)}}}}
        ]
        self.manifest: list[dict[str, Any]] = []
        self.raw = b""

    def node(self, name: str, op: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append({"name": name, "op": op, "input": list(inputs), "attr": attributes})
        return name

    def weight(self, name: str, value: np.ndarray) -> str:
        self.manifest.append({"name": name, "shape": list(value.shape), "dtype": value.dtype.name})
        self.raw += value.tobytes()
        return self.node(name, "Const")

    def write(self, folder: Path, **outputs: tuple[int, ...]) -> tuple[Path, Path]:
        signature = {f"{name}:0": {"tensorShape": {"dim": dims(*shape)}} for name, shape in outputs.items()}
        model = {
            "modelTopology": {"node": self.nodes},
            "weightsManifest": [{"weights": self.manifest}],
            "signature": {"outputs": signature},
        }
        (folder / "model.json").write_text(json.dumps(model))
        (folder / "model.bin").write_bytes(self.raw)
        return folder / "model.json", folder / "model.bin"


def run(folder: Path, image: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image})


KERNEL = np.random.default_rng(1).standard_normal((1, 1, 3, 4)).astype("f4")
BIAS = np.array([0.5, -0.5, 0.25, 0], "f4")


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Path, Path]:
    """Channels last all along: convolution, bias, leaky ReLU, pooling, enlarging, padding, joining, flattening."""
    toy = Toy(1, 4, 4, 3)
    strides = {"strides": numbers(1, 1, 1, 1), "padding": text("SAME"), "data_format": text("NHWC")}
    toy.node("conv", "Conv2D", "image", toy.weight("kernel", KERNEL), **strides)
    toy.node("biased", "AddV2", "conv", toy.weight("bias", BIAS))
    toy.node("leaky", "LeakyRelu", "biased", alpha={"f": 0.1})
    pooling = {"ksize": numbers(1, 2, 2, 1), "strides": numbers(1, 2, 2, 1), "padding": text("VALID")}
    toy.node("pooled", "MaxPool", "leaky", **pooling)
    toy.node("large", "ResizeBilinear", "pooled", toy.weight("size", np.array([4, 4], "i4")))
    toy.node("joined", "ConcatV2", "leaky", "large", toy.weight("axis", np.array(3, "i4")))
    toy.node("padded", "Pad", "joined", toy.weight("pads", np.array([[0, 0], [1, 0], [0, 2], [0, 0]], "i4")))
    toy.node("flat", "Reshape", "padded", toy.weight("shape", np.array([1, 30, 8], "i4")))
    toy.node("scores", "Sigmoid", "flat")
    return toy.write(tmp_path, scores=(1, 30, 8))


def test_gives_what_the_network_gives(toy: tuple[Path, Path], tmp_path: Path) -> None:
    convert(*toy, tmp_path / "model.onnx")
    image = np.random.default_rng(2).standard_normal((1, 4, 4, 3)).astype("f4")
    (found,) = run(tmp_path, image)
    biased = image @ KERNEL[0, 0] + BIAS
    leaky = np.where(biased > 0, biased, 0.1 * biased)
    pooled = leaky.reshape(1, 2, 2, 2, 2, 4).max(axis=(2, 4))
    at = np.array([0, 0.5, 1, 1])  # without half pixels: 4 places on 2 values, the last beyond the end
    low, high, part = np.floor(at).astype(int), np.minimum(np.floor(at).astype(int) + 1, 1), at - np.floor(at)
    rows = pooled[:, low] * (1 - part)[None, :, None, None] + pooled[:, high] * part[None, :, None, None]
    large = rows[:, :, low] * (1 - part)[None, None, :, None] + rows[:, :, high] * part[None, None, :, None]
    joined = np.concatenate([leaky, large], axis=3)
    padded = np.pad(joined, [(0, 0), (1, 0), (0, 2), (0, 0)])
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-padded.reshape(1, 30, 8))), atol=1e-5)


def test_the_same_model_gives_the_same_bytes(toy: tuple[Path, Path], tmp_path: Path) -> None:
    convert(*toy, tmp_path / "one.onnx")
    convert(*toy, tmp_path / "two.onnx")
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_parts_and_transposes(tmp_path: Path) -> None:
    toy = Toy(1, 2, 3, 6)
    toy.node("turned", "Transpose", "image", toy.weight("order", np.array([0, 3, 1, 2], "i4")))
    sizes, axis = toy.weight("sizes", np.array([2, 4], "i4")), toy.weight("axis", np.array(1, "i4"))
    toy.node("parts", "SplitV", "turned", sizes, axis)
    toy.node("relu", "Relu", "parts:1")
    toy.node("second", "Identity", "relu")
    convert(*toy.write(tmp_path, second=(1, 4, 2, 3)), tmp_path / "model.onnx")
    image = np.random.default_rng(3).standard_normal((1, 2, 3, 6)).astype("f4")
    np.testing.assert_array_equal(run(tmp_path, image)[0], np.maximum(image.transpose(0, 3, 1, 2)[:, 2:], 0))


def test_quantised_weights_are_read_in_full(tmp_path: Path) -> None:
    toy = Toy(1, 2)
    toy.weight("bias", np.array([0, 255], "u1"))
    toy.manifest[-1] |= {"dtype": "float32", "quantization": {"dtype": "uint8", "scale": 2.0, "min": -10.0}}
    toy.node("sum", "Add", "bias", "image")
    convert(*toy.write(tmp_path, sum=(1, 2)), tmp_path / "model.onnx")
    np.testing.assert_array_equal(run(tmp_path, np.zeros((1, 2), "f4"))[0], [[-10, 500]])


def test_an_operation_that_is_not_known(tmp_path: Path) -> None:
    toy = Toy(1, 2)
    toy.node("odd", "Bessel", "image")
    with pytest.raises(UnsupportedGraphError, match="operation Bessel"):
        convert(*toy.write(tmp_path, odd=(1, 2)), tmp_path / "model.onnx")


def test_a_graph_that_bites_its_tail(tmp_path: Path) -> None:
    toy = Toy(1, 2)
    toy.node("head", "Relu", "tail")
    toy.node("tail", "Relu", "head")
    with pytest.raises(ConversionError, match="RecursionError"):
        convert(*toy.write(tmp_path, tail=(1, 2)), tmp_path / "model.onnx")


def test_an_output_that_has_no_name_of_its_own(tmp_path: Path) -> None:
    toy = Toy(1, 2, 3)
    toy.node("turned", "Transpose", "image", toy.weight("order", np.array([0, 2, 1], "i4")))
    toy.node("relu", "Relu", "turned")
    with pytest.raises(UnsupportedGraphError, match="output relu"):
        convert(*toy.write(tmp_path, relu=(1, 3, 2)), tmp_path / "model.onnx")


def test_weights_that_are_cut_short_or_too_long(toy: tuple[Path, Path], tmp_path: Path) -> None:
    model, weights = toy
    whole = weights.read_bytes()
    for wrong in (whole[:-4], whole + b"more"):
        weights.write_bytes(wrong)
        with pytest.raises(ConversionError):
            convert(model, weights, tmp_path / "model.onnx")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"modelTopology": {"node": []}}'])
def test_something_else_than_a_model(content: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(content)
    (tmp_path / "model.bin").write_bytes(b"")
    with pytest.raises(ConversionError, match=r"no TensorFlow\.js model"):
        convert(tmp_path / "model.json", tmp_path / "model.bin", tmp_path / "model.onnx")
