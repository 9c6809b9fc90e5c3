"""EfficientNet-Lite0 (ImageNet, 1,000 classes) as ONNX, out of the parameters of its PyTorch port.

The network is EfficientNet-B0's table of blocks with ReLU6 and without squeeze-and-excitation (Tan and Le, 2019,
https://arxiv.org/abs/1905.11946; the Lite variants: tensorflow/tpu, models/official/efficientnet/lite). Each batch
normalisation is folded into the convolution before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thetool.weights.conversion.graph import Graph
from thetool.weights.conversion.problems import ConversionError
from thetool.weights.conversion.torch_checkpoint import load_state_dict

Array = np.ndarray[Any, np.dtype[Any]]

INPUT_SIZE = 224
CLASSES = 1000
EPSILON = np.float32(1e-3)
STEM_CHANNELS = 32


@dataclass(frozen=True)
class Stage:
    """A row of the table: `repeats` inverted residual blocks, the first with `stride`."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def convert(checkpoint: Path, target: Path) -> None:
    """Write the classifier: `image` (n, 3, 224, 224) to `probabilities` (n, 1000).

    Raises:
        ConversionError: when the checkpoint is damaged, or not of this network.
    """
    network = _Network(load_state_dict(checkpoint))
    try:
        network.write()
    except (KeyError, ValueError) as error:
        raise ConversionError(f"these are no parameters of EfficientNet-Lite0: {error}") from error
    shapes: tuple[list[int | str], list[int | str]] = (["n", 3, INPUT_SIZE, INPUT_SIZE], ["n", CLASSES])
    network.graph.save(target, "efficientnet_lite0", {"image": shapes[0]}, {"probabilities": shapes[1]})


class _Network:
    def __init__(self, weights: Mapping[str, Array]) -> None:
        self._weights = weights
        self.graph = Graph()
        self._low = self.graph.weight("relu6.min", np.float32(0))
        self._high = self.graph.weight("relu6.max", np.float32(6))

    def write(self) -> None:
        """The whole network, from `image` to `probabilities`."""
        x = self._convolution("image", "_conv_stem", "_bn0", stride=2)
        channels, index = STEM_CHANNELS, 0
        for stage in STAGES:
            for repeat in range(stage.repeats):
                x = self._block(x, f"_blocks.{index}", stage, channels, stage.stride if repeat == 0 else 1)
                channels, index = stage.channels, index + 1
        x = self._convolution(x, "_conv_head", "_bn1")
        x = self.graph.add("GlobalAveragePool", [x], "pooled")
        x = self.graph.add("Flatten", [x], "features")
        head = [self.graph.weight(name, self._weights[name]) for name in ("_fc.weight", "_fc.bias")]
        x = self.graph.add("Gemm", [x, *head], "logits", transB=1)
        self.graph.add("Softmax", [x], "probabilities", axis=1)

    def _block(self, entry: str, name: str, stage: Stage, channels: int, stride: int) -> str:
        x, wide = entry, channels * stage.expansion
        if stage.expansion != 1:
            x = self._convolution(x, f"{name}._expand_conv", f"{name}._bn0")
        x = self._convolution(x, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride, groups=wide)
        x = self._convolution(x, f"{name}._project_conv", f"{name}._bn2", relu6=False)
        if stride == 1 and channels == stage.channels:
            x = self.graph.add("Add", [x, entry], f"{name}.sum")
        return x

    def _convolution(
        self, source: str, name: str, norm: str, *, stride: int = 1, groups: int = 1, relu6: bool = True
    ) -> str:
        gamma, beta, mean, variance = (
            self._weights[f"{norm}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        out = self.graph.add(
            "Conv",
            [
                source,
                self.graph.weight(f"{name}.weight", self._weights[f"{name}.weight"] * scale[:, None, None, None]),
                self.graph.weight(f"{name}.bias", beta - mean * scale),
            ],
            f"{name}.out",
            strides=[stride, stride],
            group=groups,
            auto_pad="SAME_UPPER",  # TensorFlow's "SAME", with which it was trained
        )
        return self.graph.add("Clip", [out, self._low, self._high], f"{name}.relu6") if relu6 else out
