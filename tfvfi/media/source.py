"""Reads frames from a video, an animation, a folder or pattern of pictures, or pictures."""

import logging
import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from tfvfi.errors import InputError
from tfvfi.media.claims import MOST_PIXELS, check_pixels
from tfvfi.media.colors import Converter
from tfvfi.media.container import open_container, picture_stream
from tfvfi.media.continuity import seconds_across_jumps
from tfvfi.media.contract import FrameSource
from tfvfi.media.damage import STOP, refusal
from tfvfi.media.decoding import decoded
from tfvfi.media.files import check_file, is_folder
from tfvfi.media.look import look_of
from tfvfi.media.pictures import SUFFIXES, in_folder
from tfvfi.media.pipe import PIPE, PipedVideo
from tfvfi.media.sequence import PICTURE_RATE, Pictures, in_pattern, is_pattern
from tfvfi.media.shown import FrameArray, Shown
from tfvfi.media.webp import AnimatedWebP, is_animated_webp
from tfvfi.media.whole import missing_bytes

logger = logging.getLogger(__name__)

# A higher rate is that of a clock, not of frames.
HIGHEST_RATE = 1000
# Containers that record when their pictures end. Decoding of a damaged file can end early without
# an error, so the end is compared with the recorded one, which may be slightly wrong.
KNOW_THEIR_END = ("mov,mp4", "matroska", "avi")
LONGEST_TOLERANCE, TOLERATED_PART, TOLERATED_FRAMES = 1, Fraction(1, 10), 2


class Video:
    """The frames of a video file with exact times, decoded as they are read.

    Args:
        path: A file that FFmpeg can decode.
        damaged: What to do if part of it cannot be decoded: "stop" raises an error, "keep"
            continues with what can be decoded and logs how much could not.
        exact: See `Converter`.
        max_pixels: The largest number of pixels in a frame; videos with larger frames are refused
            before they are decoded.

    Raises:
        InputError: The file cannot be read, or it is damaged and `damaged` is "stop".
    """

    has_clock = True

    def __init__(
        self,
        path: Path,
        damaged: str = STOP,
        exact: bool = True,
        max_pixels: int = MOST_PIXELS,
    ):
        self.path = path
        self.paths = [path]
        self.damaged = damaged
        self.exact = exact
        self.max_pixels = max_pixels
        self.missing = missing_bytes(path)
        with open_container(path) as container:
            self.stream = picture_stream(container, path)
            stream = container.streams[self.stream]
            context = stream.codec_context
            self.size = (context.height, context.width)
            check_pixels(path, self.size, max_pixels)
            self.rate = _rate(stream)
            self.frames_expected = stream.frames or None
            self.seconds_expected = _seconds(container, stream)
            self.end_expected = _end(container, stream)
            self.time_base = Fraction(stream.time_base or 1 / self.rate)
            first = next(self._decoded(container, stream), None)
            if first is None:
                raise InputError(f"{path} holds no frame that can be decoded")
            if first.pts is None and stream.guessed_rate:
                # Without times the average is itself a guess: 25 for all raw video.
                self.rate = Fraction(stream.guessed_rate)
            if self.missing:
                self._damage(f"the last {self.missing} bytes are missing")
            self.look = look_of(stream, first)
            start = (first.pts or 0) * Fraction(first.time_base or stream.time_base)
            self.origin = _origin(container, start, self.time_base)
            self.start = start - self.origin
            if first.interlaced_frame:
                logger.warning(
                    "%s is interlaced: deinterlace it first, or lines will be interpolated", path
                )

        with open_container(path) as container:
            seconds = seconds_across_jumps(container, container.streams[self.stream])
        self.seconds_expected = self.seconds_expected if seconds is None else seconds

    def __iter__(self) -> Iterator[Shown]:
        """Yields the frames without transparency."""
        return self.frames()

    def frames(self, alpha: bool = False) -> Iterator[Shown]:
        """Yields the frames; a missing or non-increasing time is replaced according to the rate.

        Args:
            alpha: Whether the frames have a fourth channel.

        Raises:
            InputError: No frame can be decoded, or the file is damaged and must not be.
        """
        converter, deep = Converter(self.exact), self.look.depth > 8
        usual = max(1 / self.rate, self.time_base)
        previous, length, count = None, usual, 0
        with open_container(self.path) as container:
            stream = container.streams[self.stream]
            # With several threads, FFmpeg may return a frame before the thread that decodes it has
            # found damage in it. A network takes longer than one thread.
            stream.codec_context.thread_count = 1
            for frame in self._decoded(container, stream):
                base = Fraction(frame.time_base or stream.time_base)
                time = None if frame.pts is None else frame.pts * base
                if time is not None:
                    time -= self.origin
                if previous is None:
                    time = time or Fraction(0)
                elif time is None or time <= previous:
                    time = previous + usual
                else:
                    length = time - previous
                if frame.duration:
                    length = frame.duration * base
                if self.end_expected is not None and not self.origin:
                    # The container knows the length of the last frame better, up to rounding.
                    left = self.end_expected - time
                    length = left if 0 < left < length * 9 / 10 else length
                previous = time
                count += 1
                image = FrameArray.of(converter.array(frame, deep, alpha), frame)
                yield Shown(image, time, length)
        if previous is None:
            raise InputError(f"{self.path} holds no frame that can be decoded")
        self._check_end(self.origin + previous + length, count)

    def _check_end(self, end: Fraction, count: int) -> None:
        """Reports pictures that are missing at the end."""
        said = f"the last {self.missing} bytes are missing" if self.missing else None
        if self.end_expected is not None and end + self._tolerance() < self.end_expected:
            ends = f"{float(end):.2f} s, and should at {float(self.end_expected):.2f} s"
            said = f"its pictures end at {ends}"
        if said is not None:
            self._damage(said)
            logger.warning("%s is damaged: %s; %d frames were read", self.path, said, count)

    def _tolerance(self) -> Fraction:
        """Returns by how many seconds the end may be early."""
        part = self.end_expected * TOLERATED_PART + TOLERATED_FRAMES / self.rate
        return min(Fraction(LONGEST_TOLERANCE), part)

    def _decoded(self, container: Any, stream: Any) -> Iterator[av.VideoFrame]:
        return decoded(self.path, container, stream, self.max_pixels, self._damage)

    def _damage(self, said: str) -> None:
        if self.damaged == STOP:
            raise refusal(self.path, said)


def open_source(
    inputs: Sequence[str | Path], damaged: str = STOP, max_pixels: int = MOST_PIXELS
) -> FrameSource:
    """Opens the frames that the user named.

    Args:
        inputs: One video or animation, one folder of pictures, one numbered pattern
            (`frame_%04d.png`), two or more pictures, or "-" for y4m on standard input.
        damaged: See `Video`.
        max_pixels: The largest number of pixels in a frame; larger frames are refused before they
            are decoded.

    Raises:
        InputError: The inputs cannot be read.
    """
    paths = [Path(one) for one in inputs]
    if paths == [PIPE]:
        return PipedVideo(damaged=damaged, max_pixels=max_pixels)
    if len(paths) == 1 and is_pattern(paths[0]):
        found = _at_least_two(in_pattern(paths[0]), f"the pattern {paths[0]}")
        return Pictures(found, damaged, max_pixels)
    if len(paths) == 1 and is_folder(paths[0]):
        found = _at_least_two(in_folder(paths[0]), f"the folder {paths[0]}")
        return Pictures(found, damaged, max_pixels)
    for path in paths:
        check_file(path)
    if len(paths) == 1 and is_animated_webp(paths[0]):
        return AnimatedWebP(paths[0], max_pixels)
    if len(paths) > 1 or (paths[0].suffix.lower() in SUFFIXES and not _is_animated_png(paths[0])):
        return Pictures(_at_least_two(paths, "the input"), damaged, max_pixels)
    return Video(paths[0], damaged, max_pixels=max_pixels)


def _rate(stream: Any) -> Fraction:
    """Returns the average frame rate, or FFmpeg's guess if the average is that of a clock."""
    average, guessed = stream.average_rate, stream.guessed_rate
    if average and guessed and guessed < HIGHEST_RATE < average:
        average = None
    return Fraction(average or guessed or PICTURE_RATE)


def _origin(container: Any, start: Fraction, step: Fraction) -> Fraction:
    """Returns the time at which the earliest track starts, which players show as time 0.

    What a track holds before time 0 only prepares its decoder and is never shown or heard.

    Args:
        container: An open file.
        start: The time of the first picture that can be decoded.
        step: The time base; the times of the pictures remain multiples of it.
    """
    sounds = (one for one in container.streams.audio if one.start_time is not None)
    starts = (one.start_time * Fraction(one.time_base) for one in sounds)
    later = start - max(Fraction(0), min(starts, default=start))
    return max(Fraction(0), start - math.ceil(later / step) * step) if later > 0 else start


def _seconds(container: Any, stream: Any) -> Fraction:
    """Returns the duration that a stream states; 0 if it states none."""
    if stream.duration and stream.time_base:
        return stream.duration * Fraction(stream.time_base)
    return Fraction(container.duration or 0, av.time_base)


def _end(container: Any, stream: Any) -> Fraction | None:
    """Returns the time at which the last picture should end; None if it is not recorded."""
    if not container.format.name.startswith(KNOW_THEIR_END):
        return None
    if stream.duration and stream.time_base:
        return stream.duration * Fraction(stream.time_base)
    told = re.fullmatch(r"(\d+):(\d\d):(\d\d(\.\d*)?)", stream.metadata.get("DURATION", ""))
    if told is None:
        # The duration of the whole file is that of its longest track.
        alone = len(container.streams) == 1 and container.duration
        return Fraction(container.duration, av.time_base) if alone else None
    hours, minutes, seconds = (Fraction(part) for part in told.groups()[:3])
    return 3600 * hours + 60 * minutes + seconds


def _is_animated_png(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4096)
    return start.startswith(b"\x89PNG") and b"acTL" in start


def _at_least_two(paths: list[Path], what: str) -> list[Path]:
    if len(paths) < 2:
        raise InputError(f"at least two pictures are needed; {what} has {len(paths)}")
    return paths
