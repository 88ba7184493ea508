"""Reads the weights in a published file of any known format, without PyTorch."""

import hashlib
import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tfvfi.checkpoints.bounds import Budget, UnreadableError
from tfvfi.checkpoints.keras_files import read_keras
from tfvfi.checkpoints.pickle_names import NumpyArray
from tfvfi.checkpoints.plain_files import looks_like_safetensors, read_npz, read_safetensors
from tfvfi.checkpoints.tensorflow_files import bundle_files, bundle_prefix, read_bundle
from tfvfi.checkpoints.tensors import Tensor
from tfvfi.checkpoints.torch_files import DESCRIPTION, LegacyFile, TorchFile, ZipFile
from tfvfi.checkpoints.zips import Archive
from tfvfi.errors import InputError

# The keys under which training scripts store the weights.
WRAPPERS = ("state_dict", "model_state_dict", "model", "params", "net", "network")
# The prefixes of keys that hold other tensors than weights.
BOOKKEEPING = ("optim", "sched", "scaler")
# The prefix that DataParallel adds to every key.
PARALLEL = "module."
MAX_DEPTH = 8
MAX_ITEMS = 500_000


@dataclass(frozen=True)
class Checkpoint:
    """The content of a published checkpoint.

    Attributes:
        path: The file or folder.
        sha256: Its SHA-256, in hexadecimal. For TensorFlow it is that of the index followed by the
            data.
        tensors: Its weights in the order of the file. Half precision is kept; bfloat16 is converted
            to float32.
        extras: Plain values stored with the weights, such as the epoch.
    """

    path: Path
    sha256: str
    tensors: dict[str, np.ndarray]
    extras: dict[str, Any] = field(default_factory=dict)


def read(path: str | Path) -> Checkpoint:
    """Reads the weights of a published checkpoint without running any code in it.

    The formats of PyTorch, safetensors, .npz and Keras 2 files are recognized by content, whatever
    their names are; a SavedModel or a TensorFlow checkpoint is recognized by the names of its
    files. `{"state_dict": ...}` is unwrapped, several `state_dict...` keys become prefixes, and a
    `module.` before every key is removed.

    Args:
        path: The file. For TensorFlow it is the folder of a SavedModel, a folder of checkpoints, a
            `.index` file, or its name without the suffix.

    Returns:
        The content of the checkpoint.

    Raises:
        InputError: The file is missing, damaged or of another kind, or it refers to something that
            weights do not need.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> path = tempfile.mkdtemp() + "/weights.npz"
        >>> np.savez(path, kernel=np.ones((3, 2)))
        >>> {name: tensor.shape for name, tensor in read(path).tensors.items()}
        {'kernel': (3, 2)}
    """
    path = Path(path)
    try:
        prefix = bundle_prefix(path)
        if prefix is None and not path.is_file():
            raise InputError(f"there is no checkpoint {path}")
        files = [path] if prefix is None else bundle_files(prefix)
        size = sum(file.stat().st_size for file in files)
        if size == 0:
            raise UnreadableError("is empty; get it anew")
        if prefix is None:
            with open(path, "rb") as file:
                tensors, extras = _read_any(file, size)
        else:
            tensors, extras = read_bundle(prefix, Budget(size)), {}
        sha256 = _sha256(files)
    except UnreadableError as reason:
        raise InputError(f"{path} {reason}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    if not tensors:
        raise InputError(f"{path} holds no weights; name a file with a state_dict")
    return Checkpoint(path, sha256, _without_parallel(tensors), extras)


def _read_any(file: BinaryIO, size: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Returns arrays and extras of a file, whose format its first bytes determine."""
    head = file.read(512)
    budget = Budget(size)
    if head.startswith(b"PK\x03\x04"):
        archive = Archive(file, size)
        if any(name.rpartition("/")[2] == DESCRIPTION for name in archive.names):
            return _weights(ZipFile(archive), budget)
        if archive.names and all(name.endswith(".npy") for name in archive.names):
            return read_npz(archive, budget), {}
        raise UnreadableError(
            "is a zip archive without weights; unpack it and name the file inside"
        )
    if looks_like_safetensors(head):
        return read_safetensors(_mapped(file), budget)
    if head.startswith(b"\x80"):
        return _weights(LegacyFile(_mapped(file)), budget)
    if head.startswith(b"\x89HDF"):
        return read_keras(file, budget), {}
    if head[257:262] == b"ustar":
        raise UnreadableError(
            "is a tar archive: unpack it if it holds a checkpoint; if PyTorch before 0.2 wrote it, "
            "load it there and save it anew"
        )
    raise UnreadableError(
        "is no checkpoint: PyTorch's forms, .safetensors, .npz, Keras's .h5 and folders of "
        "TensorFlow's SavedModels are known"
    )


def _mapped(file: BinaryIO) -> memoryview:
    return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _sha256(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _weights(file: TorchFile, budget: Budget) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    if not isinstance(file.root, dict):
        raise UnreadableError(
            f"holds a {type(file.root).__name__}, not weights by name; save a state_dict()"
        )
    chosen = _choose(file.root)
    tensors = {name: file.array(value, budget) for name, value in _flatten(chosen).items()}
    extras = {
        key: value
        for key, value in file.root.items()
        if isinstance(value, str | int | float) and key not in tensors
    }
    return tensors, extras


def _choose(root: dict[str, Any]) -> dict[str, Any]:
    """Returns the part of a training checkpoint that holds the weights."""
    for wrapper in WRAPPERS:
        if isinstance(root.get(wrapper), dict):
            return root[wrapper]
    parts = {key: value for key, value in root.items() if key.startswith("state_dict")}
    if parts:
        return parts
    return {key: value for key, value in root.items() if not key.startswith(BOOKKEEPING)}


def _flatten(root: dict[str, Any]) -> dict[str, Tensor | NumpyArray]:
    """Returns the tensors in nested dicts, with their names joined by dots."""
    found: dict[str, Tensor | NumpyArray] = {}
    waiting = [("", root, 0)]
    visited = 0
    while waiting:
        prefix, part, depth = waiting.pop()
        visited += len(part)
        # A dict may contain itself, or the same dict many times.
        if depth > MAX_DEPTH or visited > MAX_ITEMS:
            raise UnreadableError("nests its weights far deeper than weights need; refused")
        inner = []
        for key, value in part.items():
            if isinstance(value, Tensor | NumpyArray):
                found[prefix + key] = value
            elif isinstance(value, dict):
                inner.append((f"{prefix}{key}.", value, depth + 1))
        waiting.extend(reversed(inner))
    return found


def _without_parallel(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    if all(name.startswith(PARALLEL) for name in tensors):
        return {name.removeprefix(PARALLEL): tensor for name, tensor in tensors.items()}
    return tensors
