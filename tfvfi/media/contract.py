"""The interface of every reader of frames."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from tfvfi.media.look import Look
from tfvfi.media.shown import Shown


class FrameSource(Protocol):
    """Frames in order, which can be read repeatedly.

    Attributes:
        paths: The files that are read.
        size: The height and width of the frames.
        look: Colors, bit depth and geometry.
        rate: The approximate number of frames per second.
        time_base: The unit of which all times are multiples.
        start: The time at which the first frame is shown.
        has_clock: Whether the last frame has a duration, which pictures do not have.
        frames_expected: The approximate number of frames; None if it is unknown.
        seconds_expected: The approximate duration; 0 if it is unknown.
    """

    paths: Sequence[Path]
    size: tuple[int, int]
    look: Look
    rate: Fraction
    time_base: Fraction
    start: Fraction
    has_clock: bool
    frames_expected: int | None
    seconds_expected: Fraction

    def frames(self, alpha: bool = False) -> Iterator[Shown]:
        """Yields the frames from the first one on.

        Args:
            alpha: Whether the frames have a fourth channel; it is opaque if the source has none.
        """
        ...

    def __iter__(self) -> Iterator[Shown]:
        """Yields the frames without transparency."""
        ...
