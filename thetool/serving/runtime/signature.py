"""How a model takes pictures or texts: from a decoded picture to its tensor, from its output to labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.tensors import TensorSpec
from thetool.web.schemas import Input

if TYPE_CHECKING:
    import numpy as np

MOST_PIXELS = 4096
DEFAULT_SIZE = 224


class Signature(Input):
    """How a model takes files, and what its output means."""

    kind: Literal["image", "text"] = Field(description="What it takes: pictures, or texts (into an input of strings).")
    input: str | None = Field(None, max_length=255, description="Which input; the only one where there is one.")
    output: str | None = Field(
        None, max_length=255, description="Which output has the scores; else the first one of floating-point numbers."
    )
    labels: list[str] | None = Field(None, max_length=100_000, description="Names of the classes, in order.")
    activation: Literal["none", "softmax", "sigmoid"] = Field(
        "none", description="What turns the output into probabilities; `none` where it gives them itself."
    )
    top: int = Field(5, ge=1, le=1000, description="So many labels are answered, the likeliest first.")
    layout: Literal["NCHW", "NHWC"] = Field("NCHW", description="Where the channels are.")
    channels: Literal["RGB", "BGR", "L"] = Field("RGB", description="Order of the colours; `L` is grey.")
    width: int | None = Field(None, ge=1, le=MOST_PIXELS, description="Where the input does not say it; else 224.")
    height: int | None = Field(None, ge=1, le=MOST_PIXELS)
    fit: Literal["crop", "stretch", "pad"] = Field(
        "crop", description="How another shape is fitted: the middle of it, out of shape, or with grey at its sides."
    )
    scale: float = Field(1 / 255, description="What 0 to 255 is multiplied by, first.")
    mean: list[float] = Field([0.0, 0.0, 0.0], min_length=1, max_length=3, description="Then this is taken away …")
    std: list[float] = Field([1.0, 1.0, 1.0], min_length=1, max_length=3, description="… and divided by this.")

    @model_validator(mode="after")
    def _divides(self) -> Signature:
        if 0 in self.std:
            raise ValueError("std: must not be 0")
        return self

    def input_of(self, found: Found) -> TensorSpec:
        """The input that takes the file.

        Raises:
            ValueError: the model has no such input, or it takes no pictures or texts.
        """
        specs = found.input_schema
        spec = next((one for one in specs if one.name == self.input), None) if self.input else specs[0]
        if spec is None:
            raise ValueError(f"the model has no input {self.input!r}")
        if len(specs) > 1:
            raise ValueError("a model that takes files has one input")
        if self.kind == "text":
            if spec.dtype != "string" or len(spec.shape or (None,)) > 2:
                raise ValueError(f"texts need an input of strings with one or two dimensions, not {spec}")
            return spec
        if spec.shape is None or len(spec.shape) != 4 or spec.dtype not in ("float32", "float16", "float64", "uint8"):
            raise ValueError(f"pictures need an input of four dimensions, not {spec}")
        if max(length or 1 for length in spec.shape) > MOST_PIXELS:
            raise ValueError(f"pictures have at most {MOST_PIXELS} pixels on a side here, and the input is {spec}")
        depth = spec.shape[1 if self.layout == "NCHW" else 3]
        if depth not in (None, 1 if self.channels == "L" else 3):
            raise ValueError(f"{spec} has no {self.channels} channels where {self.layout} has them")
        return spec

    def output_of(self, found: Found) -> TensorSpec | None:
        """The output that has the scores; None where none was named and none has any.

        Raises:
            ValueError: there is none of that name, or it has no numbers.
        """
        floats = [one for one in found.output_schema if one.is_tensor and one.dtype.startswith("float")]
        if self.output is None:
            return floats[0] if floats else None
        spec = next((one for one in found.output_schema if one.name == self.output), None)
        if spec is None:
            raise ValueError(f"the model has no output {self.output!r}")
        if not spec.is_tensor or spec.dtype == "string":
            raise ValueError(f"the scores are numbers, and the output {self.output!r} is {spec}")
        return spec

    def check(self, found: Found) -> None:
        """Raise ValueError unless it fits the model."""
        self.input_of(found)
        scores = self.output_of(found)
        if self.labels is None:
            return
        if scores is None:
            raise ValueError("labels need an output of numbers, and the model has none")
        if scores.shape and scores.shape[-1] not in (None, len(self.labels)):
            raise ValueError(f"{len(self.labels)} labels for {scores.shape[-1]} classes")


def picture_array(pixels: np.ndarray[Any, Any], signature: Signature, spec: TensorSpec) -> np.ndarray[Any, Any]:
    """The tensor of a picture: (1, channels, height, width), or with the channels last.

    Args:
        pixels: (height, width, 3), uint8, RGB.
        signature: how the model takes it.
        spec: the input.
    """
    import numpy as np

    shape = spec.shape or (None,) * 4
    down, across = (shape[2], shape[3]) if signature.layout == "NCHW" else (shape[1], shape[2])
    size = (across or signature.width or DEFAULT_SIZE, down or signature.height or DEFAULT_SIZE)
    array = np.asarray(_fitted(pixels, size, signature))
    if array.ndim == 2:
        array = array[:, :, None]
    if signature.channels == "BGR":
        array = array[:, :, ::-1]
    if spec.dtype != "uint8":
        mean, std = np.array(signature.mean, np.float32), np.array(signature.std, np.float32)
        if signature.channels == "L":
            mean, std = mean[:1], std[:1]
        array = ((array.astype(np.float32) * np.float32(signature.scale) - mean) / std).astype(spec.dtype)
    if signature.layout == "NCHW":
        array = array.transpose(2, 0, 1)
    return np.ascontiguousarray(array[None])


def text_array(text: str, spec: TensorSpec) -> np.ndarray[Any, Any]:
    """The tensor of a text: as many dimensions as the input has, each of length 1."""
    import numpy as np

    array = np.empty((1,) * len(spec.shape or (None,)), dtype=object)
    array[...] = text
    return array


def likeliest(output: Any, signature: Signature) -> list[dict[str, Any]]:
    """The likeliest classes of the first row: `[{id, label, confidence}]`."""
    import numpy as np

    scores = np.asarray(output, dtype=np.float64).reshape(-1) if np.ndim(output) < 2 else np.asarray(output)[0].ravel()
    scores = scores.astype(np.float64)
    if not scores.size:
        return []
    if signature.activation == "softmax":
        scores = np.exp(scores - scores.max())
        scores /= scores.sum()
    elif signature.activation == "sigmoid":
        scores = 1 / (1 + np.exp(-scores))
    names = signature.labels
    best = np.argsort(-scores, kind="stable")[: signature.top].tolist()
    return [
        {
            "id": index,
            "label": names[index] if names and index < len(names) else str(index),
            "confidence": round(float(scores[index]), 6),
        }
        for index in best
        if np.isfinite(scores[index])
    ]


def _fitted(pixels: np.ndarray[Any, Any], size: tuple[int, int], signature: Signature) -> Any:
    from PIL import Image, ImageOps

    picture = Image.fromarray(pixels)
    if signature.channels == "L":
        picture = picture.convert("L")
    method = Image.Resampling.BICUBIC
    if signature.fit == "crop":
        return ImageOps.fit(picture, size, method)
    if signature.fit == "pad":
        grey = 114 if signature.channels == "L" else (114, 114, 114)
        return ImageOps.pad(picture, size, method, color=grey)
    return picture.resize(size, method, reducing_gap=2.0)
