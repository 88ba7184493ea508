"""A frame and the time at which it is shown."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np


class FrameArray(np.ndarray):
    """An RGB array that remembers the frame from which it was converted.

    Arrays that are computed or sliced from it do not remember a frame.

    Attributes:
        original: The decoded frame; None for computed arrays.
    """

    original: av.VideoFrame | None = None

    @classmethod
    def of(cls, image: np.ndarray, original: av.VideoFrame) -> "FrameArray":
        """Returns the same array with its frame.

        Args:
            image: H x W x 3 or 4.
            original: The decoded frame.
        """
        array = image.view(cls)
        array.original = original
        return array


@dataclass(frozen=True)
class Shown:
    """A source frame and the time at which it is shown.

    Attributes:
        image: H x W x 3 or 4.
        time: The time at which it is shown, in seconds.
        length: How long it is shown, from the last of `held`, if no frame follows.
        held: The times of its held copies, if these are to be replaced by motion.
    """

    image: np.ndarray
    time: Fraction
    length: Fraction
    held: tuple[Fraction, ...] = ()
