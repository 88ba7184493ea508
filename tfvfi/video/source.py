"""Where frames come from: a video, a folder or pattern of pictures, or two pictures."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from tfvfi.errors import InputError
from tfvfi.video.timeline import Shown

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
# The rate of pictures, which tell none.
PICTURE_RATE = Fraction(24)


@dataclass(frozen=True)
class Look:
    """What of a video has to come out as it went in.

    Attributes:
        colorspace: Matrix between RGB and YUV, as FFmpeg numbers it; likewise the next three.
        rotation: Degrees by which players turn the frames.
        depth: Bits of a colour value.
    """

    colorspace: int = 2
    color_range: int = 0
    color_primaries: int = 2
    color_trc: int = 2
    rotation: int = 0
    depth: int = 8


class Video:
    """Frames of a video file, with exact times, decoded once and never held.

    Args:
        path: A file that FFmpeg decodes.
    """

    has_clock = True

    def __init__(self, path: Path):
        self.path = path
        try:
            container = av.open(str(path))
        except (av.FFmpegError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise InputError(f"{path} cannot be read as a video: {reason}") from None
        with container:
            if not container.streams.video:
                raise InputError(f"{path} has no video stream")
            stream = container.streams.video[0]
            context = stream.codec_context
            self.size = (context.height, context.width)
            self.rate = Fraction(stream.average_rate or stream.guessed_rate or PICTURE_RATE)
            self.frames_expected = stream.frames or None
            self.seconds_expected = Fraction(container.duration or 0, av.time_base)
            self.time_base = Fraction(stream.time_base or 1 / self.rate)
            self.look = self._look(container, stream)
            self.has_alpha = any(part.is_alpha for part in context.format.components)
        self.last_duration = 1 / self.rate

    def __iter__(self) -> Iterator[Shown]:
        """The frames; those without a time, or with one that does not rise, follow the rate."""
        form = "rgb24" if self.look.depth == 8 else "rgb48le"
        previous = None
        with av.open(str(self.path)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            for frame in self._decoded(container, stream):
                time = None if frame.pts is None else frame.pts * Fraction(frame.time_base)
                if previous is None:
                    time = time or Fraction(0)
                elif time is None or time <= previous:
                    time = previous + 1 / self.rate
                else:
                    self.last_duration = time - previous
                if frame.duration:
                    self.last_duration = frame.duration * Fraction(frame.time_base)
                previous = time
                yield Shown(frame.to_ndarray(format=form), time)
        if previous is None:
            raise InputError(f"{self.path} holds no frame that can be decoded")

    def _decoded(self, container, stream) -> Iterator[av.VideoFrame]:
        try:
            yield from container.decode(stream)
        except av.FFmpegError as error:
            raise InputError(
                f"{self.path} is damaged: decoding stopped ({error.strerror}); nothing was written"
            ) from None

    def _look(self, container, stream) -> Look:
        context = stream.codec_context
        try:
            first = next(container.decode(stream))
        except (StopIteration, av.FFmpegError):
            raise InputError(f"{self.path} holds no frame that can be decoded") from None
        return Look(
            colorspace=int(context.colorspace),
            color_range=int(context.color_range),
            color_primaries=int(context.color_primaries),
            color_trc=int(context.color_trc),
            rotation=int(first.rotation),
            depth=10 if first.format.components[0].bits > 8 else 8,
        )


class Pictures:
    """Pictures in order, without a clock.

    Args:
        paths: The files.
    """

    has_clock = False
    rate = PICTURE_RATE
    time_base = 1 / PICTURE_RATE
    last_duration = 1 / PICTURE_RATE
    path = None

    def __init__(self, paths: Sequence[Path]):
        self.paths = list(paths)
        first = _read(self.paths[0])
        self.size = first.shape[:2]
        self.look = Look(depth=8 if first.dtype == np.uint8 else 16)
        self.has_alpha = False
        self.frames_expected = len(self.paths)
        self.seconds_expected = len(self.paths) / self.rate

    def __iter__(self) -> Iterator[Shown]:
        """The pictures, one after another at an even rate."""
        for number, path in enumerate(self.paths):
            image = _read(path)
            if image.shape[:2] != tuple(self.size):
                raise InputError(
                    f"pictures must have one size: {path} is {image.shape[1]}x{image.shape[0]}, "
                    f"{self.paths[0]} is {self.size[1]}x{self.size[0]}"
                )
            yield Shown(image, number / self.rate)


def open_source(inputs: Sequence[str | Path]) -> Video | Pictures:
    """The frames that the user named.

    Args:
        inputs: One video, one folder of pictures, one numbered pattern (`frame_%04d.png`), or two
            and more pictures.
    """
    paths = [Path(one) for one in inputs]
    if len(paths) == 1 and paths[0].is_dir():
        return Pictures(_at_least_two(_in_folder(paths[0]), f"the folder {paths[0]}"))
    if len(paths) == 1 and "%" in paths[0].name:
        return Pictures(_at_least_two(_in_pattern(paths[0]), f"the pattern {paths[0]}"))
    for path in paths:
        if not path.is_file():
            raise InputError(f"there is no file {path}")
    if len(paths) > 1 or paths[0].suffix.lower() in PICTURES:
        return Pictures(_at_least_two(paths, "the input"))
    return Video(paths[0])


def _at_least_two(paths: list[Path], what: str) -> list[Path]:
    if len(paths) < 2:
        raise InputError(f"at least two pictures are needed; {what} has {len(paths)}")
    return paths


def _in_folder(folder: Path) -> list[Path]:
    found = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES]
    return sorted(found, key=lambda path: _numbers_as_numbers(path.name))


def _in_pattern(pattern: Path) -> list[Path]:
    form = re.escape(re.sub(r"%0?\d*d", "\0", pattern.name)).replace("\0", r"\d+")
    if not pattern.parent.is_dir():
        raise InputError(f"there is no folder {pattern.parent}")
    found = [path for path in pattern.parent.iterdir() if re.fullmatch(form, path.name)]
    return sorted(found, key=lambda path: _numbers_as_numbers(path.name))


def _numbers_as_numbers(name: str) -> list:
    parts = re.split(r"(\d+)", name)
    return [int(part) if part.isdigit() else part for part in parts]


def _read(path: Path) -> np.ndarray:
    data = np.fromfile(path, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if data.size else None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path} cannot be read as a picture of 8 or 16 bits")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
