"""The sources of samples: records, the origin project's old records, benchmarks and scenes.

Each source has a `layout`, a length, and `window(index)`, which returns consecutive frames that
are decoded on request.
"""

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tfvfi.data import codecs, datasets, example, procedural
from tfvfi.data.datasets import KNOWN, film
from tfvfi.data.datasets.sample import Benchmark
from tfvfi.data.index import Index
from tfvfi.data.records import MANIFEST, Example, Layout, Records
from tfvfi.data.tfrecord import CorruptRecordError
from tfvfi.errors import InputError
from tfvfi.media import pictures, storage
from tfvfi.media.pictures import BadPictureError

logger = logging.getLogger(__name__)

# Errors of a record that cannot be read: it is logged, counted and replaced by another.
UNREADABLE = (CorruptRecordError, BadPictureError, OSError)
# The most pixels of a patch; a file that claims more is refused.
LARGEST_PATCH = 1 << 26
# Records of up to this many bytes are compared with the checksums of the manifest when they are
# opened; of larger ones only the sizes are compared.
SUMMED_AT_OPENING = 64 << 20
OLD_FEATURES = ("img1", "img2", "img3")


@dataclass(frozen=True)
class Place:
    """The origin of a sample.

    Attributes:
        shard: The file, or the name of the benchmark.
        index: The number of the sample in the file or benchmark.
        source: The video from which the sample was cut.
        start: The number of the sample's first frame in the video.
    """

    shard: str
    index: int
    source: str = ""
    start: int = 0

    def __str__(self) -> str:
        video = f" ({self.source}, frame {self.start})" if self.source else ""
        return f"{self.shard}, record {self.index}{video}"


@dataclass(frozen=True)
class Window:
    """Consecutive frames.

    Attributes:
        place: The origin of the frames.
        times: The time of each frame: 0 for the first, 1 for the last.
        frame: Returns the frame of a number: height x width x 3, RGB, uint8 or uint16.
        flow: Returns the flow from an inner frame, numbered from 0, to the first frame and to the
            last, (height, width, 4); None if there is no flow.
    """

    place: Place
    times: tuple[float, ...]
    frame: Callable[[int], np.ndarray]
    flow: Callable[[int], np.ndarray] | None = None


def open_source(
    records: "str | Path | Benchmark", split: str, frames: int = 3, step: int = 1
) -> "RecordSource | OldSource | BenchmarkSource | SceneSource":
    """Opens the source that the user named: a folder, old records, a benchmark, or scenes.

    Args:
        records: The name or the benchmark that the user gave.
        split: "train" or "validation".
        frames: The number of consecutive frames in a window, for benchmarks whose frames are cut
            into windows on reading; other sources have a fixed number.
        step: The number of frames from one window to the next, for the same benchmarks.

    Raises:
        InputError: The source cannot be read, or it has no such split.
    """
    name, colon, folder = str(records).partition(":")
    if colon and name == SceneSource.NAME:
        return SceneSource(open_source(folder, split))
    if colon and name in KNOWN:
        records = _open_benchmark(name, folder, split, {"factor": frames - 1, "step": step})
    if isinstance(records, Benchmark):
        return BenchmarkSource(records)
    if not isinstance(records, str | Path):
        raise InputError(
            "samples are drawn from a records folder or from a benchmark of pictures; make records "
            f"of videos with tools/create_records.py. Received: {type(records).__name__}"
        )
    try:
        finished = storage.exists(storage.join(records, MANIFEST))
        old = [] if finished else _old_files(records)
    except OSError as error:
        raise InputError(f"{records} cannot be read: {error.strerror}") from None
    if finished:
        return RecordSource(records, split)
    if not old and (triplets := film.records(KNOWN["film_records"], Path(records))):
        _check_training_alone(records, split)
        return BenchmarkSource(triplets)
    if not old:
        # Raises the error that describes what is wrong with the folder.
        Records(records)
    return OldSource(records, old, split)


class RecordSource:
    """Records as tools/create_records.py writes them.

    Args:
        folder: The folder of the records.
        split: "train" or "validation".
    """

    def __init__(self, folder: str | Path, split: str):
        records = Records(folder)
        shards = records.shards(split)
        self.name = f"{folder}"
        self.layout = _checked_layout(records.layout, folder)
        cheap = sum(shard.bytes for shard in shards) <= SUMMED_AT_OPENING
        for path in records.differing(split, contents=cheap):
            logger.warning("%s is not the file of which the manifest tells", path)
        self.index = Index(
            [records.path(split, number) for number in range(len(shards))],
            [shard.examples for shard in shards],
        )

    def __len__(self) -> int:
        return len(self.index)

    def place(self, index: int) -> Place:
        """Returns the location of a record without reading it."""
        return Place(*self.index.locate(index))

    def window(self, index: int) -> Window:
        """Returns the frames of a record."""
        found = Example.unpack(self.index.read(index))
        layout = self.layout
        flows = layout.frames - 2 if layout.flow else 0
        if not len(found.frames) == len(found.times) == layout.frames or len(found.flow) < flows:
            raise CorruptRecordError(
                f"it holds {len(found.frames)} frames, {len(found.times)} times and "
                f"{len(found.flow)} flows, not {layout.frames}, {layout.frames} and {flows}"
            )
        if not all(math.isfinite(a) and a < b < math.inf for a, b in pairwise(found.times)):
            raise CorruptRecordError("its times do not rise")
        size = layout.height, layout.width
        return Window(
            Place(*self.index.locate(index), found.source, found.start),
            found.times,
            lambda number: pictures.decode(found.frames[number], size),
            (lambda number: codecs.decode_flow(found.flow[number], *size)) if flows else None,
        )


class OldSource:
    """Records of the origin project, with the features img1, img2, img3 (JPEG), height and width.

    Red and blue are exchanged in their JPEG files, which is corrected here; they are decoded as
    the origin project did with TensorFlow. All of them are for training.

    Args:
        name: The name that the user gave.
        paths: The files.
        split: Must be "train".
    """

    def __init__(self, name: str | Path, paths: list[str], split: str):
        _check_training_alone(name, split)
        self.name = f"{name}"
        self.index = Index(paths, [None] * len(paths))
        if not len(self.index):
            raise InputError(f"{name} holds no whole record; make the records again")
        self.layout = Layout(len(OLD_FEATURES), *self._first_size(), encoding="jpeg")

    def __len__(self) -> int:
        return len(self.index)

    def place(self, index: int) -> Place:
        """Returns the location of a record without reading it."""
        return Place(*self.index.locate(index))

    def window(self, index: int) -> Window:
        """Returns the three frames of a record."""
        images = self._images(index)
        size = self.layout.height, self.layout.width
        return Window(
            self.place(index),
            (0.0, 0.5, 1.0),
            lambda number: pictures.decode_as_tensorflow(images[number], size)[..., ::-1],
        )

    def _images(self, index: int) -> list[bytes]:
        found = example.decode(self.index.read(index))
        try:
            images = [found[name][0] for name in OLD_FEATURES]
        except LookupError as error:
            raise CorruptRecordError(f"it lacks a feature ({error})") from None
        if not all(isinstance(image, bytes) for image in images):
            raise CorruptRecordError("its images are no bytes")
        return images

    def _first_size(self) -> tuple[int, int]:
        """Returns the size of the first readable picture, which is the size of all."""
        for index in range(min(len(self.index), 100)):
            try:
                size = pictures.claimed_size(self._images(index)[0])
            except UNREADABLE:
                continue
            if size and 0 < size[0] * size[1] <= LARGEST_PATCH:
                return size
        raise InputError(f"{self.name} holds no records that can be read: no img1, img2, img3")


class BenchmarkSource:
    """The pictures of a public benchmark.

    Args:
        benchmark: See `tfvfi.data.datasets.open`.
    """

    index = None

    def __init__(self, benchmark: Benchmark):
        self.name = benchmark.name
        self._benchmark = benchmark
        first = benchmark[0]
        height, width = first.frame0.read().shape[:2]
        self.layout = Layout(len(first.targets) + 2, height, width)

    def __len__(self) -> int:
        return len(self._benchmark)

    def place(self, index: int) -> Place:
        """Returns the location of a sample without reading it."""
        return Place(self.name, index, self._benchmark[index].name)

    def window(self, index: int) -> Window:
        """Returns the frames of a sample."""
        found = self._benchmark[index]
        frames = (found.frame0, *found.targets, found.frame1)

        def frame(number: int) -> np.ndarray:
            try:
                return frames[number].read()
            except InputError as error:
                raise BadPictureError(str(error)) from None

        return Window(self.place(index), (0.0, *found.times, 1.0), frame)


class SceneSource:
    """Moving scenes rendered from still pictures, see `tfvfi.data.procedural`.

    Args:
        pictures: The source whose frames are used.
    """

    NAME, FRAMES = "procedural", 9
    index = None

    def __init__(self, pictures: "RecordSource | OldSource | BenchmarkSource"):
        self.name = f"{self.NAME}:{pictures.name}"
        self._pictures = pictures
        self._size = min(pictures.layout.height, pictures.layout.width)
        self.layout = Layout(self.FRAMES, self._size, self._size, flow=True)

    def __len__(self) -> int:
        return procedural.SCENES

    def place(self, index: int) -> Place:
        """Returns the number of a scene."""
        return Place(self.name, index)

    def window(self, index: int) -> Window:
        """Returns the frames of a scene at evenly spaced times."""
        scene = procedural.scene(index, self._picture)
        times = tuple(np.linspace(0, 1, self.FRAMES).tolist())

        def flow(number: int) -> np.ndarray:
            time = times[number + 1]
            return np.concatenate([scene.flow(time, end) for end in (0.0, 1.0)], -1)

        return Window(self.place(index), times, lambda number: scene.frame(times[number]), flow)

    def _picture(self, random: np.random.Generator) -> np.ndarray:
        """Returns a square piece of a random picture, randomly rotated and mirrored."""
        picture = self._pictures.window(int(random.integers(len(self._pictures)))).frame(0)
        top, left = (int(random.integers(side - self._size + 1)) for side in picture.shape[:2])
        piece = picture[top : top + self._size, left : left + self._size]
        piece = np.rot90(piece, random.integers(4))[:, :: random.choice((-1, 1))]
        return np.float32(piece) / (257 if picture.dtype == np.uint16 else 1)


def _open_benchmark(name: str, folder: str, split: str, windows: dict[str, int]):
    """Opens the training set of a benchmark; its test set serves as validation."""
    known = KNOWN[name]
    if "split" in known.options:
        return datasets.open(name, folder, split="train" if split == "train" else "test")
    if known.published and split == "train":
        raise InputError(f"{name} is a test set and has nothing to train on; validate with it")
    return datasets.open(name, folder, **(windows if "step" in known.options else {}))


def _check_training_alone(name: str | Path, split: str) -> None:
    if split != "train":
        raise InputError(f"{name} holds old records, which are all 'train'; received '{split}'")


def _old_files(records: str | Path) -> list[str]:
    if str(records).endswith(".tfrecord") and storage.exists(records):
        return [str(records)]
    names = [] if Path(records).is_file() else storage.names_in(records)
    return [storage.join(records, name) for name in names if name.endswith(".tfrecord")]


def _checked_layout(layout: Layout, folder: str | Path) -> Layout:
    numbers = (layout.frames, layout.height, layout.width)
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        raise InputError(f"{folder} is damaged: its manifest tells no sizes; make it again")
    if layout.height * layout.width > LARGEST_PATCH:
        raise InputError(
            f"{folder} claims patches of {layout.width}x{layout.height} pixels, which is not "
            "believed; make the records again with smaller ones"
        )
    return layout
