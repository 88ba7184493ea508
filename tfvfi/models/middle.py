"""The base class of networks that render the middle frame only."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tfvfi.errors import ArgumentError, InputError
from tfvfi.models.base import Interpolator
from tfvfi.ops.tensor import Tensor

MIDDLE = 0.5


class MiddleInterpolator(Interpolator):
    """An interpolator without a time input; other frames are reached by repeated halving.

    A subclass defines `middle(frame0, frame1)`, which returns all outputs.

    Args:
        times: Always the middle; an argument because configurations contain it.
    """

    def __init__(self, times: Sequence[float] = (MIDDLE,), **kwargs: Any):
        if tuple(times) != (MIDDLE,):
            raise ArgumentError(
                f"this network answers time {MIDDLE} only. Received: times={times!r}"
            )
        super().__init__(times=times, **kwargs)

    def middle(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns the frame in the middle of a pair as "frame", with any other outputs."""
        raise NotImplementedError

    def prepare(self, frame0: Tensor, frame1: Tensor) -> dict[str, Tensor]:
        """Returns all outputs, because no other time needs anything more."""
        return self.middle(frame0, frame1)

    def render(self, prepared: dict[str, Tensor], time: Tensor) -> dict[str, Tensor]:
        """Returns the prepared outputs; raises an error if a known time is not the middle."""
        check_middle(self.name, time)
        return prepared

    def measure_times(self) -> tuple[float, ...]:
        """Returns the middle; there is nothing to measure."""
        return self.times


def check_middle(name: str, time: Tensor) -> None:
    """Raises an error if a time is known not to be the middle.

    Within a graph the value of the time is unknown, so it is not checked there.
    """
    try:
        values = np.asarray(time)
    # RuntimeError: PyTorch's tensors without values, in its exports.
    except (NotImplementedError, TypeError, ValueError, RuntimeError):
        return
    if (values != MIDDLE).any():
        raise InputError(
            f"{name} answers time {MIDDLE} only; `interpolate` reaches fractions of 2, 4, 8, ... "
            f"by halving. Received: {values.tolist()}"
        )
