"""What samples are drawn from: records, the origin project's old records, public benchmarks.

Each source has a `layout`, a length, and `window(index)`: frames in a row, decoded as asked for.
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

# What reading a record may raise: it is named, counted and replaced by another.
UNREADABLE = (CorruptRecordError, BadPictureError, OSError)
# No patch needs more pixels; a file that claims more is not believed.
LARGEST_PATCH = 1 << 26
# Up to so many bytes are compared with the manifest when records are opened; of more, the sizes.
SUMMED_AT_OPENING = 64 << 20
OLD_FEATURES = ("img1", "img2", "img3")


@dataclass(frozen=True)
class Place:
    """Where a sample comes from.

    Attributes:
        shard: The file, or the name of the benchmark.
        index: Its number there.
        source: The video that it was cut from.
        start: The first frame's number in the video.
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
    """Frames in a row.

    Attributes:
        place: Where they come from.
        times: When each frame is: 0 for the first, 1 for the last.
        frame: Number -> height x width x 3, RGB, uint8 or uint16.
        flow: None, or number of an inner frame, from 0 -> (height, width, 4), its flow to the
            first and to the last frame.
    """

    place: Place
    times: tuple[float, ...]
    frame: Callable[[int], np.ndarray]
    flow: Callable[[int], np.ndarray] | None = None


def open_source(
    records: "str | Path | Benchmark", split: str, frames: int = 3, step: int = 1
) -> "RecordSource | OldSource | BenchmarkSource | SceneSource":
    """The source that the user named: a folder, a file of old records, a benchmark, scenes.

    Args:
        records: What the user named.
        split: Which part of it.
        frames: How many frames in a row make a window where all there are lie in a folder;
            elsewhere that is settled.
        step: Likewise, how many frames on the next window begins.
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
        # Says what is wrong with the folder.
        Records(records)
    return OldSource(records, old, split)


class RecordSource:
    """Records as tools/create_records.py makes them.

    Args:
        folder: Where they lie.
        split: Which part.
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
        """Where a record lies, without reading it."""
        return Place(*self.index.locate(index))

    def window(self, index: int) -> Window:
        """The frames of a record."""
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
    """Records of the origin project: features img1, img2, img3 (JPEG), height and width.

    Their JPEG files hold blue where red belongs, which is mended here; they are decoded as there,
    by TensorFlow. All are for training.

    Args:
        name: What the user named.
        paths: The files.
        split: "train".
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
        """Where a record lies, without reading it."""
        return Place(*self.index.locate(index))

    def window(self, index: int) -> Window:
        """The three frames of a record."""
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
        """The size of the first picture that can be read, which is that of all."""
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
        """Where a sample lies, without reading it."""
        return Place(self.name, index, self._benchmark[index].name)

    def window(self, index: int) -> Window:
        """The frames of a sample."""
        found = self._benchmark[index]
        frames = (found.frame0, *found.targets, found.frame1)

        def frame(number: int) -> np.ndarray:
            try:
                return frames[number].read()
            except InputError as error:
                raise BadPictureError(str(error)) from None

        return Window(self.place(index), (0.0, *found.times, 1.0), frame)


class SceneSource:
    """Moving scenes made of still pictures, see `tfvfi.data.procedural`.

    Args:
        pictures: The source that lends its frames.
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
        """A scene's name."""
        return Place(self.name, index)

    def window(self, index: int) -> Window:
        """What a scene shows at even times."""
        scene = procedural.scene(index, self._picture)
        times = tuple(np.linspace(0, 1, self.FRAMES).tolist())

        def flow(number: int) -> np.ndarray:
            time = times[number + 1]
            return np.concatenate([scene.flow(time, end) for end in (0.0, 1.0)], -1)

        return Window(self.place(index), times, lambda number: scene.frame(times[number]), flow)

    def _picture(self, random: np.random.Generator) -> np.ndarray:
        """A square piece of one of the pictures, turned any way."""
        picture = self._pictures.window(int(random.integers(len(self._pictures)))).frame(0)
        top, left = (int(random.integers(side - self._size + 1)) for side in picture.shape[:2])
        piece = picture[top : top + self._size, left : left + self._size]
        piece = np.rot90(piece, random.integers(4))[:, :: random.choice((-1, 1))]
        return np.float32(piece) / (257 if picture.dtype == np.uint16 else 1)


def _open_benchmark(name: str, folder: str, split: str, windows: dict[str, int]):
    """A benchmark's own training set; what it tests with serves as validation."""
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
