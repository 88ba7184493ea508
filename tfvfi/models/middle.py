"""What networks share that paint the frame in the middle of two, and no other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfvfi.errors import ArgumentError, InputError
from tfvfi.models.base import Interpolator

MIDDLE = 0.5


class MiddleInterpolator(Interpolator):
    """An interpolator without a time: other frames are middles of middles.

    A subclass has `middle(frame0, frame1)`, which gives everything it knows.

    Args:
        times: The middle; an argument because a network's description holds it.
    """

    def __init__(self, times: Sequence[float] = (MIDDLE,), **kwargs: Any):
        if tuple(times) != (MIDDLE,):
            raise ArgumentError(
                f"this network answers time {MIDDLE} only. Received: times={times!r}"
            )
        super().__init__(times=times, **kwargs)

    def middle(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """The frame between a pair, as "frame", and what else the network has."""
        raise NotImplementedError

    def prepare(self, frame0: Any, frame1: Any) -> dict[str, Any]:
        """All there is: no other time needs anything more."""
        return self.middle(frame0, frame1)

    def render(self, prepared: dict[str, Any], time: Any) -> dict[str, Any]:
        """What was prepared; another time than the middle is refused where its value is known."""
        check_middle(self.name, time)
        return prepared

    def measure_times(self) -> tuple[float, ...]:
        """The middle: there is nothing to measure."""
        return self.times


def check_middle(name: str, time: Any) -> None:
    """Refuses another time than the middle where its value is known, which it is outside graphs."""
    try:
        values = np.asarray(time)
    except (NotImplementedError, TypeError, ValueError):
        return
    if (values != MIDDLE).any():
        raise InputError(
            f"{name} answers time {MIDDLE} only; `interpolate` reaches fractions of 2, 4, 8, ... "
            f"by halving. Received: {values.tolist()}"
        )
