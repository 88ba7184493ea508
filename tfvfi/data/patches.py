"""Which patches of a window are taken: the more motion and the more texture, the likelier.

The rule is that of the adaptive convolution papers (Niklaus et al., 2017), with a faster flow: a
patch is a candidate in proportion to the length of the flow across it, and to its entropy.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from tfvfi.data.windows import Frame

# Flow over two frames, in pixels, from which on a patch is surely taken ...
FULL_MOTION = 25.0
# ... and below which it shows nothing that moves.
LEAST_MOTION = 0.5
# Flow of more than this share of the patch carries its content out of sight.
MOST_MOTION = 0.5
# Entropy of the grey levels, in bits: a flat patch, and one that has texture enough.
FLAT, TEXTURED = 3.0, 6.0
# Motion is counted by the pixel; the last bin holds all that is longer.
BINS = 41


@dataclass(frozen=True)
class Patch:
    """A place in a window that was chosen.

    Attributes:
        top: Its first row.
        left: Its first column.
        motion: Mean length of the flow across it, over two frames, in pixels.
    """

    top: int
    left: int
    motion: float


class PatchChooser:
    """Chooses patches in windows.

    Args:
        size: Height and width of a patch.
        draw: Where chance comes from.

    Attributes:
        looked_at: How many patches were looked at, by the pixel of their motion.
    """

    def __init__(self, size: int, draw: random.Random):
        self.size = size
        self.draw = draw
        self.looked_at = np.zeros(BINS, np.int64)
        self._dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)

    def choose(self, window: list[Frame]) -> Iterator[Patch]:
        """The patches to take; they do not overlap."""
        height, width = window[0].image.shape[:2]
        if min(height, width) < self.size:
            return
        middle = len(window) // 2
        lengths = self._flow_lengths(window[middle - 1], window[min(middle + 1, len(window) - 1)])
        grey = None
        for top, left in self._tiles(height, width):
            motion = self._mean(lengths, top, left, window[0].scale)
            self.looked_at[min(int(motion), BINS - 1)] += 1
            chance = self.draw.random()
            if not LEAST_MOTION <= motion <= MOST_MOTION * self.size:
                continue
            if chance >= motion / FULL_MOTION:
                continue
            if grey is None:
                grey = cv2.cvtColor(window[middle].image, cv2.COLOR_RGB2GRAY)
            texture = _entropy(grey[top : top + self.size, left : left + self.size])
            if chance < motion / FULL_MOTION * texture_share(texture):
                yield Patch(top, left, motion)

    def _flow_lengths(self, first: Frame, second: Frame) -> np.ndarray:
        grey = [cv2.cvtColor(frame.small, cv2.COLOR_RGB2GRAY) for frame in (first, second)]
        flow = self._dis.calc(*grey, None)
        return cv2.magnitude(flow[..., 0], flow[..., 1]) * first.scale

    def _tiles(self, height: int, width: int) -> Iterator[tuple[int, int]]:
        """A grid that begins anywhere, so that patches lie everywhere and never overlap."""
        top = self.draw.randint(0, height % self.size)
        left = self.draw.randint(0, width % self.size)
        for row in range(height // self.size):
            for column in range(width // self.size):
                yield top + row * self.size, left + column * self.size

    def _mean(self, lengths: np.ndarray, top: int, left: int, scale: int) -> float:
        bottom, right = top + self.size, left + self.size
        rows = slice(top // scale, max(top // scale + 1, bottom // scale))
        columns = slice(left // scale, max(left // scale + 1, right // scale))
        return float(lengths[rows, columns].mean())


def motion_histogram(motions: list[float]) -> list[int]:
    """Counts of motion by the pixel."""
    return np.bincount(np.minimum(motions, BINS - 1).astype(int), minlength=BINS).tolist()


def texture_share(entropy: float) -> float:
    """How much of the chance an entropy leaves: none for flat patches, all for textured ones."""
    return min(1.0, max(0.0, (entropy - FLAT) / (TEXTURED - FLAT)))


def _entropy(grey: np.ndarray) -> float:
    counts = np.bincount(grey.ravel(), minlength=256)
    shares = counts[counts > 0] / grey.size
    return float(-(shares * np.log2(shares)).sum())
