"""The format of records: examples in TFRecord shards, in one folder that TFDS reads as well.

An example is a window of consecutive frames of one video, cut to a patch:

    frames   the encoded images (PNG, JPEG or WebP), first to last
    times    when each is shown: 0 at the window's first frame, 1 at its last
    source   the video's name
    start    the number of the window's first frame in the video; repeated ones are left out
    top, left   where the patch lies in the frame
    flow     where made: for each inner frame the flow to the window's first frame, then to its
             last: (height, width, 4) in float16, compressed by zlib

The folder holds NAME-train.tfrecord-00000-of-00004 and so on, features.json and
dataset_info.json for TFDS, and manifest.json: parameters, sources, and SHA-256 of each shard. It
is complete when it has the manifest.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tfvfi.data import example, tfrecord
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.media import storage

MANIFEST = "manifest.json"
VERSION = "1.0.0"


@dataclass(frozen=True)
class Layout:
    """What all examples of a dataset have in common.

    Attributes:
        frames: Frames of a window.
        height: Height of a patch.
        width: Width of a patch.
        encoding: "png", "jpeg" or "webp".
        flow: Whether the examples hold flow.
    """

    frames: int
    height: int
    width: int
    encoding: str = "png"
    flow: bool = False


# What the lists of an example hold.
FEATURES = {
    "frames": bytes,
    "times": float,
    "source": bytes,
    **dict.fromkeys(("start", "top", "left"), int),
    "flow": bytes,
}


@dataclass(frozen=True)
class Example:
    """One record, its images and flows still encoded; the fields are told at the top."""

    frames: tuple[bytes, ...]
    times: tuple[float, ...]
    source: str
    start: int
    top: int
    left: int
    flow: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        """The bytes of the record's payload."""
        features = {
            "frames": self.frames,
            "times": [float(time) for time in self.times],
            "source": [self.source.encode()],
            **{name: [int(getattr(self, name))] for name in ("start", "top", "left")},
        }
        return example.encode({**features, "flow": self.flow} if self.flow else features)

    @classmethod
    def unpack(cls, payload: bytes) -> "Example":
        """The example in a payload; `CorruptRecordError` if there is none."""
        found = example.decode(payload)
        for name, kind in FEATURES.items():
            if not all(isinstance(value, kind) for value in found.get(name, ())):
                raise CorruptRecordError(f"its {name} are of another kind than {kind.__name__}")
        try:
            return cls(
                frames=tuple(found["frames"]),
                times=tuple(found["times"]),
                source=found["source"][0].decode(),
                **{name: found[name][0] for name in ("start", "top", "left")},
                flow=tuple(found.get("flow", ())),
            )
        except (LookupError, AttributeError, UnicodeDecodeError) as error:
            raise CorruptRecordError(f"the record lacks a feature ({error})") from None


@dataclass(frozen=True)
class Shard:
    """A finished file of examples.

    Attributes:
        file: Its name in the folder.
        examples: How many it holds.
        bytes: Its size.
        sha256: Of its content.
    """

    file: str
    examples: int
    bytes: int
    sha256: str

    def __post_init__(self) -> None:
        if not all(isinstance(size, int) and size >= 0 for size in (self.examples, self.bytes)):
            raise ValueError("a shard's size is no number")


class Records:
    """A finished dataset, opened for reading.

    Args:
        folder: Where it lies.

    Attributes:
        manifest: The content of manifest.json.
        layout: What the examples have in common.
        splits: Names of the splits that hold examples.
    """

    def __init__(self, folder: str | Path):
        self.folder = folder
        path = storage.join(folder, MANIFEST)
        if not storage.exists(path):
            raise InputError(
                f"{folder} is no finished records folder (it has no {MANIFEST}); "
                "make one with tools/create_records.py"
            )
        try:
            self.manifest: dict[str, Any] = json.loads(storage.read_text(path))
            self.name: str = _checked_name(self.manifest["name"])
            self.layout = Layout(**self.manifest["layout"])
            self._shards = {
                _checked_name(split): [Shard(**shard) for shard in shards]
                for split, shards in self.manifest["splits"].items()
            }
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
            raise InputError(f"{path} is damaged ({error}); make the records again") from None
        self.splits = tuple(self._shards)

    def shards(self, split: str = "train") -> list[Shard]:
        """The shards of a split, in order."""
        if split not in self._shards:
            raise InputError(
                f"{self.folder} has no split '{split}'; it has: {', '.join(self.splits)}"
            )
        return self._shards[split]

    def path(self, split: str, number: int) -> str:
        """Where a shard lies; its name follows from the split, whatever the manifest claims."""
        name = shard_name(self.name, split, number, len(self.shards(split)))
        return storage.join(self.folder, name)

    def differing(self, split: str = "train", contents: bool = True) -> list[str]:
        """Paths of shards that are missing or not those of which the manifest tells.

        Args:
            split: Of which split.
            contents: Whether they are read, and their SHA-256 compared; else only their sizes.
        """
        shards = enumerate(self.shards(split))
        named = [(self.path(split, number), shard) for number, shard in shards]
        return [path for path, shard in named if not _is_as_told(path, shard, contents)]

    def examples(self, split: str = "train") -> Iterator[Example]:
        """All examples of a split in the order of the shards."""
        for number in range(len(self.shards(split))):
            with storage.open_file(self.path(split, number)) as file:
                for payload in tfrecord.records(file):
                    yield Example.unpack(payload)


def shard_name(name: str, split: str, number: int, count: int) -> str:
    """A shard's file name, as TFDS expects it."""
    return f"{name}-{split}.tfrecord-{number:05d}-of-{count:05d}"


def dataset_name(folder: str | Path) -> str:
    """The name that TFDS accepts for the dataset in a folder."""
    last = re.split(r"[/\\]", str(folder).rstrip("/\\"))[-1]
    words = re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")
    return words if words[:1].isalpha() else f"records_{words}".rstrip("_")


def write_shard(
    folder: str | Path, name: str, split: str, number: int, count: int, payloads: Iterable[bytes]
) -> Shard:
    """Writes one shard, which appears when it is complete.

    Args:
        folder: Where to.
        name: The dataset's name, see `dataset_name`.
        split: "train", for instance.
        number: Which shard of the split.
        count: How many shards the split has.
        payloads: Packed examples.
    """
    file_name = shard_name(name, split, number, count)
    digest, size, examples = hashlib.sha256(), 0, 0
    with storage.write_aside(storage.join(folder, file_name)) as file:
        for payload in payloads:
            record = tfrecord.pack(payload)
            file.write(record)
            digest.update(record)
            size += len(record)
            examples += 1
    return Shard(file_name, examples, size, digest.hexdigest())


def finish(
    folder: str | Path,
    name: str,
    layout: Layout,
    splits: Mapping[str, list[Shard]],
    about: Mapping[str, Any],
) -> None:
    """Writes what makes shards a dataset: features and info for TFDS, at last the manifest.

    Args:
        folder: Where the shards lie.
        name: The dataset's name.
        layout: What the examples have in common.
        splits: The finished shards.
        about: What else the manifest tells: parameters, sources.
    """
    storage.write_bytes(storage.join(folder, "features.json"), _features_json(layout))
    info = {
        "name": name,
        "version": VERSION,
        "fileFormat": "tfrecord",
        "description": "Windows of consecutive video frames, cut to patches.",
        "splits": [
            {
                "name": split,
                "shardLengths": [str(shard.examples) for shard in shards],
                "numBytes": str(sum(shard.bytes for shard in shards)),
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
            }
            for split, shards in splits.items()
        ],
    }
    storage.write_bytes(storage.join(folder, "dataset_info.json"), _json(info))
    manifest = {
        "name": name,
        "layout": asdict(layout),
        **about,
        "splits": {split: [asdict(shard) for shard in shards] for split, shards in splits.items()},
    }
    storage.write_bytes(storage.join(folder, MANIFEST), _json(manifest))


def _is_as_told(path: str, shard: Shard, contents: bool) -> bool:
    try:
        with storage.open_file(path) as file:
            file.seek(0, os.SEEK_END)
            if file.tell() != shard.bytes:
                return False
            file.seek(0)
            digest = hashlib.sha256()
            while contents and (block := file.read(1 << 20)):
                digest.update(block)
    except OSError:
        return False
    return not contents or digest.hexdigest() == shard.sha256


def _features_json(layout: Layout) -> bytes:
    """What TFDS must know to decode the examples."""
    from tensorflow_datasets import features as tfds

    shape = (layout.height, layout.width)
    # TensorFlow decodes WebP into another shape than TFDS expects: TFDS gives the bytes.
    image = (
        tfds.Scalar(np.object_)
        if layout.encoding == "webp"
        else tfds.Image(shape=(*shape, 3), encoding_format=layout.encoding)
    )
    features = {
        "frames": tfds.Sequence(image, length=layout.frames),
        "times": tfds.Sequence(tfds.Scalar(np.float32), length=layout.frames),
        "source": tfds.Text(),
        **{name: tfds.Scalar(np.int64) for name in ("start", "top", "left")},
    }
    if layout.flow:
        flow = tfds.Tensor(shape=(*shape, 4), dtype=np.float16, encoding=tfds.Encoding.ZLIB)
        features["flow"] = tfds.Sequence(flow, length=layout.frames - 2)
    # Sorted: a protocol buffer's map comes in another order every time.
    return _json(tfds.FeaturesDict(features).to_json(), sort_keys=True)


def _json(content: Mapping[str, Any], sort_keys: bool = False) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=sort_keys)
    return f"{text}\n".encode()


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"'{name}' is no name")
    return name
