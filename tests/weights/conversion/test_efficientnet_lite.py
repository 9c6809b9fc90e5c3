"""EfficientNet-Lite0 written as ONNX; with the real weights it is part of a pull, by SHA-256."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.weights.conversion.legacy import checkpoint
from thetool.weights.conversion import efficientnet_lite
from thetool.weights.conversion.efficientnet_lite import EPSILON, STAGES, STEM_CHANNELS, convert
from thetool.weights.conversion.problems import ConversionError


def parameters() -> dict[str, np.ndarray]:
    """Random parameters of the right names and shapes."""
    numbers, found = np.random.default_rng(1), {}

    def layer(conv: str, norm: str, out: int, into: int, kernel: int) -> None:
        fan = into * kernel * kernel
        found[f"{conv}.weight"] = (numbers.standard_normal((out, into, kernel, kernel)) / fan**0.5).astype("f4")
        found[f"{norm}.weight"] = numbers.uniform(0.5, 2, out).astype("f4")
        found[f"{norm}.bias"] = numbers.uniform(0, 1, out).astype("f4")
        found[f"{norm}.running_mean"] = numbers.uniform(-1, 1, out).astype("f4")
        found[f"{norm}.running_var"] = numbers.uniform(0.1, 2, out).astype("f4")

    layer("_conv_stem", "_bn0", STEM_CHANNELS, 3, 3)
    channels, index = STEM_CHANNELS, 0
    for stage in STAGES:
        for _ in range(stage.repeats):
            block, wide = f"_blocks.{index}", channels * stage.expansion
            if stage.expansion != 1:
                layer(f"{block}._expand_conv", f"{block}._bn0", wide, channels, 1)
            layer(f"{block}._depthwise_conv", f"{block}._bn1", wide, 1, stage.kernel)
            layer(f"{block}._project_conv", f"{block}._bn2", stage.channels, wide, 1)
            channels, index = stage.channels, index + 1
    layer("_conv_head", "_bn1", 1280, channels, 1)
    found["_fc.weight"] = (numbers.standard_normal((1000, 1280)) / 36).astype("f4")
    found["_fc.bias"] = numbers.uniform(-1, 1, 1000).astype("f4")
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("efficientnet")
    (folder / "weights.pth").write_bytes(checkpoint(parameters()))
    convert(folder / "weights.pth", folder / "model.onnx")
    return folder


def test_the_network_gives_probabilities_of_each_image_of_a_batch(written: Path) -> None:
    session = onnxruntime.InferenceSession(written / "model.onnx", providers=["CPUExecutionProvider"])
    images = np.random.default_rng(2).standard_normal((2, 3, 224, 224)).astype("f4")
    (both,) = session.run(None, {"image": images})
    (second,) = session.run(None, {"image": images[1:]})
    assert both.shape == (2, 1000)
    np.testing.assert_allclose(both.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(both[1], second[0], atol=1e-6)
    assert abs(both[0] - both[1]).max() > 1e-5


def test_the_same_checkpoint_gives_the_same_bytes(written: Path) -> None:
    convert(written / "weights.pth", written / "again.onnx")
    assert (written / "again.onnx").read_bytes() == (written / "model.onnx").read_bytes()


def test_batch_normalisation_is_folded_exactly(tmp_path: Path) -> None:
    """The first layer, cut out: its convolution and normalisation by hand give the same."""
    weights = parameters()
    network = efficientnet_lite._Network(weights)
    out = network._convolution("image", "_conv_stem", "_bn0", relu6=False)
    network.graph.save(tmp_path / "stem.onnx", "stem", {"image": [1, 3, 3, 3]}, {out: [1, STEM_CHANNELS, 3, 3]})
    session = onnxruntime.InferenceSession(tmp_path / "stem.onnx", providers=["CPUExecutionProvider"])
    image = np.random.default_rng(3).standard_normal((1, 3, 3, 3)).astype("f4")
    (found,) = session.run(None, {"image": image})
    middle = np.einsum("ocij,cij->o", weights["_conv_stem.weight"], image[0])
    gamma, beta, mean, variance = (
        weights[f"_bn0.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
    )
    np.testing.assert_allclose(
        found[0, :, 1, 1], (middle - mean) / np.sqrt(variance + EPSILON) * gamma + beta, atol=1e-4
    )


@pytest.mark.parametrize("damage", ["a name is missing", "another shape"])
def test_parameters_of_another_network(damage: str, tmp_path: Path) -> None:
    weights = parameters()
    if damage == "a name is missing":
        del weights["_blocks.3._bn1.bias"]
    else:
        weights["_bn0.weight"] = np.ones(5, "f4")
    (tmp_path / "weights.pth").write_bytes(checkpoint(weights))
    with pytest.raises(ConversionError, match="no parameters of EfficientNet-Lite0"):
        convert(tmp_path / "weights.pth", tmp_path / "model.onnx")
