"""What every reader of frames offers, whatever it reads."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from tfvfi.media.look import Look
from tfvfi.media.shown import Shown


class FrameSource(Protocol):
    """Frames in order, read as often as they are asked for.

    Attributes:
        paths: The files that it reads.
        size: Height and width of the frames.
        look: Colors, bits and geometry.
        rate: About how many frames there are a second.
        time_base: Times are multiples of it.
        start: When the first frame is shown.
        has_clock: Whether the last frame has a duration; pictures have none.
        frames_expected: About how many frames there are; None if it is not known.
        seconds_expected: About how long they are shown; 0 if it is not known.
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
        """Reads the frames from the first one on.

        Args:
            alpha: Whether they have a fourth channel, which is opaque where there is none.
        """
        ...

    def __iter__(self) -> Iterator[Shown]:
        """The frames without transparency."""
        ...
