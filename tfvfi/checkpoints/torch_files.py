"""Reads the two formats that `torch.save` has written since version 0.2.

- A zip archive: `<prefix>/data.pkl` describes the tensors, and `<prefix>/data/<key>` are the
  storages.
- Before 1.6, and still on request: five pickles (a magic number, a version, the machine, the
  description, the keys of the storages), followed by the storages, each after its element count.

Descriptions are read by our own unpickler (`unpickle`). Each storage is read once, when one of its
tensors is needed.
"""

import struct
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tfvfi.checkpoints.bounds import Budget, UnreadableError
from tfvfi.checkpoints.pickle_names import STORAGE_TYPES, Name, NumpyArray
from tfvfi.checkpoints.tensors import Storage, Tensor, array_from, itemsize
from tfvfi.checkpoints.unpickle import unpickle
from tfvfi.checkpoints.zips import Archive

MAGIC = 0x1950A86A20F9469CFC6C
# The beginning of the pickle of that number: protocol 2 and an integer of ten bytes.
LEGACY_START = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little")
DESCRIPTION = "data.pkl"


class TorchFile(Protocol):
    """A file that holds a description of tensors and their storages."""

    root: Any

    def array(self, value: Tensor | NumpyArray, budget: Budget) -> np.ndarray:
        """Returns the array of a tensor in the description."""


class ZipFile:
    """A file in the zip format.

    Args:
        archive: The opened zip archive.

    Raises:
        UnreadableError: The file is damaged, or it is a TorchScript program.
    """

    def __init__(self, archive: Archive):
        self.archive = archive
        found = [name for name in archive.names if name.rpartition("/")[2] == DESCRIPTION]
        if len(found) != 1:
            raise UnreadableError(
                f"holds {len(found)} descriptions of tensors, not one; get it anew"
            )
        self.prefix = found[0].removesuffix(DESCRIPTION)
        if self.prefix + "constants.pkl" in archive.names:
            raise UnreadableError(
                "is a TorchScript program; save its state_dict() with torch instead"
            )
        self.big_endian = self._order() == b"big"
        self.storages: dict[str, memoryview] = {}
        description = memoryview(archive.read(found[0]))
        self.root, _ = unpickle(description, 0, self._storage)

    def array(self, value: Tensor | NumpyArray, budget: Budget) -> np.ndarray:
        """Returns the array of a tensor in the description."""
        if isinstance(value, NumpyArray):
            return _plain_array(value, budget)
        return array_from(value, self._data(value.storage), budget, self.big_endian)

    def _order(self) -> bytes:
        name = self.prefix + "byteorder"
        return self.archive.read(name).strip() if name in self.archive.names else b"little"

    def _storage(self, identity: Any) -> Storage:
        dtype, key, count, _ = _read_identity(identity)
        return Storage(key, dtype, count)

    def _data(self, storage: Storage) -> memoryview:
        if storage.key not in self.storages:
            name = f"{self.prefix}data/{storage.key}"
            if name not in self.archive.names:
                raise UnreadableError("is incomplete: it lacks data of a tensor; get the file anew")
            self.storages[storage.key] = memoryview(self.archive.read(name))
        data = self.storages[storage.key]
        if len(data) != storage.count * itemsize(storage.dtype):
            raise UnreadableError("is damaged: data of a tensor have the wrong size; get it anew")
        return data


@dataclass
class Run:
    """The position of a storage in the older format."""

    dtype: str
    count: int
    start: int | None = None


class LegacyFile:
    """A file in the older format.

    Args:
        data: The bytes of the file.

    Raises:
        UnreadableError: The file is damaged or was not written by torch.save.
    """

    def __init__(self, data: memoryview):
        self.data = data
        self.runs: dict[str, Run] = {}
        magic, position = unpickle(data, 0, _no_storage)
        _version, position = unpickle(data, position, _no_storage)
        machine, position = unpickle(data, position, _no_storage)
        if magic != MAGIC or not isinstance(machine, dict):
            raise UnreadableError("is a pickle, but none that torch.save wrote")
        if machine.get("little_endian") is False:
            raise UnreadableError(
                "was written on a big-endian machine; save it anew with torch >= 1.6"
            )
        self.root, position = unpickle(data, position, self._storage)
        keys, position = unpickle(data, position, _no_storage)
        self._find_runs(keys, position)

    def array(self, value: Tensor | NumpyArray, budget: Budget) -> np.ndarray:
        """Returns the array of a tensor in the description."""
        if isinstance(value, NumpyArray):
            return _plain_array(value, budget)
        storage = value.storage
        run = self.runs[storage.key]
        if run.start is None:
            raise UnreadableError("is incomplete: it lacks data of a tensor; get the file anew")
        if storage.first + storage.count > run.count:
            raise UnreadableError(
                "is damaged: a view reaches beyond its storage; get the file anew"
            )
        width = itemsize(run.dtype)
        start = run.start + storage.first * width
        return array_from(value, self.data[start : start + storage.count * width], budget)

    def _storage(self, identity: Any) -> Storage:
        dtype, key, count, view = _read_identity(identity)
        run = self.runs.setdefault(key, Run(dtype, count))
        if (run.dtype, run.count) != (dtype, count):
            raise UnreadableError(
                "is damaged: it describes a storage in two ways; get the file anew"
            )
        if view is None:
            return Storage(key, dtype, count)
        _, first, length = view
        return Storage(key, dtype, _count(length), _count(first))

    def _find_runs(self, keys: Any, position: int) -> None:
        if not isinstance(keys, list):
            raise UnreadableError("is damaged: its list of storages cannot be read; get it anew")
        for key in keys:
            run = self.runs.get(str(key)) if isinstance(key, str | int) else None
            if run is None or run.start is not None or len(self.data) < position + 8:
                raise UnreadableError(
                    "is cut off or damaged after its list of tensors; get it anew"
                )
            (count,) = struct.unpack("<q", self.data[position : position + 8])
            run.start = position + 8
            position = run.start + run.count * itemsize(run.dtype)
            if count != run.count or position > len(self.data):
                raise UnreadableError("is cut off or damaged: its storages do not fit; get it anew")


def _read_identity(identity: Any) -> tuple[str, str, int, Any]:
    """Returns type, key, element count and view of a storage from its persistent id."""
    if not isinstance(identity, tuple) or len(identity) not in (5, 6) or identity[0] != "storage":
        raise ValueError
    _, kind, key, _location, count, *view = identity
    if not isinstance(kind, Name) or kind not in STORAGE_TYPES:
        raise ValueError
    if not isinstance(key, str | int):
        raise ValueError
    return STORAGE_TYPES[kind], str(key), _count(count), view[0] if view else None


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**48:
        raise ValueError
    return value


def _no_storage(identity: Any) -> Storage:
    raise ValueError


def _plain_array(value: NumpyArray, budget: Budget) -> np.ndarray:
    budget.spend(value.value.nbytes)
    return np.array(value.value, dtype=value.value.dtype.newbyteorder("="), order="C")
