"""Learning-rate schedules."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from tfvfi.ops.tensor import Tensor


@keras.saving.register_keras_serializable("tfvfi")
class LearningRate(LearningRateSchedule):
    """A linear warm-up from zero, followed by a constant, stepwise or cosine schedule.

    Args:
        first: The rate after the warm-up.
        steps: The length of the training, in steps.
        shape: "constant", "steps" or "cosine".
        last: The final rate of a cosine.
        milestones: Shares of the training after which the rate is multiplied by `factor`.
        factor: See `milestones`.
        warm_up: Number of steps in which the rate rises linearly from zero.

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

    def __call__(self, step: Tensor) -> Tensor:
        """Returns the rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        # Step 0 already has a rate above zero, so that it changes the weights.
        rising = ops.minimum(1.0, (step + 1) / max(1, self.warm_up))
        return self._settled(step) * rising

    def _settled(self, step: Tensor) -> Tensor:
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
        """Returns the arguments from which this schedule can be recreated."""
        return dict(vars(self))
