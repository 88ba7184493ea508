"""Reads TensorFlow checkpoints and the variables of SavedModels without TensorFlow.

Both are bundles: `PREFIX.index` is a table of names and positions, and `PREFIX.data-*` hold the
bytes. One entry describes the saved objects and provides the names of the variables. The graph of a
SavedModel is never opened.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from tfvfi.checkpoints.bounds import Budget, UnreadableError
from tfvfi.checkpoints.layout import as_published
from tfvfi.checkpoints.tensors import DTYPES, as_numpy, check_shape, itemsize
from tfvfi.checkpoints.wire import damaged, fields, table, varint

INDEX, STATE, SAVED_MODEL = ".index", "checkpoint", "saved_model.pb"
SHARD = re.compile(r"\.data-\d{5}-of-\d{5}$")
LATEST = re.compile(r'^model_checkpoint_path: "([^"\\]{1,255})"', re.MULTILINE)
MAX_INDEX, MAX_SHARDS = 64 * 2**20, 1000
OBJECTS = b"_CHECKPOINTABLE_OBJECT_GRAPH"
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
# Marks the state that an optimizer keeps for each variable.
SLOT = "/.OPTIMIZER_SLOT/"
# TensorFlow's numbers of types. Other types belong to counters and texts, which are not weights.
FLOATS = {1: "float32", 2: "float64", 14: "bfloat16", 19: "float16"}
STRING = 7


@dataclass(frozen=True)
class Entry:
    """The description of one value in an index, which has not been checked yet."""

    kind: int = 0
    shape: tuple[int, ...] = ()
    shard: int = 0
    first: int = 0
    size: int = 0
    sliced: bool = False


def bundle_prefix(path: Path) -> Path | None:
    """Returns the common prefix of the files of a bundle, or None if the path is not one.

    Args:
        path: A SavedModel, a folder of checkpoints (which stands for the latest), the prefix
            itself, or one of the files.
    """
    if path.is_dir():
        return _prefix_in(path)
    name = SHARD.sub("", path.name).removesuffix(INDEX)
    prefix = path.with_name(name) if name else path
    return prefix if _index(prefix).is_file() else None


def bundle_files(prefix: Path) -> list[Path]:
    """Returns the index of a bundle and the files with its bytes."""
    shards = [path for path in prefix.parent.iterdir() if SHARD.sub("", path.name) == prefix.name]
    return [_index(prefix), *sorted(path for path in shards if path.name != prefix.name)]


def read_bundle(prefix: Path, budget: Budget) -> dict[str, np.ndarray]:
    """Returns the weights of a bundle as `<layer>/<variable>`, with kernels in PyTorch's order.

    Variables keep the names that they had in the program that saved them. The state of optimizers
    and integers are omitted.

    Args:
        prefix: The common prefix of the files.
        budget: The bytes that may be allocated.

    Raises:
        UnreadableError: The bundle is incomplete, damaged or not supported.
    """
    if _index(prefix).stat().st_size > MAX_INDEX:
        raise UnreadableError("has an index far larger than weights need; refused")
    entries = {key: _entry(value) for key, value in table(_bytes(_index(prefix))).items() if key}
    shards = _Shards(prefix, _shard_count(prefix))
    tensors = {}
    for name, key in _names(entries, shards).items():
        entry = entries[key]
        if entry.kind in FLOATS:
            tensors[name] = as_published(name, _array(name, entry, shards, budget))
    return tensors


class _Shards:
    """The bytes of a bundle, whose files are opened on first use."""

    def __init__(self, prefix: Path, count: int):
        self.prefix, self.count = prefix, count
        self.opened: dict[int, memoryview] = {}

    def bytes_of(self, entry: Entry) -> memoryview:
        """Returns the bytes of an entry."""
        if entry.shard >= self.count:
            raise damaged()
        if entry.shard not in self.opened:
            name = f"{self.prefix.name}.data-{entry.shard:05}-of-{self.count:05}"
            path = self.prefix.with_name(name)
            if not path.is_file():
                raise UnreadableError(f"is incomplete: {name} is missing; get the whole folder")
            self.opened[entry.shard] = _bytes(path)
        data = self.opened[entry.shard]
        if entry.first + entry.size > len(data):
            raise UnreadableError("is cut off: its data end early; get it anew")
        return data[entry.first : entry.first + entry.size]


def _prefix_in(folder: Path) -> Path | None:
    if (folder / SAVED_MODEL).is_file():
        prefix = folder / "variables" / "variables"
        if not _index(prefix).is_file():
            raise UnreadableError(
                "is a SavedModel without variables/variables.index; get the whole folder"
            )
        return prefix
    state = folder / STATE
    if state.is_file() and state.stat().st_size < MAX_INDEX:
        latest = LATEST.search(state.read_text("utf-8", errors="replace"))
        if latest:
            # The recorded folder is ignored, because the checkpoints may have been moved.
            prefix = folder / re.split(r"[/\\]", latest[1])[-1]
            if _index(prefix).is_file():
                return prefix
    found = sorted(folder.glob(f"*{INDEX}"))
    if len(found) == 1:
        return found[0].with_name(found[0].name.removesuffix(INDEX))
    raise UnreadableError(
        "is a folder without a SavedModel or a checkpoint of TensorFlow; name one that holds "
        f"{SAVED_MODEL} or *{INDEX}"
        if not found
        else f"holds {len(found)} checkpoints without a record of the latest; name one *{INDEX}"
    )


def _index(prefix: Path) -> Path:
    return prefix.with_name(prefix.name + INDEX)


def _bytes(path: Path) -> memoryview:
    return memoryview(np.memmap(path, np.uint8, "r")) if path.stat().st_size else memoryview(b"")


def _shard_count(prefix: Path) -> int:
    header = table(_bytes(_index(prefix))).get(b"")
    if header is None:
        raise damaged()
    about = dict(fields(header))
    count = about.get(1, 0)
    if about.get(2):
        raise UnreadableError("was written by a big-endian machine, which is not supported")
    if not isinstance(count, int) or not 0 < count <= MAX_SHARDS:
        raise damaged()
    return count


def _entry(data: memoryview) -> Entry:
    found, sides, sliced = dict.fromkeys((1, 3, 4, 5), 0), [], False
    for number, value in fields(data):
        if number in found and isinstance(value, int):
            found[number] = value
        elif number == 2 and not isinstance(value, int):
            for part, dimension in fields(value):
                if part == 2 and not isinstance(dimension, int):
                    sides.append(dict(fields(dimension)).get(1, 0))
        elif number == 7:
            sliced = True
    kind, shard, first, size = found.values()
    return Entry(kind, tuple(sides), shard, first, size, sliced)


def _array(name: str, entry: Entry, shards: _Shards, budget: Budget) -> np.ndarray:
    dtype = FLOATS[entry.kind]
    check_shape(entry.shape)
    if entry.sliced:
        raise UnreadableError(f"holds {name[-80:]!r} in slices; save it on one machine")
    if entry.size != prod(entry.shape) * itemsize(dtype):
        raise UnreadableError(
            f"is damaged: {name[-80:]!r} does not have the size it claims; get it anew"
        )
    data = shards.bytes_of(entry)
    budget.spend(entry.size * (2 if dtype == "bfloat16" else 1))
    elements = np.frombuffer(data, np.dtype(DTYPES[dtype]).newbyteorder("<"))
    return as_numpy(elements.reshape(entry.shape), dtype)


def _names(entries: Mapping[bytes, Entry], shards: _Shards) -> dict[str, bytes]:
    """Returns the key of every variable that may be a weight, by its name."""
    keys = [key for key in entries if key != OBJECTS]
    full = _full_names(_text(entries[OBJECTS], shards)) if OBJECTS in entries else {}
    named: dict[str, list[bytes]] = {}
    for key in keys:
        text = key.decode("utf-8", errors="replace")
        if SLOT in text or text.startswith("optimizer/"):
            continue
        name = full.get(key) or text.removesuffix(VALUE)
        named.setdefault(name, []).append(key)
    # Unnamed variables share one name, so their paths in the object graph are used instead.
    return {
        name if len(same) == 1 else key.decode("utf-8", errors="replace").removesuffix(VALUE): key
        for name, same in named.items()
        for key in same
    }


def _text(entry: Entry, shards: _Shards) -> memoryview:
    """Returns the text in an entry, which is stored after its length and a checksum."""
    data = shards.bytes_of(entry)
    length, at = varint(data, 0)
    if entry.kind != STRING or at + 4 + length != len(data):
        raise damaged()
    return data[at + 4 :]


def _full_names(objects: memoryview) -> dict[bytes, str]:
    """Returns the name of every variable by its key, from the description of the objects."""
    found = {}
    for number, node in fields(objects):
        if number != 1 or isinstance(node, int):
            continue
        for part, attribute in fields(node):
            if part == 2 and not isinstance(attribute, int):
                about = {n: bytes(v) for n, v in fields(attribute) if not isinstance(v, int)}
                key, name = about.get(3, b""), about.get(2, b"")
                found[key] = name.decode("utf-8", errors="replace")
    return found
