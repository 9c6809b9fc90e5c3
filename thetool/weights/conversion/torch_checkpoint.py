"""Read the tensors of a legacy (before 1.6) `torch.save` file into NumPy, without PyTorch.

Such a file is five pickles in a row (magic number, protocol version, facts of the system, the saved object, the keys
of the storages), then for each key an int64 count of elements and that storage's raw elements, little-endian.

A pickle can run code: this reader resolves only the few names that a state dict needs, and refuses all others.
"""

from __future__ import annotations

import math
import os
import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from thetool.weights.conversion.problems import ConversionError

Array = np.ndarray[Any, np.dtype[Any]]

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_PROTOCOL = 1001

_STORAGE_TYPES: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
}

# What an unpickler raises on damaged data, besides errors of our own.
_BROKEN = (pickle.UnpicklingError, EOFError, ValueError, LookupError, AttributeError, TypeError, MemoryError)


class CheckpointError(ConversionError):
    """The file is no state dict in the legacy format, or it names something that is not allowed."""


class _Storage(NamedTuple):
    """An array that is read later. A tuple, because a pickle may change the attributes of an object afterwards."""

    key: str
    dtype: np.dtype[Any]
    length: int


class _Tensor(NamedTuple):
    """A tensor as the pickle describes it: a strided view of a storage. A tuple for the same reason."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def load_state_dict(path: Path) -> dict[str, Array]:
    """The parameters of a legacy PyTorch state dict, by name.

    Raises:
        CheckpointError: when the file is damaged, of another format, or holds anything but tensors.
    """
    with path.open("rb") as file:
        try:
            header = [_StateDictUnpickler(file).load() for _ in range(3)]
            if header[:2] != [LEGACY_MAGIC, LEGACY_PROTOCOL]:
                raise CheckpointError("not a legacy torch.save file")
            state = _StateDictUnpickler(file).load()
            keys = _StateDictUnpickler(file).load()
        except _BROKEN as error:
            raise CheckpointError(f"unreadable checkpoint: {error}") from error
        if not isinstance(state, dict) or not all(isinstance(tensor, _Tensor) for tensor in state.values()):
            raise CheckpointError("the file holds no plain state dict")
        if not isinstance(keys, list):
            raise CheckpointError("the file lists no storages")
        storages = _read_storages(file, keys, {tensor.storage.key: tensor.storage for tensor in state.values()})
    return {name: _array_of(tensor, storages) for name, tensor in state.items()}


class _StateDictUnpickler(pickle.Unpickler):
    """Knows ordered dicts, tensors and storages, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGE_TYPES:
            return name
        raise CheckpointError(f"refused to load {module}.{name}")

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(kind), str(key), str(), int(length), None) if kind in _STORAGE_TYPES and length >= 0:
                return _Storage(key, _STORAGE_TYPES[kind], length)
        raise CheckpointError("unknown persistent id")


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise CheckpointError("a tensor without a storage")
    numbers = (offset, *shape, *strides)
    if any(type(number) is not int or number < 0 for number in numbers) or len(shape) != len(strides):
        raise CheckpointError("a tensor with an impossible shape")
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


def _read_storages(file: BinaryIO, keys: list[Any], known: dict[str, _Storage]) -> dict[str, Array]:
    storages: dict[str, Array] = {}
    length = os.fstat(file.fileno()).st_size
    for key in keys:
        storage = known.get(key) if isinstance(key, str) else None
        count = int.from_bytes(file.read(8), "little")
        if storage is None or count != storage.length:
            raise CheckpointError(f"storage {key!r} does not match its description")
        size = count * storage.dtype.itemsize
        if size > length - file.tell():  # asked first: a read makes room for all that it is asked for
            raise CheckpointError("the file is cut short")
        storages[storage.key] = np.frombuffer(file.read(size), storage.dtype)
    return storages


def _array_of(tensor: _Tensor, storages: dict[str, Array]) -> Array:
    """A contiguous copy of the tensor's view, once its bounds are known to lie in the storage."""
    storage = storages.get(tensor.storage.key)
    if storage is None:
        raise CheckpointError("a tensor whose storage is not in the file")
    if 0 in tensor.shape or math.prod(tensor.shape) > storage.size:
        raise CheckpointError("a tensor of another size than its storage")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.shape, tensor.strides, strict=True))
    if last >= storage.size:
        raise CheckpointError("a tensor outside its storage")
    view = np.lib.stride_tricks.as_strided(
        storage[tensor.offset :],
        tensor.shape,
        [step * storage.itemsize for step in tensor.strides],
        writeable=False,
    )
    return np.ascontiguousarray(view).reshape(tensor.shape)
