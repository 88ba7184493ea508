"""Windows of consecutive frames in a stream: none across a cut, none with a repeated frame.

Repeated frames are passed over, so that a video whose every frame is shown twice, as drawings are,
gives windows of what is new; these frames then follow at even steps.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np

# Frames are compared, and motion is estimated, no larger than this.
LONGEST_SIDE = 640
# A pixel of a repeated frame differs by no more than this, of 255: less than where drawings are
# told apart, as what is filmed moves by less.
TOLERANCE = 4.0
# A frame that is shown longer is a pause, and no window lasts through it.
LONGEST_HOLD = 4
# A window whose longest interval is more than so many times the shortest has lost frames.
UNEVEN = 3


@dataclass(frozen=True)
class Frame:
    """One frame of a clip.

    Attributes:
        image: RGB, uint8.
        time: When it is shown, in seconds.
        number: Its place in the clip.
        small: The image, halved until it is small.
        scale: How often smaller that is.
    """

    image: np.ndarray
    time: Fraction
    number: int
    small: np.ndarray
    scale: int


class Windows:
    """Windows that follow one another in a clip; holds the frames of one at a time.

    Args:
        length: Frames of a window.

    Attributes:
        seen: What was met: "frames", "cuts", "repeated" frames, "uneven" windows, "windows".
        size: Height and width of the last frame that was met.
    """

    def __init__(self, length: int):
        self.length = length
        self.size = (0, 0)
        self.seen: Counter[str] = Counter(frames=0, cuts=0, repeated=0, uneven=0, windows=0)

    def of(self, frames: Iterable[tuple[np.ndarray, Fraction]]) -> Iterator[list[Frame]]:
        """The windows in a stream of images and times."""
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
        """Whether no window may hold both."""
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
    """All frames, or the last two where the step between these is another one."""
    steps = {second.number - first.number for first, second in pairwise(frames)}
    return frames if len(steps) <= 1 else frames[-2:]


def _even(window: list[Frame]) -> bool:
    intervals = [second.time - first.time for first, second in pairwise(window)]
    return max(intervals) <= UNEVEN * min(intervals)
