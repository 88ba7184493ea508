"""Detects held frames, which show the same drawing again."""

from functools import reduce

import cv2
import numpy as np

from tfvfi.media.levels import white

# A pixel differs if one of its colors changes by more than this, out of 255. Compression noise
# reaches this value at sharp edges, but rarely after averaging over a window of this side.
TOLERANCE, WINDOW = 16.0, 5
# The share of pixels that may differ in a held frame, which is 115 pixels of 640 x 360. Held frames
# stay below it in most encodings, and a mouth that opens by eight pixels exceeds it.
THRESHOLD = 0.0005


class DuplicateDetector:
    """Detects whether each successive frame is held, that is, repeats the last new frame.

    Frames are compared with the last new frame, not with the previous one. Slow motion is therefore
    never lost, because it adds up.

    Args:
        threshold: The largest share of pixels, from 0 to 1, that may differ in a held frame.
        tolerance: The difference, out of 255, up to which a pixel counts as unchanged, after
            averaging over its neighbors. With 0, pixels are compared exactly, which suits lossless
            video; with a threshold of 0 as well, only exact copies are held frames.

    Example:
        >>> import numpy as np
        >>> white = np.full((90, 160, 3), 255, "uint8")
        >>> noisy, drawn = white - 3, white.copy()
        >>> drawn[40:50, 60:80] = 0
        >>> detector = DuplicateDetector()
        >>> [detector.repeats(frame) for frame in (white, noisy, white, drawn, drawn)]
        [False, True, True, False, True]
    """

    def __init__(self, threshold: float = THRESHOLD, tolerance: float = TOLERANCE):
        self.threshold = threshold
        self.tolerance = tolerance
        self._kept: np.ndarray | None = None

    def repeats(self, frame: np.ndarray) -> bool:
        """Returns whether a frame is held; if not, the next frames are compared with it.

        Args:
            frame: H x W x 3, or 4 with transparency; uint8, uint16 or float in [0, 1], of the
                same size as the frames before.
        """
        frame = frame if frame.shape[-1] == 3 else _as_seen(frame)
        seen = cv2.blur(frame, (WINDOW, WINDOW)) if self.tolerance else frame
        if self._kept is not None and self._share(self._kept, seen) <= self.threshold:
            return True
        self._kept = seen.copy() if seen is frame else seen
        return False

    def _share(self, kept: np.ndarray, seen: np.ndarray) -> float:
        """Returns the share of pixels that differ."""
        furthest = reduce(cv2.max, cv2.split(cv2.absdiff(kept, seen)))
        limit = self.tolerance / 255 * white(seen.dtype)
        return np.count_nonzero(furthest > limit) / furthest.size


def _as_seen(frame: np.ndarray) -> np.ndarray:
    """Returns the colors multiplied by their opacity, and the opacity."""
    alpha = frame[..., 3:]
    colors = frame[..., :3] * (alpha / np.float32(white(frame.dtype)))
    return np.concatenate([colors.astype(frame.dtype), alpha], axis=-1)
