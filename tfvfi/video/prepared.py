"""Prepares a source's frames: limits their duration, resizes them, and handles held frames."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain

import cv2
import numpy as np

from tfvfi.errors import ArgumentError
from tfvfi.media.contract import FrameSource
from tfvfi.media.duplicates import DuplicateDetector
from tfvfi.media.shown import Shown
from tfvfi.options import partial_size
from tfvfi.video.treatment import DROP, KEEP, Treatment

# Animation shows a drawing for one to four frames of film, which are more frames at a higher rate.
# A drawing that is held for longer is a pause, and the motion after it starts at its last frame.
LONGEST_HOLD, FILM = 4, 24


class Prepared:
    """The prepared frames of a source.

    Args:
        source: Any source.
        treatment: The duration, the size, and how held frames are handled.

    Raises:
        ArgumentError: The size has too many pixels.
    """

    def __init__(self, source: FrameSource, treatment: Treatment):
        self.source = source
        self.treatment = treatment
        self.seconds = treatment.seconds
        self.size = _size(treatment.size, source.size) if treatment.size else source.size
        if self.size[0] * self.size[1] > treatment.max_pixels:
            raise ArgumentError(
                f"`size` asks for frames of {self.size[1]}x{self.size[0]}; more than "
                f"`max_pixels={treatment.max_pixels}` are refused"
            )

    @property
    def pixel_aspect(self) -> Fraction | None:
        """The width of a pixel over its height, adjusted so that resizing keeps the proportions."""
        before = self.source.look.pixel_aspect
        if before in (None, 1):
            return before
        (height, width), (old_height, old_width) = self.size, self.source.size
        return before * Fraction(old_width * height, width * old_height)

    @property
    def seconds_expected(self) -> Fraction:
        """The approximate duration; 0 if it is unknown."""
        known = self.source.seconds_expected
        return min(known, self.seconds) if known and self.seconds is not None else known

    @property
    def frames_expected(self) -> int:
        """The approximate number of frames; 0 if it is unknown."""
        frames = round(self.seconds_expected * self.source.rate)
        known = self.source.frames_expected
        return min(known, frames) if known and frames else known or frames

    def frames(self, alpha: bool = False) -> Iterator[Shown]:
        """Yields the frames in order; if the duration is limited, up to the first after its end.

        Args:
            alpha: Whether the frames have a fourth channel.
        """
        frames = self.source.frames(alpha)
        if self.seconds is not None:
            frames = _limited(frames, self.seconds)
        frames = self._resized(frames)
        if self.treatment.duplicates == KEEP:
            return frames
        return self._without_repeats(frames)

    def _resized(self, frames: Iterator[Shown]) -> Iterator[Shown]:
        for shown in frames:
            image = shown.image
            if image.shape[:2] != tuple(self.size):
                smaller = self.size[0] < image.shape[0]
                way = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
                image = cv2.resize(image, self.size[::-1], interpolation=way)
            yield replace(shown, image=image)

    def _without_repeats(self, frames: Iterator[Shown]) -> Iterator[Shown]:
        detector = DuplicateDetector(
            self.treatment.duplicate_threshold, self.treatment.duplicate_tolerance
        )
        kept: Shown | None = None
        repeats: list[Shown] = []
        for shown in chain(frames, [None]):
            if shown is not None and detector.repeats(np.ascontiguousarray(shown.image)):
                repeats.append(shown)
                continue
            if kept is not None:
                yield from self._held(kept, repeats, shown and shown.time)
            kept, repeats = shown, []

    def _held(self, kept: Shown, repeats: list[Shown], until: Fraction | None) -> Iterator[Shown]:
        """Yields a frame with the times of its held copies; `until` is None for the last frame."""
        last = repeats[-1] if repeats else kept
        times = tuple(shown.time for shown in repeats)
        if self.treatment.duplicates == DROP:
            yield replace(kept, length=last.time - kept.time + last.length)
        elif until is not None and _is_pause(len(repeats) + 1, until - kept.time):
            yield replace(kept, held=times[:-1])
            yield replace(kept, time=last.time, length=last.length)
        else:
            yield replace(kept, held=times, length=last.length)


def _limited(frames: Iterator[Shown], seconds: Fraction) -> Iterator[Shown]:
    """Yields the frames of the first seconds and the next, towards which motion is cut off."""
    end = None
    for shown in frames:
        end = shown.time + seconds if end is None else end
        yield shown
        if shown.time >= end:
            frames.close()
            return


def _is_pause(frames: int, seconds: Fraction) -> bool:
    """Returns whether a drawing that is held for so long is a pause."""
    return frames > LONGEST_HOLD and seconds > Fraction(LONGEST_HOLD, FILM)


def _size(text: str, source: tuple[int, int]) -> tuple[int, int]:
    """Returns the height and width that "640x360", "640x" or "x360" stands for."""
    width, height = partial_size(text)
    given = [height, width]
    if None in given:
        ratio = next(side / whole for side, whole in zip(given, source, strict=True) if side)
        # Even sides suit every codec.
        other = max(2, 2 * round(source[given.index(None)] * ratio / 2))
        given = [side or other for side in given]
    return tuple(given)
