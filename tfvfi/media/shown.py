"""A frame and the time at which it is shown."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np


class FrameArray(np.ndarray):
    """An array of RGB that remembers the frame of which it was converted.

    What is computed from it, and any part of it, is an array that remembers nothing.

    Attributes:
        original: The decoded frame; None for what is computed.
    """

    original: av.VideoFrame | None = None

    @classmethod
    def of(cls, image: np.ndarray, original: av.VideoFrame) -> "FrameArray":
        """The same array, with its frame.

        Args:
            image: H x W x 3 or 4.
            original: The frame.
        """
        array = image.view(cls)
        array.original = original
        return array


@dataclass(frozen=True)
class Shown:
    """A source frame and the time at which it is shown.

    Attributes:
        image: H x W x 3 or 4.
        time: In seconds.
        length: How long it is shown if no frame follows; counted from the last of `held`.
        held: Times at which it was shown again, where repeats are to be filled with motion.
    """

    image: np.ndarray
    time: Fraction
    length: Fraction
    held: tuple[Fraction, ...] = ()
