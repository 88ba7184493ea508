"""Descriptions of tensors in a checkpoint, and their conversion to arrays."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tfvfi.checkpoints.bounds import Budget, UnreadableError

# NumPy has no bfloat16, so its bits are read as integers and widened to float32.
BFLOAT16 = "bfloat16"
DTYPES = {
    "float32": "f4",
    "float64": "f8",
    "float16": "f2",
    BFLOAT16: "u2",
    "int64": "i8",
    "int32": "i4",
    "int16": "i2",
    "int8": "i1",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
    "bool": "u1",
}
MAX_DIMENSIONS = 16
MAX_ELEMENTS = 2**48
# A tensor may repeat its storage (stride 0) up to this size, as the result of `expand` does.
MAX_REPEATED = 2**16


@dataclass(frozen=True)
class Storage:
    """A contiguous range of elements in a checkpoint, or a part of one."""

    key: str
    dtype: str
    count: int
    first: int = 0


@dataclass(frozen=True)
class Tensor:
    """The description of a tensor in a checkpoint, which has not been checked yet."""

    storage: Storage
    dtype: str
    offset: Any
    size: Any
    stride: Any


def itemsize(dtype: str) -> int:
    """Returns the bytes of one element."""
    return np.dtype(DTYPES[dtype]).itemsize


def array_from(
    tensor: Tensor, data: memoryview, budget: Budget, big_endian: bool = False
) -> np.ndarray:
    """Returns the array of a tensor after checking everything that it claims.

    Args:
        tensor: The description in the checkpoint.
        data: The bytes of its storage.
        budget: The bytes that may still be allocated.
        big_endian: Whether a big-endian machine wrote the checkpoint.

    Raises:
        UnreadableError: The description is impossible.
    """
    width = itemsize(tensor.dtype)
    available = len(data) // width
    _check_view(tensor, available)
    count = math.prod(tensor.size)
    budget.spend(count * (4 if tensor.dtype == BFLOAT16 else width))
    dtype = np.dtype(DTYPES[tensor.dtype]).newbyteorder(">" if big_endian else "<")
    if count == 0:
        return as_numpy(np.zeros(tensor.size, dtype), tensor.dtype)
    elements = np.frombuffer(data, dtype, count=available)[tensor.offset :]
    strides = [step * width for step in tensor.stride]
    view = np.lib.stride_tricks.as_strided(elements, tensor.size, strides, writeable=False)
    return as_numpy(view, tensor.dtype)


def as_numpy(values: np.ndarray, dtype: str) -> np.ndarray:
    """Returns a contiguous copy in this machine's byte order, with bfloat16 as float32."""
    values = np.array(values, dtype=values.dtype.newbyteorder("="), order="C")
    if dtype == BFLOAT16:
        return (values.astype("u4") << 16).view("f4")
    return values != 0 if dtype == "bool" else values


def check_shape(shape: Sequence[Any]) -> None:
    """Raises `UnreadableError` for an invalid shape, or for one that no file could hold."""
    if len(shape) > MAX_DIMENSIONS or any(type(side) is not int or side < 0 for side in shape):
        raise UnreadableError("is damaged: a tensor has an impossible shape; get the file anew")
    if math.prod(max(side, 1) for side in shape) > MAX_ELEMENTS:
        raise UnreadableError("is damaged: a tensor claims an impossible size; get the file anew")


def _check_view(tensor: Tensor, available: int) -> None:
    size, stride, offset = tensor.size, tensor.stride, tensor.offset
    if not isinstance(size, tuple | list) or not isinstance(stride, tuple | list):
        raise UnreadableError("is damaged: a tensor has no shape; get the file anew")
    check_shape(size)
    steps_known = len(stride) == len(size) and all(type(step) is int for step in stride)
    if not steps_known or type(offset) is not int or min((offset, *stride)) < 0:
        raise UnreadableError("is damaged: a tensor has impossible strides; get the file anew")
    count = math.prod(size)
    if count == 0:
        return
    last = offset + sum((side - 1) * step for side, step in zip(size, stride, strict=True))
    if last >= available:
        raise UnreadableError(
            f"is damaged: a tensor reaches element {last} of a storage of {available}; "
            "get the file anew"
        )
    if count > max(available, MAX_REPEATED):
        raise UnreadableError("claims a tensor far larger than its storage; refused")
