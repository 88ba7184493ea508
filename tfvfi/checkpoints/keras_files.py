"""Reads the HDF5 files of Keras 2, whose weights have the names of their layers.

`model.save_weights("a.h5")` writes `conv2d/conv2d/kernel:0`. A whole model has the same names below
`model_weights`; its description beside them is never read. The `.weights.h5` files of Keras 3
identify weights only by their positions in one specific model, so they cannot be converted and need
no conversion.
"""

from collections.abc import Iterator
from typing import BinaryIO

import h5py
import numpy as np

from tfvfi.checkpoints.bounds import Budget, UnreadableError
from tfvfi.checkpoints.layout import as_published

# The exceptions that h5py raises for a damaged file.
DAMAGED = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError)
MAX_DEPTH = 8
MAX_ITEMS = 20_000
WHOLE_MODEL = "model_weights"
# The beginning of the attribute that marks weights of Keras 2; a long one is split into several.
LAYERS = "layer_names"
WIDTHS = (2, 4, 8)


def read_keras(file: BinaryIO, budget: Budget) -> dict[str, np.ndarray]:
    """Returns the arrays of a file as `<layer>/<variable>`, with kernels in PyTorch's order.

    Args:
        file: The file, opened for reading.
        budget: The bytes that may be allocated.

    Raises:
        UnreadableError: The file is damaged, not from Keras 2, or refers to other files.
    """
    try:
        with h5py.File(file, "r") as root:
            group = root[WHOLE_MODEL] if _is_group(root, WHOLE_MODEL) else root
            if not any(name.startswith(LAYERS) for name in group.attrs):
                raise UnreadableError(
                    "is an HDF5 file without names of layers: weights that Keras 3 wrote need no "
                    "conversion, load them as they are"
                )
            tensors: dict[str, np.ndarray] = {}
            for path, array in _arrays(group):
                name = "/".join(path.split("/")[-2:]).partition(":")[0]
                if name in tensors:
                    raise UnreadableError(f"holds {name[:80]!r} twice; save one model alone")
                tensors[name] = as_published(name, _values(path, array, budget))
            return tensors
    except DAMAGED:
        raise UnreadableError("is a damaged HDF5 file, or a part of one; get it anew") from None


def _is_group(parent: h5py.Group, name: str) -> bool:
    """Returns whether the file holds a group with this name; links are rejected."""
    link = parent.get(name, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        raise UnreadableError(f"is refused: {name[:80]!r} is a link to elsewhere")
    return link is not None and isinstance(parent[name], h5py.Group)


def _arrays(root: h5py.Group) -> Iterator[tuple[str, h5py.Dataset]]:
    """Yields every array with its path."""
    waiting, visited = [("", root, 0)], 0
    while waiting:
        prefix, group, depth = waiting.pop()
        visited += len(group)
        # A group may contain itself, or the same group many times.
        if depth > MAX_DEPTH or visited > MAX_ITEMS:
            raise UnreadableError("nests its weights far deeper than weights need; refused")
        for name in group:
            if _is_group(group, name):
                waiting.append((f"{prefix}{name}/", group[name], depth + 1))
            elif isinstance(group[name], h5py.Dataset):
                yield prefix + name, group[name]


def _values(path: str, array: h5py.Dataset, budget: Budget) -> np.ndarray:
    """Returns the values of an array after checking everything that it claims."""
    where = repr(path[-80:])
    if array.external or array.is_virtual:
        raise UnreadableError(f"is refused: {where} is kept outside the file")
    if array.dtype.kind != "f" or array.dtype.itemsize not in WIDTHS:
        raise UnreadableError(f"holds {where} of a type that is not supported; save it as float32")
    if array.chunks is not None:
        raise UnreadableError(f"holds {where} in chunks, which Keras does not; save it anew")
    if array.id.get_storage_size() != array.nbytes:
        raise UnreadableError(f"is cut off or damaged: {where} does not fit; get the file anew")
    budget.spend(array.nbytes)
    return array[()].astype(array.dtype.newbyteorder("="))
