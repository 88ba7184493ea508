"""Windows of consecutive frames in a stream, without cuts and without held frames.

Held frames are skipped, so that a video that shows every drawing twice gives windows of different
drawings; the frames of a window are then evenly spaced.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np

# Frames are reduced to this side before they are compared and motion is estimated.
LONGEST_SIDE = 640
# The largest difference of a pixel in a held frame, out of 255. It is smaller than for drawings
# because filmed motion changes pixels by less.
TOLERANCE = 4.0
# A frame that is held for longer is a pause, which no window includes.
LONGEST_HOLD = 4
# If the longest interval of a window is more than this many times the shortest, frames are missing.
UNEVEN = 3


@dataclass(frozen=True)
class Frame:
    """One frame of a clip.

    Attributes:
        image: RGB, uint8.
        time: The time at which it is shown, in seconds.
        number: The number of the frame in the clip.
        small: The image, halved until it is small.
        scale: The factor by which `small` is smaller.
    """

    image: np.ndarray
    time: Fraction
    number: int
    small: np.ndarray
    scale: int


class Windows:
    """Successive windows of a clip; only the frames of one window are in memory at a time.

    Args:
        length: The number of frames in a window.

    Attributes:
        seen: Counts of "frames", "cuts", "repeated" (held) frames, "uneven" windows, "windows".
        size: The height and width of the last frame that was read.
    """

    def __init__(self, length: int):
        self.length = length
        self.size = (0, 0)
        self.seen: Counter[str] = Counter(frames=0, cuts=0, repeated=0, uneven=0, windows=0)

    def of(self, frames: Iterable[tuple[np.ndarray, Fraction]]) -> Iterator[list[Frame]]:
        """Yields the windows in a stream of images and times."""
        from tfvfi.media.cuts import CutDetector
        from tfvfi.media.duplicates import DuplicateDetector

        cuts, held = CutDetector(), []
        previous = None
        for number, (image, time) in enumerate(frames):
            frame = Frame(image, time, number, *_reduced(image))
            self.seen["frames"] += 1
            self.size = image.shape[:2]
            if previous is None or previous.image.shape != image.shape:
                duplicates = DuplicateDetector(tolerance=TOLERANCE)
            repeated = duplicates.repeats(frame.small)
            cut = previous is not None and self._cut(cuts, previous, frame)
            previous = frame
            if cut:
                held = []
            elif repeated:
                self.seen["repeated"] += 1
                if held and number - held[-1].number < LONGEST_HOLD:
                    continue
                held = []
            held = _at_even_steps([*held, frame])
            if len(held) == self.length:
                if _even(held):
                    self.seen["windows"] += 1
                    yield held
                else:
                    self.seen["uneven"] += 1
                held = []

    def _cut(self, cuts, first: Frame, second: Frame) -> bool:
        """Returns whether there is a cut between two frames, so that no window may hold both."""
        shapes = first.image.shape, second.image.shape
        cut = shapes[0] != shapes[1] or cuts.between(first.small, second.small)
        self.seen["cuts"] += cut
        return cut


def _reduced(image: np.ndarray) -> tuple[np.ndarray, int]:
    small, scale = image, 1
    while max(small.shape[:2]) > LONGEST_SIDE:
        size = (max(1, small.shape[1] // 2), max(1, small.shape[0] // 2))
        small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
        scale *= 2
    return small, scale


def _at_even_steps(frames: list[Frame]) -> list[Frame]:
    """Returns the frames if they are evenly spaced, and otherwise the last two."""
    steps = {second.number - first.number for first, second in pairwise(frames)}
    return frames if len(steps) <= 1 else frames[-2:]


def _even(window: list[Frame]) -> bool:
    intervals = [second.time - first.time for first, second in pairwise(window)]
    return max(intervals) <= UNEVEN * min(intervals)
