"""What a model takes and gives: names, types and shapes of its tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import numpy as np

DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bfloat16)": "bfloat16",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "string",
}
"""ONNX Runtime's types by name; ours are NumPy's, with `string`."""


class TensorSpec(BaseModel):
    """One input or output of a model."""

    model_config = ConfigDict(frozen=True)

    name: str
    dtype: str = Field(description="`float32`, `int64`, `string` and so on.", examples=["float32"])
    shape: tuple[int | None, ...] | None = Field(
        description="Length of each dimension, null where it is free; null when nothing is known of it.",
        examples=[[None, 4]],
    )
    axes: tuple[str | None, ...] = Field(
        default=(), description="Names of free dimensions; those of one name have one length.", examples=[["batch"]]
    )

    @classmethod
    def of(cls, argument: Any) -> TensorSpec:
        """From an `onnxruntime.NodeArg`; a sequence or map keeps ONNX Runtime's name as its `dtype`."""
        dtype = DTYPES.get(argument.type)
        if dtype is None:
            return cls(name=argument.name, dtype=argument.type, shape=None)
        if argument.shape is None:
            return cls(name=argument.name, dtype=dtype, shape=None)
        dimensions = list(argument.shape)
        return cls(
            name=argument.name,
            dtype=dtype,
            shape=tuple(one if isinstance(one, int) and one >= 0 else None for one in dimensions),
            axes=tuple(one if isinstance(one, str) and one else None for one in dimensions),
        )

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor, not a sequence or a map."""
        return self.dtype in DTYPES.values()

    @property
    def batches(self) -> bool:
        """Whether its first dimension is free."""
        return bool(self.shape) and self.shape is not None and self.shape[0] is None

    def __str__(self) -> str:
        if self.shape is None:
            return self.dtype
        names = self.axes or (None,) * len(self.shape)
        return f"{self.dtype} {shape_text([n if n is not None else a for n, a in zip(self.shape, names, strict=True)])}"


def shape_text(shape: Any) -> str:
    """A shape as people read it: `[3, 4]`; `?` for a free dimension."""
    return f"[{', '.join('?' if one is None else str(one) for one in shape)}]"


def array_text(array: np.ndarray[Any, Any]) -> str:
    """Type and shape of an array."""
    name = "string" if array.dtype.kind in "OUS" else array.dtype.name
    return f"{name} {shape_text(array.shape)}"
