"""Reads the TFRecords of FILM: triplets of any benchmark in shards, as FILM's scripts write them.

Each example holds `frame_0`, `frame_1` (the true middle frame) and `frame_2`, each as `/encoded`,
`/format`, `/height` and `/width`, and the `path` of the middle frame.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfvfi.data import example
from tfvfi.data.datasets.known import Known
from tfvfi.data.datasets.sample import Benchmark, Sample
from tfvfi.data.index import Index
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.media import pictures
from tfvfi.media.pictures import BadPictureError

SHARD = re.compile(r"-(\d{5})-of-(\d{5})$")
# The authors' notation for all shards of a set, such as "vimeo_interp_test.tfrecord@3".
WHOLE = re.compile(r"@(\d{1,5})$")
FRAMES = ("frame_0", "frame_1", "frame_2")


@dataclass(frozen=True)
class Stored:
    """A frame in a record, decoded on request."""

    index: Index
    number: int
    name: str

    def read(self) -> np.ndarray:
        """Returns the frame: height x width x 3, RGB, uint8 or uint16."""
        try:
            found = example.decode(self.index.read(self.number))
            images = found.get(f"{self.name}/encoded")
            if not images or not isinstance(images[0], bytes):
                raise BadPictureError("the record lacks it")
            return pictures.decode(images[0])
        except (CorruptRecordError, BadPictureError, OSError) as error:
            path, place = self.index.locate(self.number)
            raise InputError(
                f"{path}, record {place}: {self.name} cannot be read ({error})"
            ) from None


def records(known: Known, data_dir: Path) -> Benchmark | None:
    """Opens the triplets of a set, named by its folder, by one shard, or as PREFIX@COUNT."""
    paths = shards(data_dir)
    if not paths:
        return None
    index = Index([str(path) for path in paths], [None] * len(paths))

    def sample(number: int) -> Sample:
        path, place = index.locate(number)
        name = f"{SHARD.sub('', Path(path).name)}/{Path(path).name[-14:-9]}-{place:05}"
        return Sample.evenly(name, [Stored(index, number, frame) for frame in FRAMES])

    return Benchmark(known.name, range(len(index)), sample)


def shards(path: Path) -> list[Path]:
    """Returns the files of a set of FILM's records in order; none if the path is not such a set.

    Raises:
        InputError: Some of them are missing, or a folder holds several sets.
    """
    if path.is_file():
        return [path] if SHARD.search(path.name) else []
    whole = WHOLE.search(path.name)
    if whole:
        prefix = path.with_name(path.name[: whole.start()])
        return _all_of(prefix, int(whole[1]))
    if not path.is_dir():
        return []
    sets = {
        (SHARD.sub("", each.name), int(SHARD.search(each.name)[2]))
        for each in path.iterdir()
        if SHARD.search(each.name)
    }
    if len(sets) > 1:
        listed = ", ".join(f"{name}@{count}" for name, count in sorted(sets))
        raise InputError(f"{path} holds several sets of records ({listed}); add the name of one")
    return [each for name, count in sets for each in _all_of(path / name, count)]


def _all_of(prefix: Path, count: int) -> list[Path]:
    paths = [
        prefix.with_name(f"{prefix.name}-{number:05}-of-{count:05}") for number in range(count)
    ]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise InputError(
            f"{prefix}@{count} is not whole: {len(missing)} of its files are missing, the first "
            f"is {missing[0].name}"
        )
    return paths
