"""NumPy's `.npy` files (numpy.org, "NEP 1"): read without trust, written as NumPy writes them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from thetool.serving.runtime.problems import InvalidInput
from thetool.serving.runtime.tensors import TensorSpec, array_text
from thetool.web.problems import NotAcceptable

if TYPE_CHECKING:
    import numpy as np

MEDIA_TYPE = "application/x-npy"
MAX_HEADER_BYTES = 10_000
MOST_TEXT_BYTES = 2**26
LAST_CHARACTER = 0x10FFFF


@dataclass(frozen=True)
class Header:
    """Shape, order and type of an array, and where its values begin."""

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]
    offset: int


def read(data: bytes, spec: TensorSpec) -> np.ndarray[Any, Any]:
    """The array of an input out of a `.npy` file; objects (pickles) are never read.

    A number may be of another type of the same kind (float64 for float32) where no value is lost by it.

    Raises:
        InvalidInput: it is no such file, or does not fit.
    """
    import numpy as np

    header = header_of(io.BytesIO(data), spec, len(data))
    order: Literal["F", "C"] = "F" if header.by_columns else "C"
    try:
        array = np.frombuffer(data, dtype=header.dtype, offset=header.offset).reshape(header.shape, order=order)
    except (ValueError, OverflowError):  # no bytes, or no number, for so many
        raise _unfit(spec, header.shape, header.dtype, len(data) - header.offset) from None
    return cast(array, spec)


def header_of(file: BinaryIO, spec: TensorSpec, size: int) -> Header:
    """What a `.npy` file of so many bytes says of itself, for an input; raises InvalidInput as `read` does."""
    import numpy as np

    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, by_columns, dtype = header(file, max_header_size=MAX_HEADER_BYTES)
    except Exception:
        raise InvalidInput.of(spec.name, "something that is no .npy file", f"a .npy file of {spec}") from None
    if dtype.hasobject or dtype.kind not in "fiubU":
        hint = "Objects are pickles, which are never read here." if dtype.hasobject else ""
        raise InvalidInput.of(spec.name, f".npy of {dtype}", str(spec), hint)
    rest = size - file.tell()
    fits = dtype.itemsize and all(0 <= length < 2**63 for length in shape) and prod(shape) * dtype.itemsize == rest
    if not fits:
        raise _unfit(spec, shape, dtype, rest)
    return Header(shape, by_columns, dtype, file.tell())


def _unfit(spec: TensorSpec, shape: tuple[int, ...], dtype: np.dtype[Any], rest: int) -> InvalidInput:
    return InvalidInput.of(spec.name, f".npy of {dtype} {list(shape)} with {rest:,} bytes", str(spec))


def cast(array: np.ndarray[Any, Any], spec: TensorSpec) -> np.ndarray[Any, Any]:
    """The array in the input's type; raises InvalidInput where a value would be another one."""
    import numpy as np

    if spec.dtype == "string":
        if array.dtype.kind != "U":
            raise InvalidInput.of(spec.name, array_text(array), str(spec))
        return _strings(array, spec)
    wanted = np.dtype(spec.dtype)
    if array.dtype == wanted:
        return np.ascontiguousarray(array, dtype=wanted)
    same_kind = (array.dtype.kind in "iu" and wanted.kind in "iuf") or array.dtype.kind == wanted.kind
    if not same_kind:
        raise InvalidInput.of(spec.name, array_text(array), str(spec))
    with np.errstate(over="ignore"):
        taken = np.ascontiguousarray(array.astype(wanted, order="C"))
    if wanted.kind in "iu":
        bounds = np.iinfo(wanted)
        lost = bool(array.size) and not bounds.min <= int(array.min()) <= int(array.max()) <= bounds.max
    else:
        lost = bool((np.isinf(taken) & np.isfinite(array)).any())
    if lost:
        raise InvalidInput.of(spec.name, array_text(array), str(spec), f"A value is beyond {spec.dtype}.")
    return taken


def write(array: np.ndarray[Any, Any]) -> bytes:
    """A `.npy` file of an output; strings as NumPy's text, which gives each the length of the longest.

    Raises:
        NotAcceptable: they would take more than `MOST_TEXT_BYTES` so.
    """
    import numpy as np

    if array.dtype.kind == "O":
        size = 4 * array.size * max(map(len, array.ravel().tolist()), default=0)
        if size > MOST_TEXT_BYTES:
            raise NotAcceptable(f"As a .npy file these strings are {size:,} bytes; ask for JSON.")
        array = array.astype(str)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _strings(array: np.ndarray[Any, Any], spec: TensorSpec) -> np.ndarray[Any, Any]:
    import numpy as np

    codes = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).view(np.uint32)
    if ((codes > LAST_CHARACTER) | ((codes >= 0xD800) & (codes <= 0xDFFF))).any():  # the latter are halves of pairs
        raise InvalidInput.of(spec.name, "text that is no Unicode", str(spec))
    return array.astype(object)
