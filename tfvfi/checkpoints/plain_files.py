"""Reads the two formats that hold only arrays: safetensors and NumPy's .npz."""

import json
import math
import re
from typing import Any

import numpy as np

from tfvfi.checkpoints.bounds import Budget, UnreadableError
from tfvfi.checkpoints.tensors import DTYPES, as_numpy, check_shape, itemsize
from tfvfi.checkpoints.zips import Archive

MAX_HEADER = 16 * 2**20
SAFETENSORS_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
    "BOOL": "bool",
}
NPY_MAGIC = b"\x93NUMPY"
# NumPy evaluates this header as Python. It has only one form, so a pattern is enough here.
NPY_HEADER = re.compile(
    r"\{ *'descr' *: *'([<>|=]?(?:f[248]|[iu][1248]|b1))' *, *'fortran_order' *: *(True|False) *, *"
    r"'shape' *: *\(([0-9, ]{0,200})\) *,? *\}\s*"
)


def looks_like_safetensors(head: bytes) -> bool:
    """Returns whether a file begins with a length and a JSON object."""
    return len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**40


def read_safetensors(data: memoryview, budget: Budget) -> tuple[dict[str, np.ndarray], dict]:
    """Returns the arrays of a safetensors file, and its metadata.

    Args:
        data: The bytes of the file.
        budget: The bytes that may be allocated.

    Raises:
        UnreadableError: The file is damaged.
    """
    length = int.from_bytes(data[:8], "little")
    if length > min(MAX_HEADER, len(data) - 8):
        raise UnreadableError("is cut off, or its safetensors header has an impossible length")
    try:
        header = json.loads(bytes(data[8 : 8 + length]), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise UnreadableError(
            "is damaged: its safetensors header cannot be read; get it anew"
        ) from None
    if not isinstance(header, dict):
        raise UnreadableError("is damaged: its safetensors header is no object; get it anew")
    metadata = header.pop("__metadata__", {})
    body = data[8 + length :]
    spans = {name: _span(name, entry, len(body)) for name, entry in header.items()}
    end = 0
    for begin, stop in sorted(spans.values()):
        if begin < end:
            raise UnreadableError("is damaged: its tensors overlap; get the file anew")
        end = stop
    tensors = {}
    for name, (begin, stop) in spans.items():
        dtype, shape = SAFETENSORS_TYPES[header[name]["dtype"]], header[name]["shape"]
        budget.spend((stop - begin) * (2 if dtype == "bfloat16" else 1))
        elements = np.frombuffer(body[begin:stop], np.dtype(DTYPES[dtype]).newbyteorder("<"))
        tensors[name] = as_numpy(elements.reshape(shape), dtype)
    return tensors, metadata if isinstance(metadata, dict) else {}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name given twice")
    return found


def _span(name: str, entry: Any, size: int) -> tuple[int, int]:
    """Returns where the data of a tensor begin and end, after checking its shape and type."""
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= set(entry):
        raise UnreadableError(
            f"is damaged: its header says too little of {name[:80]!r}; get it anew"
        )
    kind, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(kind, str) or kind not in SAFETENSORS_TYPES:
        raise UnreadableError(
            f"holds {name[:80]!r} of type {str(kind)[:20]!r}, which is not supported"
        )
    if not isinstance(shape, list):
        raise UnreadableError(f"is damaged: {name[:80]!r} has no shape; get the file anew")
    check_shape(shape)
    if (
        not isinstance(offsets, list)
        or len(offsets) != 2
        or any(type(offset) is not int for offset in offsets)
        or not 0 <= offsets[0] <= offsets[1] <= size
        or offsets[1] - offsets[0] != math.prod(shape) * itemsize(SAFETENSORS_TYPES[kind])
    ):
        raise UnreadableError(
            f"is cut off or damaged: {name[:80]!r} does not fit; get the file anew"
        )
    return offsets[0], offsets[1]


def read_npz(archive: Archive, budget: Budget) -> dict[str, np.ndarray]:
    """Returns the arrays of a .npz file."""
    return {
        name.removesuffix(".npy"): _read_npy(name, memoryview(archive.read(name)), budget)
        for name in archive.names
    }


def _read_npy(name: str, data: memoryview, budget: Budget) -> np.ndarray:
    wide = len(data) > 6 and data[6] > 1
    start = 12 if wide else 10
    if len(data) < start or data[:6] != NPY_MAGIC:
        raise UnreadableError(f"is damaged: {name[:80]!r} is no array; get the file anew")
    end = start + int.from_bytes(data[8:start], "little")
    header = NPY_HEADER.fullmatch(str(data[start:end], "latin1")) if end <= len(data) else None
    if header is None:
        raise UnreadableError(
            f"holds {name[:80]!r}, which is damaged or no array of numbers; refused"
        )
    descr, column_major, sides = header.groups()
    shape = [int(side[:20]) for side in sides.replace(" ", "").split(",") if side]
    check_shape(shape)
    dtype = np.dtype(descr)
    if len(data) - end != math.prod(shape) * dtype.itemsize:
        raise UnreadableError(
            f"is damaged: {name[:80]!r} does not have the size it claims; get it anew"
        )
    budget.spend(len(data) - end)
    order = "F" if column_major == "True" else "C"
    values = np.frombuffer(data[end:], dtype).reshape(shape, order=order)
    return as_numpy(values, dtype.name)
