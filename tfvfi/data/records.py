"""The format of records: examples in TFRecord shards, in a folder that TFDS can read as well.

An example is a window of consecutive frames of one video, cropped to a patch:

    frames   the encoded images (PNG, JPEG or WebP), first to last
    times    the time of each frame: 0 at the window's first frame, 1 at its last
    source   the name of the video
    start    the number of the window's first frame in the video (windows leave out held frames)
    top, left   the position of the patch in the frame
    flow     optional: for each inner frame the flow to the window's first frame, then to its
             last, (height, width, 4) in float16, compressed with zlib

The folder holds NAME-train.tfrecord-00000-of-00004 and so on, features.json and
dataset_info.json for TFDS, and manifest.json with the parameters, the sources, and the SHA-256 of
each shard. The folder is complete when it has the manifest.
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
    """The properties that all examples of a dataset have in common.

    Attributes:
        frames: The number of frames in a window.
        height: The height of a patch.
        width: The width of a patch.
        encoding: "png", "jpeg" or "webp".
        flow: Whether the examples hold flow.
    """

    frames: int
    height: int
    width: int
    encoding: str = "png"
    flow: bool = False


# The type of the values in each list of an example.
FEATURES = {
    "frames": bytes,
    "times": float,
    "source": bytes,
    **dict.fromkeys(("start", "top", "left"), int),
    "flow": bytes,
}


@dataclass(frozen=True)
class Example:
    """One record, its images and flow still encoded; the module describes its fields."""

    frames: tuple[bytes, ...]
    times: tuple[float, ...]
    source: str
    start: int
    top: int
    left: int
    flow: tuple[bytes, ...] = ()

    def pack(self) -> bytes:
        """Returns the record's payload as bytes."""
        features = {
            "frames": self.frames,
            "times": [float(time) for time in self.times],
            "source": [self.source.encode()],
            **{name: [int(getattr(self, name))] for name in ("start", "top", "left")},
        }
        return example.encode({**features, "flow": self.flow} if self.flow else features)

    @classmethod
    def unpack(cls, payload: bytes) -> "Example":
        """Returns the example in a payload; raises `CorruptRecordError` if there is none."""
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
        file: The name of the file in the folder.
        examples: The number of examples.
        bytes: The size of the file.
        sha256: The SHA-256 of its content.
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
        folder: The folder of the dataset.

    Attributes:
        manifest: The content of manifest.json.
        layout: The properties that the examples have in common.
        splits: The names of the splits.

    Raises:
        InputError: The folder is not a finished dataset, or its manifest is damaged.
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
        """Returns the shards of a split, in order."""
        if split not in self._shards:
            raise InputError(
                f"{self.folder} has no split '{split}'; it has: {', '.join(self.splits)}"
            )
        return self._shards[split]

    def path(self, split: str, number: int) -> str:
        """Returns the path of a shard, whose name follows from the split, not the manifest."""
        name = shard_name(self.name, split, number, len(self.shards(split)))
        return storage.join(self.folder, name)

    def differing(self, split: str = "train", contents: bool = True) -> list[str]:
        """Returns the paths of shards that are missing or differ from the manifest.

        Args:
            split: The name of the split.
            contents: Whether to compare the SHA-256 of the contents too, not just the sizes.
        """
        shards = enumerate(self.shards(split))
        named = [(self.path(split, number), shard) for number, shard in shards]
        return [path for path, shard in named if not _is_as_told(path, shard, contents)]

    def examples(self, split: str = "train") -> Iterator[Example]:
        """Yields all examples of a split in the order of the shards."""
        for number in range(len(self.shards(split))):
            with storage.open_file(self.path(split, number)) as file:
                for payload in tfrecord.records(file):
                    yield Example.unpack(payload)


def shard_name(name: str, split: str, number: int, count: int) -> str:
    """Returns the file name of a shard, as TFDS expects it."""
    return f"{name}-{split}.tfrecord-{number:05d}-of-{count:05d}"


def dataset_name(folder: str | Path) -> str:
    """Returns a name that TFDS accepts for the dataset in a folder."""
    last = re.split(r"[/\\]", str(folder).rstrip("/\\"))[-1]
    words = re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")
    return words if words[:1].isalpha() else f"records_{words}".rstrip("_")


def write_shard(
    folder: str | Path, name: str, split: str, number: int, count: int, payloads: Iterable[bytes]
) -> Shard:
    """Writes one shard, which appears under its name when it is complete.

    Args:
        folder: The folder to write to.
        name: The name of the dataset, see `dataset_name`.
        split: The name of the split, for instance "train".
        number: The number of the shard in the split.
        count: The number of shards in the split.
        payloads: Packed examples.

    Returns:
        The description of the shard for the manifest.
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
    """Turns shards into a dataset: writes features and info for TFDS, and the manifest last.

    Args:
        folder: The folder of the shards.
        name: The name of the dataset.
        layout: The properties that the examples have in common.
        splits: The finished shards of each split.
        about: The other entries of the manifest, such as parameters and sources.
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
    """Returns the description from which TFDS decodes the examples."""
    from tensorflow_datasets import features as tfds

    shape = (layout.height, layout.width)
    # TensorFlow decodes WebP to a shape that TFDS does not expect, so TFDS returns the bytes.
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
    # The keys are sorted because a protocol buffer's map has another order every time.
    return _json(tfds.FeaturesDict(features).to_json(), sort_keys=True)


def _json(content: Mapping[str, Any], sort_keys: bool = False) -> bytes:
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=sort_keys)
    return f"{text}\n".encode()


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"'{name}' is no name")
    return name
