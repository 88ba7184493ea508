"""The part that one clip gives: a finished file of examples that depends on no other clip.

A part is a TFRecord file. Its first record is the report, or the reason why there is none; the
others are examples.
"""

import contextlib
import json
import logging
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction

import cv2
import numpy as np

from tfvfi.data import codecs, records, tfrecord
from tfvfi.data.patches import Patch, PatchChooser
from tfvfi.data.reservoir import Reservoir
from tfvfi.data.windows import Frame, Windows
from tfvfi.errors import InputError
from tfvfi.media import clips, storage
from tfvfi.media.clips import Clip

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taking:
    """What is taken from each clip.

    Attributes:
        frames: The number of frames in a window.
        patch_size: The height and width of a patch.
        patches_per_video: The largest number of patches from one clip.
        encoding: "png", "jpeg" or "webp".
        quality: The quality of JPEG and WebP, from 1 to 100.
        seed: The seed of the random choice of patches.
        damaged: What to do with a clip of which a part cannot be decoded: "stop" skips it, "keep"
            takes what can be decoded.
        shrink: The factor by which frames are first reduced, by averaging pixels. This removes
            compression artifacts and shortens motion.

    Raises:
        InputError: A value is out of range.
    """

    frames: int = 3
    patch_size: int = 150
    patches_per_video: int = 200
    encoding: str = "png"
    quality: int = 95
    seed: int = 0
    damaged: str = "stop"
    shrink: int = 1

    def __post_init__(self) -> None:
        lowest_values = {"frames": 2, "patch_size": 16, "patches_per_video": 1, "shrink": 1}
        for name, lowest in lowest_values.items():
            if getattr(self, name) < lowest:
                raise InputError(f"{name} is at least {lowest}. Received: {getattr(self, name)}")
        if self.encoding not in codecs.ENCODINGS or not 1 <= self.quality <= 100:
            raise InputError(
                f"images are encoded as {', '.join(codecs.ENCODINGS)}, with a quality from 1 to "
                f"100. Received: {self.encoding}, {self.quality}"
            )


@dataclass(frozen=True)
class Report:
    """The result of reading one clip.

    Attributes:
        name: The name of the clip.
        size: The height and width of its frames.
        seen: The numbers of frames, cuts, held frames, uneven windows, and windows.
        looked_at: A histogram of the motion of all candidate patches, in bins of one pixel.
        motions: The motion of each taken patch, in pixels over two frames.
        bytes: The size of all examples.
        offsets: The offsets of the examples in the part.
    """

    name: str
    size: tuple[int, int]
    seen: dict[str, int]
    looked_at: list[int]
    motions: list[float]
    bytes: int
    offsets: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Skipped:
    """A clip that could not be read, and the reason."""

    name: str
    reason: str


def path(folder: str, clip: Clip, taking: Taking) -> str:
    """Returns the path of a clip's finished part."""
    return storage.join(folder, f"{clip.key(str(asdict(taking)))}.tfrecord")


def make(folder: str, clip: Clip, taking: Taking) -> Report | Skipped:
    """Makes the part of one clip, unless it exists already, and returns its report.

    A clip that cannot be read gives `Skipped`; a full disk raises an `OSError`.
    """
    part = path(folder, clip, taking)
    if not storage.exists(part):
        try:
            with one_thread():
                _make(part, clip, taking)
        except InputError as error:
            _write(part, Skipped(clip.name, str(error).replace(clip.path, clip.name)))
        except OSError:
            raise
        # Unusual files can make decoders fail in any way, which must not stop the other clips.
        except Exception as error:
            logger.debug("%s", clip.path, exc_info=True)
            _write(part, Skipped(clip.name, f"{clip.name}: {type(error).__name__}: {error}"))
    return read_report(part)


def read_report(part: str) -> Report | Skipped:
    """Returns the report in a finished part, with the offsets of its examples."""
    with storage.open_file(part) as file:
        offsets = list(tfrecord.offsets(file))
        report = json.loads(tfrecord.read(file, offsets[0]))
    if "reason" in report:
        return Skipped(**report)
    return Report(**{**report, "size": tuple(report["size"]), "offsets": offsets[1:]})


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Makes OpenCV use one thread: processes run in parallel, and flow depends on the number."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)


def _make(part: str, clip: Clip, taking: Taking) -> None:
    draw = random.Random(f"{taking.seed} {clip.name}")
    windows = Windows(taking.frames)
    chooser = PatchChooser(taking.patch_size, draw)
    with Reservoir(taking.patches_per_video, draw, storage.local_folder(part)) as reservoir:
        for window in windows.of(_shrunk(clips.frames(clip, taking.damaged), taking.shrink)):
            for patch in chooser.choose(window):
                key = reservoir.wants()
                if key is not None:
                    example = _cut(window, patch, clip, taking)
                    reservoir.keep(key, example.pack(), patch.motion)
        motions = [round(motion, 3) for motion in reservoir.notes()]
        report = Report(
            clip.name,
            windows.size,
            dict(windows.seen),
            chooser.looked_at.tolist(),
            motions,
            reservoir.bytes(),
        )
        _write(part, report, reservoir.payloads())


def _shrunk(
    frames: Iterable[tuple[np.ndarray, Fraction]], times: int
) -> Iterator[tuple[np.ndarray, Fraction]]:
    for image, time in frames:
        size = [max(1, side // times) for side in image.shape[1::-1]]
        yield image if times == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA), time


def _write(part: str, report: Report | Skipped, payloads: Iterable[bytes] = ()) -> None:
    with storage.write_aside(part) as file:
        file.write(tfrecord.pack(json.dumps(asdict(report)).encode()))
        for payload in payloads:
            file.write(tfrecord.pack(payload))


def _cut(window: list[Frame], patch: Patch, clip: Clip, taking: Taking) -> records.Example:
    rows = slice(patch.top, patch.top + taking.patch_size)
    columns = slice(patch.left, patch.left + taking.patch_size)
    first, last = window[0].time, window[-1].time
    return records.Example(
        frames=tuple(
            codecs.encode_image(frame.image[rows, columns], taking.encoding, taking.quality)
            for frame in window
        ),
        times=tuple(float((frame.time - first) / (last - first)) for frame in window),
        source=clip.name,
        start=window[0].number,
        top=patch.top,
        left=patch.left,
    )
