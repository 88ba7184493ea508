"""Learning rates that change with the step."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule


@keras.saving.register_keras_serializable("tfvfi")
class LearningRate(LearningRateSchedule):
    """A warm-up from zero, then constant, in steps, or along half a cosine.

    Args:
        first: The rate after the warm-up.
        steps: How many steps the training has.
        shape: "constant", "steps" or "cosine".
        last: Where the cosine ends.
        milestones: Shares of the training after which the rate is multiplied by `factor`.
        factor: See `milestones`.
        warm_up: Steps in which the rate rises in proportion from zero.

    Example:
        >>> rate = LearningRate(1e-4, steps=100, shape="cosine", last=1e-5, warm_up=10)
        >>> [round(float(rate(step)) * 1e5, 3) for step in (0, 9, 55, 100)]
        [1.0, 10.0, 5.5, 1.0]
    """

    def __init__(
        self,
        first: float,
        steps: int,
        shape: str = "constant",
        last: float = 0.0,
        milestones: Sequence[float] = (),
        factor: float = 0.1,
        warm_up: int = 0,
    ):
        self.first, self.last, self.shape, self.steps = first, last, shape, steps
        self.milestones, self.factor, self.warm_up = tuple(milestones), factor, warm_up

    def __call__(self, step: Any) -> Any:
        """The rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        # The first step already moves.
        rising = ops.minimum(1.0, (step + 1) / max(1, self.warm_up))
        return self._settled(step) * rising

    def _settled(self, step: Any) -> Any:
        if self.shape == "cosine":
            done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
            share = (1 + ops.cos(math.pi * ops.clip(done, 0.0, 1.0))) / 2
            return self.last + (self.first - self.last) * share
        rate = ops.ones_like(step) * self.first
        if self.shape == "steps":
            for milestone in self.milestones:
                rate = ops.where(step >= milestone * self.steps, rate * self.factor, rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """The arguments that build this schedule again."""
        return dict(vars(self))
