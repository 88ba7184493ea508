"""What the pipeline requires of networks and of outputs."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np


class FrameInterpolator(Protocol):
    """Interpolates between two frames, as the interpolating networks of `tfvfi.load` do."""

    def interpolate(
        self, frame0: np.ndarray, frame1: np.ndarray, times: Sequence[float] = (0.5,), /
    ) -> list[np.ndarray]:
        """Returns the frames between two frames.

        Args:
            frame0: The first frame, H x W x 3: uint8, uint16, or float in [0, 1].
            frame1: The second frame, of the same size and type.
            times: The times of the new frames: 0 is `frame0`, 1 is `frame1`.

        Returns:
            One frame for each time, of the size and type of `frame0`.
        """
        ...


class FrameSink(Protocol):
    """Writes frames in order to an output, which appears when it is complete.

    Attributes:
        done: The number of frames that interrupted work has already finished.
        keeps_alpha: Whether transparency is kept.
    """

    done: int
    keeps_alpha: bool

    def write(self, image: np.ndarray | None, time: Fraction, length: Fraction) -> None:
        """Adds a frame.

        Args:
            image: H x W x 3, or 4 if `keeps_alpha`; None for one of the first `done` frames.
            time: The time at which the frame is shown, in seconds.
            length: How long the frame is shown, in seconds.
        """
        ...

    def finish(self) -> None:
        """Completes the output and gives it its name."""
        ...

    def discard(self) -> None:
        """Abandons the output; keeps finished segments if work can be resumed, and nothing else."""
        ...
