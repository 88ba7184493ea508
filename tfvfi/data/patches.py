"""Chooses patches of a window; patches with more motion and more texture are more likely.

The rule follows the adaptive convolution papers (Niklaus et al., 2017): the probability grows with
the length of the flow and with the entropy. Here the flow is estimated by a faster method, and the
entropy is that of the differences between neighboring pixels, because smooth gradients and blur
have many gray levels but no texture.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from tfvfi.data.windows import Frame

# Mean flow over two frames, in pixels, from which on motion alone never rejects a patch ...
FULL_MOTION = 25.0
# ... and below which nothing in the patch moves.
LEAST_MOTION = 0.5
# Flow longer than this share of the patch moves its content out of the patch.
MOST_MOTION = 1 / 3
# The least correlation of a patch with the second frame warped onto it; across a cut it is lower.
LEAST_ALIKE = 0.5
# If one interval changes a patch by more than this many times the change of any other interval,
# the window skips frames or contains an undetected cut.
STEADY = 2.0
# Entropy in bits of a flat or blurred patch, and of a patch with enough texture.
FLAT, TEXTURED = 2.0, 4.0
# The bins of the motion histogram are one pixel wide; the last one holds all longer motion.
BINS = 41


@dataclass(frozen=True)
class Patch:
    """A chosen position in a window.

    Attributes:
        top: The first row of the patch.
        left: The first column of the patch.
        motion: The mean length of the flow in the patch over two frames, in pixels.
    """

    top: int
    left: int
    motion: float


class PatchChooser:
    """Chooses patches in windows.

    Args:
        size: The height and width of a patch.
        draw: The random generator.

    Attributes:
        looked_at: A histogram of the motion of all candidate patches, in bins of one pixel.
    """

    def __init__(self, size: int, draw: random.Random):
        self.size = size
        self.draw = draw
        self.looked_at = np.zeros(BINS, np.int64)
        self._dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def choose(self, window: list[Frame]) -> Iterator[Patch]:
        """Yields the chosen patches, which do not overlap."""
        height, width = window[0].image.shape[:2]
        if min(height, width) < self.size:
            return
        middle = len(window) // 2
        motion = Motion(window, self._dis)
        grey = None
        for top, left in self._tiles(height, width):
            length = motion.length(top, left, self.size)
            self.looked_at[min(int(length), BINS - 1)] += 1
            chance = self.draw.random()
            if chance >= length / FULL_MOTION:
                continue
            if not LEAST_MOTION <= length <= MOST_MOTION * self.size:
                continue
            if grey is None:
                grey = cv2.cvtColor(window[middle].image, cv2.COLOR_RGB2GRAY)
            texture = entropy(grey[top : top + self.size, left : left + self.size])
            if chance >= length / FULL_MOTION * texture_share(texture):
                continue
            if motion.explains(top, left, self.size) and motion.is_steady(top, left, self.size):
                yield Patch(top, left, length)

    def _tiles(self, height: int, width: int) -> Iterator[tuple[int, int]]:
        """Yields the positions of a grid with a random origin, so that patches never overlap."""
        top = self.draw.randint(0, height % self.size)
        left = self.draw.randint(0, width % self.size)
        for row in range(height // self.size):
            for column in range(width // self.size):
                yield top + row * self.size, left + column * self.size


class Motion:
    """Flow over two frames in the middle of a window, estimated on their reduced images.

    Args:
        window: The frames of the window.
        dis: The flow estimator of OpenCV.
    """

    def __init__(self, window: list[Frame], dis: cv2.DISOpticalFlow):
        self.scale = window[0].scale
        self._window = window
        middle = len(window) // 2
        pair = window[middle - 1], window[min(middle + 1, len(window) - 1)]
        self._grey = [cv2.cvtColor(frame.small, cv2.COLOR_RGB2GRAY) for frame in pair]
        self._flow = dis.calc(*self._grey, None)
        self._lengths = cv2.magnitude(self._flow[..., 0], self._flow[..., 1]) * self.scale

    def length(self, top: int, left: int, size: int) -> float:
        """Returns the mean length of the flow in a patch, in pixels of the frame."""
        return float(self._lengths[self._small(top, left, size)].mean())

    def explains(self, top: int, left: int, size: int) -> bool:
        """Returns whether the second frame, warped along the flow, matches the first."""
        rows, columns = self._small(top, left, size)
        first, second = self._grey
        flow = self._flow[rows, columns]
        down, right = np.indices(flow.shape[:2], np.float32)
        carried = cv2.remap(
            second,
            flow[..., 0] + right + columns.start,
            flow[..., 1] + down + rows.start,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        pair = [image.astype(np.float32) for image in (first[rows, columns], carried)]
        pair = [image - image.mean() for image in pair]
        power = np.sqrt(np.mean(pair[0] ** 2) * np.mean(pair[1] ** 2))
        return bool(np.mean(pair[0] * pair[1]) >= LEAST_ALIKE * power)

    def is_steady(self, top: int, left: int, size: int) -> bool:
        """Returns whether no interval changes the patch far more than all the others."""
        place = self._small(top, left, size)
        changes = sorted(
            np.mean(cv2.mean(cv2.absdiff(first.small[place], second.small[place]))[:3])
            for first, second in pairwise(self._window)
        )
        return len(changes) < 2 or bool(changes[-1] <= STEADY * changes[-2])

    def _small(self, top: int, left: int, size: int) -> tuple[slice, slice]:
        bounds = [(at // self.scale, -(-(at + size) // self.scale)) for at in (top, left)]
        return tuple(slice(*bound) for bound in bounds)


def motion_histogram(motions: list[float]) -> list[int]:
    """Returns a histogram of motion in bins of one pixel."""
    return np.bincount(np.minimum(motions, BINS - 1).astype(int), minlength=BINS).tolist()


def texture_share(bits: float) -> float:
    """Returns the factor of an entropy on the probability: 0 if flat, 1 if textured."""
    return min(1.0, max(0.0, (bits - FLAT) / (TEXTURED - FLAT)))


def entropy(grey: np.ndarray) -> float:
    """Returns the mean entropy, in bits, of differences between neighbors, across and down."""
    levels = grey.astype(np.int16)
    across, down = levels[:, 1:] - levels[:, :-1], levels[1:] - levels[:-1]
    return (_entropy_of(across) + _entropy_of(down)) / 2


def _entropy_of(differences: np.ndarray) -> float:
    counts = np.bincount(differences.ravel() + 255, minlength=511)
    shares = counts[counts > 0] / differences.size
    return float(-(shares * np.log2(shares)).sum())
