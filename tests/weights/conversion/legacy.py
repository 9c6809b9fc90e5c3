"""Writes the legacy format of `torch.save`, as PyTorch before 1.6 did."""

from __future__ import annotations

import io
import pickle
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage", "i4": "IntStorage"}


class Stored(NamedTuple):
    """A storage as `torch.save` names it."""

    key: str
    kind: str
    length: int


class Tensor:
    """A view of a storage; pickled as PyTorch's own tensors are."""

    def __init__(self, storage: Stored, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.parts = (storage, offset, shape, strides, False, OrderedDict())

    def __reduce__(self) -> tuple[Any, ...]:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts  # type: ignore[attr-defined]


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: object) -> object:
        if not isinstance(value, Stored):
            return None
        return ("storage", getattr(sys.modules["torch"], value.kind), value.key, "cpu", value.length, None)


@contextmanager
def _torch() -> Iterator[None]:
    """Names that pickle can find, and nothing behind them."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in STORAGES.values():
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    before = {name: sys.modules.get(name) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def checkpoint(arrays: dict[str, np.ndarray]) -> bytes:
    """A state dict of these arrays. One that is a transposed view keeps its strides, as PyTorch does."""
    state, storages = OrderedDict(), {}
    for i, (name, array) in enumerate(arrays.items()):
        flat = array.T if array.flags.f_contiguous and not array.flags.c_contiguous else array
        storage = Stored(f"key{i}", STORAGES[array.dtype.str[1:]], array.size)
        strides = tuple(step // array.itemsize for step in array.strides)
        state[name] = Tensor(storage, 0, array.shape, strides)
        storages[storage.key] = np.ascontiguousarray(flat).tobytes()
    return written(state, storages, {key: len(raw) for key, raw in storages.items()})


def written(state: object, storages: dict[str, bytes], _: object = None) -> bytes:
    """The file of any object with these storages (float32, for the counts of elements)."""
    file = io.BytesIO()
    with _torch():
        for part in (MAGIC, PROTOCOL, {"little_endian": True}, state, list(storages)):
            _Pickler(file, protocol=2).dump(part)
    kinds = {tensor.parts[0].key: tensor.parts[0] for tensor in state.values()} if isinstance(state, dict) else {}
    for key, raw in storages.items():
        count = kinds[key].length if key in kinds else len(raw) // 4
        file.write(count.to_bytes(8, "little") + raw)
    return file.getvalue()
