"""What the pipeline needs of a network and of what writes its frames."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np


class FrameInterpolator(Protocol):
    """Makes the frames between two; every network of `tfvfi.load` that interpolates is one."""

    def interpolate(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float] = (0.5,), /
    ) -> list[np.ndarray]:
        """The frames between one pair.

        Args:
            frame0: The first frame, H x W x 3: uint8, uint16, or float in [0, 1].
            frame1: The second, of the same size and type.
            times: Where between them, 0 to 1.

        Returns:
            One frame per time, of the size and type of `frame0`.
        """
        ...


class FrameSink(Protocol):
    """Takes frames in order and makes an output of them, which appears when it is complete.

    Attributes:
        done: How many frames are there from earlier, interrupted work.
        keeps_alpha: Whether transparency is kept.
    """

    done: int
    keeps_alpha: bool

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Adds a frame.

        Args:
            image: H x W x 3, or 4 where `keeps_alpha`; None for one of the first `done`.
            time: When it is shown, in seconds.
            length: How long it is shown.
        """
        ...

    def finish(self) -> None:
        """Completes the output and gives it its name."""
        ...

    def discard(self) -> None:
        """Gives up; leaves finished parts where they are to be continued, and nothing else."""
        ...
