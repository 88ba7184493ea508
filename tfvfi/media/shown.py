"""A frame and the time at which it is shown."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np


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
