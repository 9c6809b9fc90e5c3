"""Reading PyTorch's legacy checkpoints without PyTorch, also those that mean harm."""

from __future__ import annotations

import io
import os
import pickle
import random
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from tests.weights.conversion.legacy import MAGIC, PROTOCOL, Stored, Tensor, checkpoint, written
from thetool.weights.conversion.torch_checkpoint import CheckpointError, load_state_dict


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "weights.pth"


def test_reads_every_array_as_it_was_written(file: Path) -> None:
    numbers = np.random.default_rng(1)
    arrays = {
        "conv.weight": numbers.standard_normal((4, 3, 2, 2)).astype("f4"),
        "transposed": np.asfortranarray(numbers.standard_normal((5, 7)).astype("f4")),
        "half": numbers.standard_normal(9).astype("f2"),
        "double": numbers.standard_normal((2, 3)),
        "count": np.array(7, "i8"),
    }
    file.write_bytes(checkpoint(arrays))
    read = load_state_dict(file)
    assert list(read) == list(arrays)
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch /tmp/thetool-was-owned",)


@pytest.mark.parametrize("part", range(3))
def test_a_pickle_that_would_run_something_is_refused(part: int, file: Path) -> None:
    parts: list[object] = [MAGIC, PROTOCOL, {"little_endian": True}, OrderedDict(), []]
    parts[part + 2] = Evil()
    stream = io.BytesIO()
    for each in parts:
        pickle.dump(each, stream, protocol=2)
    file.write_bytes(stream.getvalue())
    with pytest.raises(CheckpointError, match=r"refused to load \w+\.system"):
        load_state_dict(file)


def tensor(shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0, length: int = 4) -> Tensor:
    return Tensor(Stored("a", "FloatStorage", length), offset, shape, strides)


@pytest.mark.parametrize(
    "bad",
    [
        tensor((5,), (1,)),
        tensor((2, 2), (2, 2)),
        tensor((1,), (1,), offset=4),
        tensor((0,), (1,)),
        tensor((2,), (-1,)),
        tensor((2,), (1, 1)),
        tensor((10**12,), (0,)),
        tensor((4,), (1,), length=5),
        tensor((4,), (1,), length=10**15),
    ],
    ids=["long", "outside", "offset", "empty", "backwards", "axes", "huge", "longer than the file", "petabytes"],
)
def test_a_tensor_that_is_not_in_its_storage(bad: Tensor, file: Path) -> None:
    file.write_bytes(written(OrderedDict(a=bad), {"a": bytes(16)}))
    with pytest.raises(CheckpointError):
        load_state_dict(file)


class Changed(Tensor):
    """A pickle may set an object's attributes after it was made: strides that would read other memory."""

    def __reduce__(self) -> tuple[object, ...]:
        return *super().__reduce__(), {"strides": (-(2**20),)}


def test_what_was_checked_cannot_be_changed_afterwards(file: Path) -> None:
    changed = Changed(Stored("a", "FloatStorage", 4), 0, (4,), (1,))
    file.write_bytes(written(OrderedDict(a=changed), {"a": bytes(16)}))
    with pytest.raises(CheckpointError, match="unreadable checkpoint"):
        load_state_dict(file)


def test_a_tensor_without_its_storage(file: Path) -> None:
    file.write_bytes(written(OrderedDict(a=tensor((4,), (1,))), {}))
    with pytest.raises(CheckpointError, match="not in the file"):
        load_state_dict(file)


@pytest.mark.parametrize("state", [[1, 2], OrderedDict(a=1), "text"], ids=["a list", "a number", "text"])
def test_anything_but_a_state_dict(state: object, file: Path) -> None:
    file.write_bytes(written(state, {}) if not isinstance(state, OrderedDict) else pickled(state))
    with pytest.raises(CheckpointError, match="no plain state dict"):
        load_state_dict(file)


def pickled(state: object) -> bytes:
    return b"".join(pickle.dumps(part, protocol=2) for part in (MAGIC, PROTOCOL, {}, state, []))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a newer file", pickle.dumps(MAGIC), b"\x80\x02\xff" * 9])
def test_another_format(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    with pytest.raises(CheckpointError):
        load_state_dict(file)


def test_damage_is_an_error_of_ours_or_changes_numbers_only(file: Path) -> None:
    arrays = {f"layer{i}": np.arange(12, dtype="f4").reshape(3, 4) for i in range(6)}
    whole, chance = checkpoint(arrays), random.Random(3)
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file.write_bytes(damaged[: chance.randint(len(damaged) // 2, len(damaged))])
        try:
            read = load_state_dict(file)
        except CheckpointError:
            continue
        assert all(isinstance(array, np.ndarray) for array in read.values())
