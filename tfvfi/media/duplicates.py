"""Which frames of a drawn video are new, and which only repeat the drawing before."""

from functools import reduce

import cv2
import numpy as np

from tfvfi.media.levels import white

# A pixel differs when one of its colors moved by more than this, of 255. Compression flickers by
# as much at sharp edges, but hardly where it is averaged over a window of this side.
TOLERANCE, WINDOW = 16.0, 5
# The share of pixels that may differ all the same. Of 640 x 360 these are 115: held frames come
# below it in most encodings, and a mouth that opens by eight pixels above.
THRESHOLD = 0.0005


class DuplicateDetector:
    """Says of each next frame whether it repeats the last frame that did not.

    It remembers that one frame. Slow motion is therefore never lost: it adds up until it counts.

    Args:
        threshold: The share of pixels, from 0 to 1, that may differ in a repetition.
        tolerance: By how much a pixel may differ without counting, in 255ths of the range, after
            averaging over its neighbors. At 0 pixels are compared as they are, which suits
            lossless video: with a threshold of 0 as well, exact copies alone are repetitions.

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
        """Whether a frame repeats; if not, the next ones are compared with it.

        Args:
            frame: H x W x 3, or 4 with transparency; uint8, uint16 or float in [0, 1], of the
                same size every time.
        """
        frame = frame if frame.shape[-1] == 3 else _as_seen(frame)
        seen = cv2.blur(frame, (WINDOW, WINDOW)) if self.tolerance else frame
        if self._kept is not None and self._share(self._kept, seen) <= self.threshold:
            return True
        self._kept = seen.copy() if seen is frame else seen
        return False

    def _share(self, kept: np.ndarray, seen: np.ndarray) -> float:
        """The share of pixels that differ."""
        furthest = reduce(cv2.max, cv2.split(cv2.absdiff(kept, seen)))
        limit = self.tolerance / 255 * white(seen.dtype)
        return np.count_nonzero(furthest > limit) / furthest.size


def _as_seen(frame: np.ndarray) -> np.ndarray:
    """Colors as far as they are not transparent, and transparency itself."""
    alpha = frame[..., 3:]
    colors = frame[..., :3] * (alpha / np.float32(white(frame.dtype)))
    return np.concatenate([colors.astype(frame.dtype), alpha], axis=-1)
